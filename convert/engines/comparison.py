"""Runs the same inputs through every engine and says which answer alike."""

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.engines.finding import Engine
from convert.engines.job import Answers, EngineError, read_answers, write_job
from convert.engines.likeness import Likeness, Outputs, compare_boxes, compare_scores
from convert.inspection.reading import read_contents
from convert.metadata_writer import add_metadata
from edge_runtime.errors import BackendError, ModelError
from edge_runtime.metadata.reading import read_detector_outputs, read_spec
from edge_runtime.metadata.schema import DetectorOutput

Measure = Callable[[Outputs, Outputs], Likeness]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far an engine's answers are those of the reference.

    Attributes:
        engine: Its name.
        version: Package and version; empty where it did not run.
        machine: Processor, as the engine sees it.
        identical: How many pictures have the same answer bit for bit: all scores of a classifier, or all boxes of a
            detector above its threshold, in whatever order.
        largest: Greatest difference of a classifier's score, in steps of its quantisation; or of a score or coordinate
            of a detector's boxes, each in [0, 1].
        same: Share in [0, 1] of answers that are the same: a classifier's pictures with the same best label in every
            head, or a detector's boxes above its threshold that the other engine has too (see `compare_boxes`).
        missing: Why the engine was not checked; empty where it was.
        failed: Whether it was to run and did not.
    """

    engine: str
    version: str = ""
    machine: str = ""
    identical: int = 0
    largest: float = 0.0
    same: float = 0.0
    missing: str = ""
    failed: bool = False


def compare_engines(model: bytes, inputs: NDArray[np.uint8], engines: tuple[Engine, ...]) -> tuple[Agreement, ...]:
    """Compare engines on the same input tensors.

    Args:
        model: A `.tflite` file with one uint8 input.
        inputs: (images, height, width, 3) uint8 RGB.
        engines: The reference first.

    Returns:
        One entry per engine, in order; the reference agrees with itself.

    Raises:
        BackendError: The reference does not run.
        ModelError: The file is no TFLite model, or its input is not uint8.
        MetadataError: Its metadata are missing or contradict its tensors.
    """
    measure = _choose_measure(model)
    found: list[Agreement] = []
    reference: Answers | None = None
    for engine, answers in _run_engines(model, inputs, engines):
        if isinstance(answers, Agreement):
            found.append(answers)
            continue
        reference = reference or answers
        found.append(_compare(engine, answers, reference, measure))
    if not found or reference is None or found[0].missing:
        raise BackendError(f"The reference, {engines[0].name}, did not run ({found[0].missing}).")
    return tuple(found)


def _choose_measure(model: bytes) -> Measure:
    graph = read_contents(model).graphs[0]
    if [graph.tensors[index].type for index in graph.inputs] != ["UINT8"]:
        raise ModelError("The model's input is not one uint8 tensor; verify a file that edge-convert wrote.")
    detection = read_spec(model).detection
    if detection is not None:
        places = read_detector_outputs(model)
        order = [places[output] for output in DetectorOutput]
        return lambda ours, theirs: compare_boxes(_take(ours, order), _take(theirs, order), detection)
    return functools.partial(compare_scores, scales=[graph.tensors[index].quantization for index in graph.outputs])


def _take(outputs: Outputs, order: Sequence[int]) -> Outputs:
    return [outputs[place] for place in order]


def _run_engines(
    model: bytes, inputs: NDArray[np.uint8], engines: tuple[Engine, ...]
) -> Iterator[tuple[str, Answers | Agreement]]:
    for engine in tqdm(engines, desc="verifying", unit="engine", disable=None):
        if engine.run is None:
            yield engine.name, Agreement(engine.name, missing=engine.hint)
            continue
        try:
            content = _without_thresholds(model) if engine.classifiers_only else model
            if content is None:
                yield engine.name, Agreement(engine.name, missing="only classifiers are compared with it")
                continue
            yield engine.name, _answer(engine, content, inputs)
        except EngineError as error:
            yield engine.name, Agreement(engine.name, missing=str(error), failed=True)


def _answer(engine: Engine, model: bytes, inputs: NDArray[np.uint8]) -> Answers:
    assert engine.run is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_job(folder, model, inputs)
        engine.run(folder)
        return read_answers(folder, len(inputs))


def _without_thresholds(model: bytes) -> bytes | None:
    """Return the classifier with all scores to be reported, for engines that hold back those below the threshold."""
    spec = read_spec(model)
    if not spec.heads:
        return None
    heads = tuple(dataclasses.replace(head, threshold=0.0) for head in spec.heads)
    return add_metadata(model, dataclasses.replace(spec, heads=heads))


def _compare(name: str, answers: Answers, reference: Answers, measure: Measure) -> Agreement:
    shapes = [output.shape for output in reference.outputs]
    if [output.shape for output in answers.outputs] != shapes:
        return Agreement(name, missing="its outputs have other shapes", failed=True)
    likeness = measure(answers.outputs, reference.outputs)
    return Agreement(name, answers.version, answers.machine, likeness.identical, likeness.largest, likeness.same)
