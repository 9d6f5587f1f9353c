from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from convert.detection_tail import LEAST_SCORE, append_postprocess, postprocess_alone
from edge_runtime.errors import ConversionError
from edge_runtime.spec import DetectionSpec

SPEC = DetectionSpec(("red", "green", "blue"), threshold=0.5, iou_threshold=0.4, max_detections=12)
Row = tuple[float, int, tuple[float, ...]]


def random_outputs(seed: int, anchors: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centres = random.uniform(0.1, 0.9, (anchors, 2))
    sides = random.uniform(0.1, 0.4, (anchors, 2))
    encodings = random.normal(0, 2, (anchors, 4)).astype(np.float32)
    scores = random.uniform(0, 1, (anchors, 3)).astype(np.float32) ** 3
    return np.concatenate([centres, sides], axis=1).astype(np.float32), encodings, scores


def decode(anchors: np.ndarray, encodings: np.ndarray) -> np.ndarray:
    """SSD's decoding with the scales 10, 10, 5, 5, written for one anchor at a time."""
    boxes = []
    for (ya, xa, ha, wa), (ty, tx, th, tw) in zip(anchors.astype(float), encodings.astype(float), strict=True):
        y, x = ya + ty / 10 * ha, xa + tx / 10 * wa
        h, w = ha * np.exp(th / 5), wa * np.exp(tw / 5)
        boxes.append((y - h / 2, x - w / 2, y + h / 2, x + w / 2))
    return np.array(boxes)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    shared = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def suppress(boxes: np.ndarray, scores: np.ndarray, spec: DetectionSpec) -> list[Row]:
    """Greedy suppression of all boxes by one another, each with its best label."""
    kept: list[int] = []
    for index in np.argsort(-scores.max(axis=1)):
        free = all(overlap(boxes[index], boxes[other]) <= spec.iou_threshold for other in kept)
        if scores[index].max() >= LEAST_SCORE and free and len(kept) < spec.max_detections:
            kept.append(index)
    return [(float(scores[index].max()), int(scores[index].argmax()), tuple(boxes[index])) for index in kept]


def run(model: bytes, encodings: np.ndarray, scores: np.ndarray, threads: int = 1) -> list[Row]:
    interpreter = Interpreter(model_content=model, num_threads=threads)
    interpreter.allocate_tensors()
    for tensor, values in zip(interpreter.get_input_details(), (encodings, scores), strict=True):
        interpreter.set_tensor(tensor["index"], values[np.newaxis])
    interpreter.invoke()
    boxes, labels, found, count = (interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details())
    # Rows behind these hold whatever was in memory, NaN too.
    answers = int(count[0])
    rows = zip(found[0, :answers], labels[0, :answers], boxes[0, :answers], strict=True)
    return [(float(score), int(label), tuple(box)) for score, label, box in rows]


@pytest.mark.parametrize("seed", range(5))
def test_the_op_decodes_and_suppresses_as_an_independent_oracle_does(seed: int) -> None:
    anchors, encodings, scores = random_outputs(seed)
    expected = suppress(decode(anchors, encodings), scores, SPEC)
    found = run(postprocess_alone(anchors, SPEC), encodings, scores)
    assert [row[1] for row in found] == [row[1] for row in expected]
    np.testing.assert_allclose([row[0] for row in found], [row[0] for row in expected], atol=1e-7)
    np.testing.assert_allclose([row[2] for row in found], [row[2] for row in expected], atol=1e-5)
    assert len(found) == SPEC.max_detections


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    """Suppression by label loses the label whose number is the number of threads (tensorflow/tensorflow#56058)."""
    anchors, encodings, _ = random_outputs(0, anchors=6)
    anchors[:, :2], anchors[:, 2:] = np.linspace(0, 1, 6)[:, np.newaxis], 0.05
    model = postprocess_alone(anchors, replace(SPEC, labels=("a", "b", "c", "d", "e", "f")))
    scores = np.eye(6, dtype=np.float32) * 0.9
    assert sorted(row[1] for row in run(model, encodings, scores, threads)) == list(range(6))


def test_one_garment_gets_one_answer() -> None:
    """The same box twice, once as red and once as green."""
    anchors = np.array([[0.5, 0.5, 0.4, 0.4]] * 2, np.float32)
    scores = np.array([[0.9, 0.85, 0], [0, 0.8, 0]], np.float32)
    found = run(postprocess_alone(anchors, SPEC), np.zeros((2, 4), np.float32), scores)
    assert [(label, round(score, 3)) for score, label, _ in found] == [(0, 0.9)]


def test_a_box_brings_as_many_labels_as_asked_for() -> None:
    """The op writes them row by row, and counts boxes alone."""
    anchors = np.array([[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]], np.float32)
    scores = np.array([[0.1, 0.6, 0.5], [0.9, 0.2, 0.3]], np.float32)
    interpreter = Interpreter(model_content=postprocess_alone(anchors, replace(SPEC, labels_per_box=2)), num_threads=2)
    interpreter.allocate_tensors()
    for tensor, values in zip(interpreter.get_input_details(), (np.zeros((2, 4), np.float32), scores), strict=True):
        interpreter.set_tensor(tensor["index"], values[np.newaxis])
    interpreter.invoke()
    _, labels, found, count = (interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details())
    assert labels.shape == (1, 24)
    assert labels[0, :4].tolist() == [0, 2, 1, 2]
    np.testing.assert_allclose(found[0, :4], [0.9, 0.3, 0.6, 0.5])
    assert count[0] == 2


def test_nothing_scored_gives_nothing() -> None:
    anchors, encodings, scores = random_outputs(0)
    assert run(postprocess_alone(anchors, SPEC), encodings, np.full_like(scores, LEAST_SCORE / 2)) == []


def test_a_network_that_does_not_fit_is_refused(tiny_detector_bytes: bytes, tiny_anchors: np.ndarray) -> None:
    # Its four outputs are those of a detector that is finished already.
    with pytest.raises(ConversionError, match="two outputs, encodings and scores, but this has 4"):
        append_postprocess(tiny_detector_bytes, tiny_anchors, replace(SPEC, max_detections=8))
