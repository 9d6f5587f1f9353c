import numpy as np
import pytest

from edge_runtime.spec import DetectionSpec
from train.detection.anchors import choose_pyramid_levels, make_anchors
from train.detection.coding import encode
from train.detection.decoding import find_boxes, suppress

SPEC = DetectionSpec(("hat", "shirt"), threshold=0.3, iou_threshold=0.5, max_detections=3)
ANCHORS = make_anchors(choose_pyramid_levels((4, 2)))


def say(boxes: dict[int, tuple[list[float], list[float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs in which some anchors say a box and its scores, and the others nothing."""
    encodings = np.zeros((len(ANCHORS), 4), np.float32)
    scores = np.zeros((len(ANCHORS), 2), np.float32)
    for anchor, (box, of_labels) in boxes.items():
        encodings[anchor] = encode(np.array([box], np.float32), ANCHORS[anchor : anchor + 1])[0]
        scores[anchor] = of_labels
    return encodings, scores


def test_boxes_come_in_pixels_best_first() -> None:
    outputs = say({3: ([0.1, 0.2, 0.5, 0.4], [0.0, 0.6]), 8: ([0.5, 0.5, 0.9, 1.0], [0.8, 0.1])})
    first, second = find_boxes(*outputs, ANCHORS, SPEC, (200, 100))
    assert (first.label, second.label) == ("hat", "shirt")
    np.testing.assert_allclose(first.box, (100, 50, 200, 90), atol=1e-3)
    np.testing.assert_allclose(second.box, (40, 10, 80, 50), atol=1e-3)


def test_a_box_has_its_best_label_and_suppresses_others_whatever_their_labels() -> None:
    same = [0.1, 0.2, 0.5, 0.4]
    outputs = say({3: (same, [0.9, 0.6]), 8: (same, [0.0, 0.8])})
    found = find_boxes(*outputs, ANCHORS, SPEC, (10, 10))
    assert [(each.label, round(each.score, 3)) for each in found] == [("hat", 0.9)]


def test_the_worst_of_too_many_boxes_are_left_out() -> None:
    places = [[0.0, 0.0, 0.2, 0.2], [0.3, 0.3, 0.5, 0.5], [0.6, 0.6, 0.8, 0.8], [0.8, 0.1, 1.0, 0.2]]
    outputs = say({index * 3: (box, [0.4 + index / 10, 0.0]) for index, box in enumerate(places)})
    assert [round(each.score, 1) for each in find_boxes(*outputs, ANCHORS, SPEC, (10, 10))] == [0.7, 0.6, 0.5]


def test_boxes_are_clipped_and_those_beyond_the_edge_left_out() -> None:
    outputs = say({3: ([-0.5, 0.2, 0.5, 1.4], [0.9, 0.0]), 8: ([1.1, 0.2, 1.5, 0.4], [0.9, 0.0])})
    (only,) = find_boxes(*outputs, ANCHORS, SPEC, (10, 10))
    np.testing.assert_allclose(only.box, (2, 0, 10, 5), atol=1e-4)


def test_nothing_above_the_threshold_is_nothing() -> None:
    assert find_boxes(*say({}), ANCHORS, SPEC, (10, 10)) == []


def test_suppression_spares_what_a_suppressed_box_overlaps() -> None:
    row = np.array([[0, 0, 1, 1.0], [0, 0.3, 1, 1.3], [0, 0.6, 1, 1.6]], np.float32)
    # The first takes the second, which would have taken the third.
    assert suppress(row, 0.5, most=9) == [0, 2]
    assert suppress(row, 0.5, most=1) == [0]


def test_it_finds_what_the_op_of_the_device_finds() -> None:
    pytest.importorskip("ai_edge_litert", reason="needs the interpreter")
    from ai_edge_litert.interpreter import Interpreter

    from convert.detection_tail import postprocess_alone

    spec = DetectionSpec(("hat", "shirt", "shoe"), threshold=0.01, iou_threshold=0.6, max_detections=50)
    random = np.random.default_rng(0)
    encodings = random.normal(0, 2, (len(ANCHORS), 4)).astype(np.float32)
    scores = random.uniform(0, 1, (len(ANCHORS), 3)).astype(np.float32)
    interpreter = Interpreter(model_content=postprocess_alone(ANCHORS, spec))
    interpreter.allocate_tensors()
    for tensor, values in zip(interpreter.get_input_details(), (encodings, scores), strict=True):
        interpreter.set_tensor(tensor["index"], values[np.newaxis])
    interpreter.invoke()
    boxes, classes, best, count = (
        interpreter.get_tensor(each["index"])[0] for each in interpreter.get_output_details()
    )
    theirs = [
        (spec.labels[int(label)], float(score), np.clip(box, 0, 1)[[1, 0, 3, 2]])
        for box, label, score in list(zip(boxes, classes, best, strict=True))[: int(count)]
    ]
    theirs = [each for each in theirs if (each[2][2:] > each[2][:2]).all()]
    ours = find_boxes(encodings, scores, ANCHORS, spec, (1, 1))
    assert len(ours) > 10
    assert [each.label for each in ours] == [label for label, _, _ in theirs]
    np.testing.assert_allclose([each.score for each in ours], [score for _, score, _ in theirs], rtol=1e-6)
    np.testing.assert_allclose([each.box for each in ours], [box for _, _, box in theirs], atol=1e-5)
