import contextlib
import math
import random
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest

from convert import metadata_writer
from convert.model_tree import pack_tree, read_tree
from edge_runtime import Detection, Recognizer
from edge_runtime.errors import EdgeGarmentError, MetadataError, ModelError
from edge_runtime.metadata.reading import read_detector_outputs, read_spec
from edge_runtime.outputs import DetectorOutputs
from edge_runtime.spec import DetectionSpec, ModelSpec
from edge_runtime.tflite_schema import DetectorOutput

SPEC = DetectionSpec(("red", "green", "blue"), threshold=0.5, max_detections=4)
ORDER = {name: position for position, name in enumerate(DetectorOutput)}


@pytest.fixture
def detector(tiny_detector_bytes: bytes) -> Recognizer:
    return Recognizer(tiny_detector_bytes, threads=1)


def scene() -> np.ndarray:
    """A black frame with a red cell in row 1, column 2 and a darker blue one in row 3, column 0 of the 4 x 4."""
    frame = np.zeros((200, 400, 3), np.uint8)
    frame[50:100, 200:300, 2] = 255
    frame[150:200, 0:100, 0] = 200
    return frame


def test_boxes_are_pixels_of_the_frame_best_first(detector: Recognizer) -> None:
    """Row 1, column 2: centre (0.375 + 0.025, 0.625 - 0.025), sides 0.25 exp(0.1) and 0.25; resizing blends edges."""
    red, blue = detector.detect(scene())
    half = 0.125 * math.exp(0.1)
    assert (red.label, blue.label) == ("red", "blue")
    assert (red.score, blue.score) == pytest.approx((255 / 256, 200 / 256), abs=0.015)
    assert red.box == pytest.approx((190, (0.4 - half) * 200, 290, (0.4 + half) * 200), abs=1e-3)


def test_a_box_ends_where_the_frame_does(detector: Recognizer) -> None:
    """The blue box would reach over the left and the lower edge."""
    blue = detector.detect(scene())[1]
    assert (blue.box[0], blue.box[3]) == (0, 200)
    assert blue.box[2] == pytest.approx(90, abs=1e-3)


def test_the_threshold_is_the_models_unless_another_is_given(detector: Recognizer) -> None:
    frame = cv2.convertScaleAbs(scene(), alpha=0.55)
    assert [found.label for found in detector.detect(frame)] == ["red"]
    assert [found.label for found in detector.detect(frame, threshold=0.3)] == ["red", "blue"]
    assert detector.detect(frame, threshold=0.9) == ()


def test_nothing_to_see_is_no_detection_rather_than_no_detector(detector: Recognizer) -> None:
    answer = detector.recognize(np.zeros((8, 8, 3), np.uint8))
    assert answer.detections == ()
    assert answer.classifications == ()


def test_more_objects_than_the_file_keeps_are_the_best_ones(detector: Recognizer) -> None:
    assert len(detector.detect(np.full((32, 32, 3), 255, np.uint8))) == 8


def test_each_box_has_as_many_answers_as_the_file_says(two_label_detector_bytes: bytes) -> None:
    """The op counts boxes, whatever their labels."""
    spec = read_spec(two_label_detector_bytes).detection
    assert spec is not None
    assert (spec.max_detections, spec.labels_per_box) == (8, 2)
    frame = np.zeros((200, 400, 3), np.uint8)
    frame[50:100, 200:300] = (0, 200, 255)
    frame[150:200, 0:100] = (250, 180, 0)
    found = Recognizer(two_label_detector_bytes, threads=1).detect(frame)
    assert [each.label for each in found] == ["red", "blue", "green", "green"]
    assert found[0].box == found[2].box
    assert found[1].box == found[3].box


def test_a_number_of_labels_that_is_none_is_refused(two_label_detector_bytes: bytes) -> None:
    for wrong in (b'"labels_per_box": 0', b'"labels_per_box": x', b'"labels_per_box": 3'):
        with pytest.raises(MetadataError):
            read_spec(rename(two_label_detector_bytes, b'"labels_per_box": 2', wrong))


def test_each_kind_of_model_says_what_it_is_not(detector: Recognizer, tiny_recognizer: Recognizer) -> None:
    with pytest.raises(ModelError, match=r"is a detector; give a classifier"):
        detector.classify(scene())
    with pytest.raises(ModelError, match=r"is a detector"):
        detector.scores(scene())
    with pytest.raises(ModelError, match=r"is a classifier .* give a detector"):
        tiny_recognizer.detect(scene())


@dataclass
class Stub:
    """Output tensors that no sound file would give."""

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    count: float

    def get_output_details(self) -> list[dict[str, int]]:
        return [{"index": index} for index in range(4)]

    def get_tensor(self, index: int) -> np.ndarray:
        values = (self.boxes[None], self.labels[None], self.scores[None], np.array([self.count]))
        return values[index].astype(np.float32)


ROW = (0.2, 0.1, 0.4, 0.3)


def find(
    boxes: list[tuple[float, ...]] | None = None,
    labels: tuple[float, ...] = (1, 1, 1, 1),
    scores: tuple[float, ...] = (0.75, 0, 0, 0),
    count: float = 1,
) -> tuple[Detection, ...]:
    stub = Stub(np.array(boxes or [ROW] * 4), np.array(labels), np.array(scores), count)
    return DetectorOutputs(stub, SPEC, ORDER).find(100, 100, None)


def test_rows_beyond_the_count_are_no_answers() -> None:
    (found,) = find(scores=(0.75, 0.75, 0.75, 0.75))
    assert (found.label, found.score, found.box) == ("green", 0.75, pytest.approx((10, 20, 30, 40)))
    assert find(scores=(0.75,) * 4, count=0) == ()


@pytest.mark.parametrize("count", [4, 5, 1e9, math.inf])
def test_a_count_above_the_maximum_is_the_maximum(count: float) -> None:
    assert len(find(scores=(0.75,) * 4, count=count)) == 4


@pytest.mark.parametrize("count", [math.nan, -1.0, -math.inf])
def test_a_count_that_is_none_is_no_detection(count: float) -> None:
    assert find(count=count) == ()


@pytest.mark.parametrize(
    "row",
    [(math.nan,) * 4, (0.2, 0.1, math.nan, 0.3), (0.4, 0.1, 0.2, 0.3), (0.2, 0.1, 0.2, 0.3), (1.5, 0.1, 2.5, 0.3)],
)
def test_a_box_that_is_none_is_left_out(row: tuple[float, ...]) -> None:
    found = find([row, ROW, ROW, ROW], scores=(0.9, 0.75, 0, 0), count=2)
    assert [detection.score for detection in found] == [0.75]


def test_an_endless_box_is_the_frame() -> None:
    assert find([(-math.inf, -math.inf, math.inf, math.inf), ROW, ROW, ROW])[0].box == (0, 0, 100, 100)


@pytest.mark.parametrize("label", [-1.0, 3.0, 1e9, math.nan])
def test_a_label_without_a_name_is_left_out(label: float) -> None:
    assert find(labels=(label, 1, 1, 1)) == ()


@pytest.mark.parametrize("score", [math.nan, -1.0])
def test_a_score_that_is_none_is_left_out(score: float) -> None:
    assert find(scores=(score, 0, 0, 0)) == ()


def test_answers_are_sorted_though_the_file_does_not() -> None:
    assert [each.score for each in find(scores=(0.5, 1, 0.75, 1), count=4)] == [1, 1, 0.75, 0.5]


def test_outputs_are_told_apart_by_name_whatever_their_order(tiny_detector_bytes: bytes, detector: Recognizer) -> None:
    """TensorFlow's own exporter numbers them classes, count, boxes, scores."""
    order = (1, 3, 0, 2)
    names = [tuple(DetectorOutput)[index] for index in order]
    tree = read_tree(tiny_detector_bytes)
    tree.subgraphs[0].outputs = [tree.subgraphs[0].outputs[index] for index in order]
    shuffled = metadata_writer.add_metadata(pack_tree(tree), read_spec(tiny_detector_bytes), names)
    positions = read_detector_outputs(shuffled)
    assert [positions[name] for name in DetectorOutput] == [2, 0, 3, 1]
    assert Recognizer(shuffled, threads=1).detect(scene()) == detector.detect(scene())


def rename(model: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return model.replace(old, new)


def test_a_detector_whose_outputs_have_other_names_is_refused(tiny_detector_bytes: bytes) -> None:
    with pytest.raises(MetadataError, match="'number of detections', but the model's are"):
        read_spec(rename(tiny_detector_bytes, b"category", b"kategory"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_detections": 9}, "a detector of 9 boxes, but its outputs"),
        ({"labels": ()}, "labels are"),
        ({"labels": ("red", "", "blue")}, "none may be empty"),
        ({"threshold": 1.5}, "not numbers from 0 to 1"),
        ({"iou_threshold": 0.0}, "not numbers from 0 to 1"),
    ],
)
def test_a_description_must_fit_the_detector(tiny_detector_bytes: bytes, change: dict[str, Any], message: str) -> None:
    spec = read_spec(tiny_detector_bytes)
    assert spec.detection is not None
    with pytest.raises(MetadataError, match=message):
        metadata_writer.add_metadata(tiny_detector_bytes, replace(spec, detection=replace(spec.detection, **change)))


def test_a_classifiers_description_does_not_fit_a_detector(tiny_detector_bytes: bytes, tiny_spec: ModelSpec) -> None:
    with pytest.raises(MetadataError, match="4 outputs but 1 are described"):
        metadata_writer.add_metadata(tiny_detector_bytes, tiny_spec)


def test_a_file_of_another_tool_states_no_iou_threshold(tiny_detector_bytes: bytes) -> None:
    model = rename(tiny_detector_bytes, b"edge_garment.json", b"other_program.txt")
    spec = read_spec(model)
    assert spec.detection == read_spec(tiny_detector_bytes).detection
    assert spec.provenance == {}


def test_any_byte_of_a_detector_may_be_wrong(tiny_detector_bytes: bytes) -> None:
    generator = random.Random(5)
    for _ in range(200):
        damaged = bytearray(tiny_detector_bytes)
        damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        with contextlib.suppress(EdgeGarmentError):
            read_spec(bytes(damaged))
            read_detector_outputs(bytes(damaged))
