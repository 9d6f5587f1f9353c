import numpy as np

from train.detection.coding import decode, encode, intersect_over_union, to_corners

RANDOM = np.random.default_rng(0)


def make_boxes(count: int) -> np.ndarray:
    corners = RANDOM.uniform(0, 0.6, (count, 2))
    return np.concatenate([corners, corners + RANDOM.uniform(0.05, 0.4, (count, 2))], axis=1).astype(np.float32)


def test_an_encoding_by_hand() -> None:
    # Centre (0.5, 0.6) and sides (0.4, 0.2) from the anchor's (0.4, 0.5) and (0.2, 0.2).
    boxes = np.array([[0.3, 0.5, 0.7, 0.7]], np.float32)
    anchors = np.array([[0.4, 0.5, 0.2, 0.2]], np.float32)
    np.testing.assert_allclose(encode(boxes, anchors), [[5.0, 5.0, 5 * np.log(2), 0.0]], atol=1e-5)


def test_decoding_undoes_encoding() -> None:
    boxes, anchors = make_boxes(50), np.abs(make_boxes(50)) + 0.01
    np.testing.assert_allclose(decode(encode(boxes, anchors), anchors), boxes, atol=1e-5)


def test_no_offset_is_the_anchor_itself() -> None:
    anchors = make_boxes(5)
    np.testing.assert_allclose(decode(np.zeros((5, 4), np.float32), anchors), to_corners(anchors), atol=1e-6)


def test_iou_by_hand() -> None:
    first = np.array([[0.0, 0.0, 2.0, 2.0]], np.float32)
    second = np.array([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [2.0, 2.0, 3.0, 3.0]], np.float32)
    np.testing.assert_allclose(intersect_over_union(first, second), [[1 / 7, 1.0, 0.0]], rtol=1e-6)


def test_iou_of_nothing_with_nothing_is_nothing() -> None:
    point = np.zeros((1, 4), np.float32)
    assert intersect_over_union(point, point)[0, 0] == 0


def test_iou_agrees_with_pycocotools() -> None:
    from pycocotools.mask import iou

    first, second = make_boxes(30), make_boxes(20)

    def to_coco(boxes: np.ndarray) -> np.ndarray:
        x, y = boxes[:, 1], boxes[:, 0]
        return np.stack([x, y, boxes[:, 3] - x, boxes[:, 2] - y], axis=1).astype(np.float64)

    theirs = iou(to_coco(first), to_coco(second), [0] * len(second))
    np.testing.assert_allclose(intersect_over_union(first, second), theirs, atol=1e-5)
