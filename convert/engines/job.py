"""What is handed to an engine and what comes back: a folder of plain files, which any language can read and write.

The runner gets `model.tflite`, `input.bin` (count x height x width x 3 bytes, RGB, one input tensor after another) and
`job.json` (`count`, the input's `shape` with its batch of one, and what a `detector`'s outputs are). It writes
`output_N.bin` for each output of the model, one answer after another, and at last `result.json`: `version`, `machine`,
and each output's `dtype` and `shape`.
Raw tensors go in and come out, so a difference is one of the engine's arithmetic and never one of resizing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.tflite_schema import DetectorOutput


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


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """What an engine has to know that answers with boxes and names rather than with raw outputs.

    Attributes:
        labels: Class names, in the order of their numbers.
        rows: How many rows of boxes the outputs have.
        places: Place among the model's outputs of each kind of them.
    """

    labels: tuple[str, ...]
    rows: int
    places: Mapping[DetectorOutput, int]


def write_job(folder: Path, model: bytes, inputs: NDArray[np.uint8], detector: DetectorFacts | None = None) -> None:
    """Write a job's files.

    Args:
        folder: An empty folder.
        model: A `.tflite` file with one uint8 input.
        inputs: (images, height, width, 3) uint8 RGB input tensors.
        detector: None where the model is a classifier.
    """
    (folder / "model.tflite").write_bytes(model)
    inputs.tofile(folder / "input.bin")
    facts = None if detector is None else asdict(detector)
    job = {"count": len(inputs), "shape": [1, *inputs.shape[1:]], "detector": facts}
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
