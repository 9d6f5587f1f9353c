from edge_runtime.boxes import Box
from edge_runtime.events.association import Observation, associate


def _seen(label: str, box: Box | None, score: float = 0.9) -> Observation:
    return Observation(label, score, box)


def _pairs(last: list[Observation], now: list[Observation]) -> list[tuple[int, int]]:
    return sorted(associate(last, now, least_iou=0.3))


def test_the_largest_overlap_is_matched_first() -> None:
    last = [_seen("hat", (0, 0, 10, 10)), _seen("hat", (4, 0, 14, 10))]
    now = [_seen("hat", (3, 0, 13, 10)), _seen("hat", (0, 0, 10, 10))]
    assert _pairs(last, now) == [(0, 1), (1, 0)]


def test_the_same_label_goes_before_a_larger_overlap_of_another() -> None:
    last = [_seen("shirt", (0, 0, 10, 10))]
    now = [_seen("outwear", (0, 0, 10, 10)), _seen("shirt", (0, 0, 10, 8))]
    assert _pairs(last, now) == [(0, 1)]


def test_another_label_needs_a_closer_match() -> None:
    last = [_seen("shirt", (0, 0, 10, 10))]
    assert _pairs(last, [_seen("outwear", (0, 0, 10, 4.5))]) == []
    assert _pairs(last, [_seen("shirt", (0, 0, 10, 4.5))]) == [(0, 0)]
    assert _pairs(last, [_seen("outwear", (0, 0, 10, 9))]) == [(0, 0)]


def test_the_whole_frame_is_one_place() -> None:
    assert _pairs([_seen("hat", None)], [_seen("shoes", None)]) == [(0, 0)]
    assert _pairs([_seen("hat", None)], [_seen("hat", (0, 0, 10, 10))]) == []
