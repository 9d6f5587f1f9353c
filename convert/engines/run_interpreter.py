"""Runs a job on the TFLite interpreter of whatever Python runs this file; it needs nothing of edge-garment.

    python run_interpreter.py FOLDER

`convert/engines/job.py` says what lies in the folder. Written for Python 3.9 and later, as old devices have it.
"""

import importlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = (("ai_edge_litert.interpreter", "ai-edge-litert"), ("tflite_runtime.interpreter", "tflite-runtime"))


def main(folder: Path) -> None:
    """Answer each input of the job in the folder."""
    module, package = find_interpreter()
    interpreter = module.Interpreter(model_path=str(folder / "model.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    exits = interpreter.get_output_details()
    inputs = np.fromfile(folder / "input.bin", np.uint8).reshape(-1, *entry["shape"])
    answers: list[list[Any]] = [[] for _ in exits]
    for image in inputs:
        interpreter.set_tensor(entry["index"], image)
        interpreter.invoke()
        for kept, exit_ in zip(answers, exits):  # noqa: B905 - Python 3.9 has no `strict`
            kept.append(interpreter.get_tensor(exit_["index"])[0])
    outputs = [np.stack(kept) for kept in answers]
    for index, output in enumerate(outputs):
        output.tofile(folder / f"output_{index}.bin")
    facts = {
        "version": f"{package} {version(package)}",
        "machine": platform.machine(),
        "outputs": [{"dtype": output.dtype.name, "shape": list(output.shape)} for output in outputs],
    }
    (folder / "result.json").write_text(json.dumps(facts), encoding="utf-8")


def find_interpreter() -> tuple[Any, str]:
    """Return the interpreter's module and the name of its package."""
    for name, package in PACKAGES:
        try:
            return importlib.import_module(name), package
        except ImportError:
            continue
    sys.exit("this Python has neither ai-edge-litert nor tflite-runtime")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
