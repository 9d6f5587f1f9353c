"""What is handed to an engine and what comes back: a folder of plain files, which any language can read and write.

The runner gets `model.tflite`, `input.bin` (count x height x width x 3 bytes, RGB, one input tensor after another) and
`job.json` (`count`, and the input's `shape` with its batch of one). It writes `output_N.bin` for each output of the
model, one answer after another, and at last `result.json`: `version`, `machine`, and each output's `dtype` and `shape`.
Raw tensors go in and come out, so a difference is one of the engine's arithmetic and never one of resizing.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class EngineError(Exception):
    """An engine did not do its job; the text says why."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an engine answered.

    Attributes:
        version: Package and version of the engine.
        machine: Processor, as the engine sees it.
        outputs: One (images, ...) array per output of the model, of its own type.
    """

    version: str
    machine: str
    outputs: tuple[NDArray[Any], ...]


def write_job(folder: Path, model: bytes, inputs: NDArray[np.uint8]) -> None:
    """Write a job's files.

    Args:
        folder: An empty folder.
        model: A `.tflite` file with one uint8 input.
        inputs: (images, height, width, 3) uint8 RGB input tensors.
    """
    (folder / "model.tflite").write_bytes(model)
    inputs.tofile(folder / "input.bin")
    job = {"count": len(inputs), "shape": [1, *inputs.shape[1:]]}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def read_answers(folder: Path, images: int) -> Answers:
    """Read what an engine wrote.

    Raises:
        EngineError: The result is missing, of another size, or an error.
    """
    try:
        facts = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        if "error" in facts:
            raise EngineError(str(facts["error"]))
        outputs = tuple(
            np.fromfile(folder / f"output_{index}.bin", np.dtype(each["dtype"])).reshape(each["shape"])
            for index, each in enumerate(facts["outputs"])
        )
        answers = Answers(str(facts["version"]), str(facts["machine"]), outputs)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(f"it wrote no result that can be read ({error!r})") from error
    if not outputs or any(len(output) != images for output in outputs):
        raise EngineError("it did not answer every picture")
    return answers
