"""Runs the same inputs through every engine and says which answer alike."""

import dataclasses
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.engines.finding import Engine
from convert.engines.job import Answers, DetectorFacts, EngineError, read_answers, write_job
from convert.engines.likeness import Likeness, Outputs, compare_boxes, compare_scores, cut_to_pixels
from convert.inspection.reading import read_contents
from convert.metadata_writer import add_metadata
from edge_runtime.errors import BackendError, ModelError
from edge_runtime.metadata.reading import read_detector_outputs, read_spec
from edge_runtime.tflite_schema import DetectorOutput

Measure = Callable[[Engine, Outputs, Outputs], Likeness]


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
    detector = _describe_detector(model)
    found: list[Agreement] = []
    reference: Answers | None = None
    for engine in tqdm(engines, desc="verifying", unit="engine", disable=None):
        answers = _ask(engine, model, inputs, detector)
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
        raise ModelError("The model's input is not one uint8 tensor; verify a file of one of the int8 recipes.")
    if read_spec(model).detection is not None:
        return _measure_boxes(model)
    scales = [graph.tensors[index].quantization for index in graph.outputs]
    return lambda _, ours, theirs: compare_scores(ours, theirs, scales)


def _measure_boxes(model: bytes) -> Measure:
    spec, places = read_spec(model), read_detector_outputs(model)
    assert spec.detection is not None
    detection, size = spec.detection, (spec.input.height, spec.input.width)

    def measure(engine: Engine, ours: Outputs, theirs: Outputs) -> Likeness:
        one, other = ([outputs[places[kind]] for kind in DetectorOutput] for outputs in (ours, theirs))
        if engine.by_metadata:
            other[0] = cut_to_pixels(other[0], *size)
        return compare_boxes(one, other, detection)

    return measure


def _describe_detector(model: bytes) -> DetectorFacts | None:
    detection = read_spec(model).detection
    if detection is None:
        return None
    rows = detection.max_detections * detection.labels_per_box
    return DetectorFacts(detection.labels, rows, read_detector_outputs(model))


def _ask(
    engine: Engine, model: bytes, inputs: NDArray[np.uint8], detector: DetectorFacts | None
) -> Answers | Agreement:
    """Return an engine's answers, or why there are none."""
    if engine.run is None:
        return Agreement(engine.name, missing=engine.hint)
    content = _without_thresholds(model) if engine.by_metadata else model
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_job(folder, content, inputs, detector)
            engine.run(folder)
            return read_answers(folder, len(inputs))
    except EngineError as error:
        return Agreement(engine.name, missing=str(error), failed=True)


def _without_thresholds(model: bytes) -> bytes:
    """Return the model with all scores of a classifier to be reported, for engines that hold low ones back.

    A detector is left as it is: MediaPipe asks its caller and not the file for the least score of a box.
    """
    spec = read_spec(model)
    heads = tuple(dataclasses.replace(head, threshold=0.0) for head in spec.heads)
    return add_metadata(model, dataclasses.replace(spec, heads=heads)) if heads else model


def _compare(engine: Engine, answers: Answers, reference: Answers, measure: Measure) -> Agreement:
    shapes = [output.shape for output in reference.outputs]
    if [output.shape for output in answers.outputs] != shapes:
        return Agreement(engine.name, missing="its outputs have other shapes", failed=True)
    likeness = measure(engine, answers.outputs, reference.outputs)
    return Agreement(engine.name, answers.version, answers.machine, likeness.identical, likeness.largest, likeness.same)
