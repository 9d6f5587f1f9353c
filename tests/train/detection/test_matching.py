import numpy as np

from train.detection.anchors import choose_pyramid_levels, make_anchors
from train.detection.coding import decode, to_corners
from train.detection.matching import BACKGROUND, IGNORED, Matcher


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """An oracle in plain Python."""
    height = min(first[2], second[2]) - max(first[0], second[0])
    width = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(height, 0) * max(width, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return float(shared / (areas - shared))


def test_one_anchor_of_each_kind() -> None:
    # A box of 10 x 10; anchors of its height that overlap it by 1, eight times 0.6, 0.45 and 0.1.
    box = np.array([[0.0, 0.0, 0.1, 0.1]], np.float32)
    shares = (1.0, *[0.6] * 8, 0.45, 0.1)
    anchors = np.array([[0.05, 0.05 * share, 0.1, 0.1 * share] for share in shares], np.float32)
    targets = Matcher(anchors)(box, np.array([3]))
    assert targets.classes[:, 0].tolist() == [3] * 9 + [IGNORED, BACKGROUND]
    assert targets.encodings[:, 4].tolist() == [1] * 9 + [0, 0]
    np.testing.assert_allclose(decode(targets.encodings[:9, :4], anchors[:9]), box.repeat(9, axis=0), atol=1e-6)


def test_a_box_that_no_anchor_fits_is_found_by_the_nearest() -> None:
    anchors = np.array([[0.5, 0.5, 0.5, 0.5], [0.2, 0.2, 0.3, 0.3]], np.float32)
    targets = Matcher(anchors)(np.array([[0.5, 0.5, 0.52, 0.54]], np.float32), np.array([1]))
    assert targets.classes[:, 0].tolist() == [1, BACKGROUND]


def test_two_boxes_on_one_anchor_both_get_one() -> None:
    anchors = np.array([[0.5, 0.5, 0.5, 0.5], [0.6, 0.6, 0.5, 0.5]], np.float32)
    boxes = np.array([[0.25, 0.25, 0.75, 0.75], [0.26, 0.26, 0.76, 0.76]], np.float32)
    targets = Matcher(anchors)(boxes, np.array([0, 1]))
    assert targets.classes[:, 0].tolist() == [0, 1]


def test_a_photo_without_boxes_is_all_background() -> None:
    anchors = make_anchors(choose_pyramid_levels((4, 2)))
    targets = Matcher(anchors)(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    assert (targets.classes == BACKGROUND).all()
    assert not targets.encodings.any()


def test_it_agrees_with_plain_python_on_many_boxes() -> None:
    random = np.random.default_rng(6)
    anchors = make_anchors(choose_pyramid_levels((8, 4, 2)))
    corners = random.uniform(0, 0.6, (6, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.1, 0.4, (6, 2))], axis=1).astype(np.float32)
    labels = random.integers(0, 4, 6)
    targets = Matcher(anchors)(boxes, labels)
    table = [[overlap(anchor, box) for box in boxes] for anchor in to_corners(anchors)]
    columns = list(zip(*table, strict=True))
    forced = {max(range(len(anchors)), key=column.__getitem__) for column in columns}
    ninth = [sorted(column)[-9] for column in columns]
    assert len(forced) == len(boxes)
    for row, overlaps in enumerate(table):
        best, box = max(overlaps), int(np.argmax(overlaps))
        if row in forced:
            assert targets.classes[row, 0] >= 0
        elif best >= 0.5 or best >= max(ninth[box], 0.3):
            assert targets.classes[row, 0] == labels[box]
        else:
            assert targets.classes[row, 0] == (IGNORED if best >= 0.4 else BACKGROUND)


def test_a_small_box_is_found_by_as_many_as_nine_anchors() -> None:
    anchors = make_anchors(choose_pyramid_levels((40, 20, 10)))
    boxes = np.array([[0.5, 0.5, 0.54, 0.6], [0.1, 0.1, 0.5, 0.48]], np.float32)
    targets = Matcher(anchors)(boxes, np.array([0, 1]))
    near = [sum(overlap(anchor, box) >= 0.5 for anchor in to_corners(anchors)) for box in boxes]
    assert near == [0, 16]
    assert [int((targets.classes == label).sum()) for label in (0, 1)] == [9, 16]
