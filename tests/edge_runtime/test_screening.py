import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.events import HealthKind
from edge_runtime.screening import Screening, Verdict
from edge_runtime.sources import Frame


class _Told:
    def __init__(self) -> None:
        self.kinds: list[HealthKind] = []

    def __call__(self, kind: HealthKind, source: str, message: str) -> None:
        assert source in message
        self.kinds.append(kind)


def _frame(level: int, clock_s: float = 0.0, size: tuple[int, int] = (48, 64), source: str = "camera:0") -> Frame:
    return Frame(np.full((*size, 3), level, np.uint8), source, 0, 0.0, 0.0, clock_s)


@pytest.fixture
def told() -> _Told:
    return _Told()


def test_what_has_not_moved_since_the_last_answer_is_still(told: _Told) -> None:
    screening = Screening(live=False, skip_still=True, on_health=told)
    verdicts = [screening.judge(_frame(level)) for level in (50, 51, 52, 53, 54, 54, 90)]
    answer, still = Verdict.ANSWER, Verdict.STILL
    # A slow drift adds up: it is compared with what was answered, not with the frame before.
    assert verdicts == [answer, still, still, still, answer, still, answer]


def test_sources_are_looked_at_apart(told: _Told) -> None:
    screening = Screening(live=True, skip_still=True, on_health=told)
    assert screening.judge(_frame(50)) is Verdict.ANSWER
    assert screening.judge(_frame(50, source="camera:1")) is Verdict.ANSWER
    assert screening.judge(_frame(50)) is Verdict.STILL


def test_black_frames_of_a_camera_are_not_answered_and_told_when_they_last(told: _Told) -> None:
    screening = Screening(live=True, skip_still=False, on_health=told)
    for tenth in range(15):
        assert screening.judge(_frame(3, tenth / 10)) is Verdict.DARK
    assert told.kinds == []
    for tenth in range(15, 40):
        screening.judge(_frame(3, tenth / 10))
    assert told.kinds == [HealthKind.SOURCE_DARK]
    assert screening.judge(_frame(80, 4.0)) is Verdict.ANSWER
    assert told.kinds == [HealthKind.SOURCE_DARK, HealthKind.SOURCE_LIGHT]


def test_a_black_picture_in_a_file_is_a_picture(told: _Told) -> None:
    assert Screening(live=False, skip_still=False, on_health=told).judge(_frame(0)) is Verdict.ANSWER


def test_another_size_is_told_and_answered(told: _Told) -> None:
    screening = Screening(live=True, skip_still=True, on_health=told)
    for size in ((48, 64), (96, 128)):
        frame = _frame(50, size=size)
        screening.measure(frame)
        assert screening.judge(frame) is Verdict.ANSWER
    assert told.kinds == [HealthKind.SIZE_CHANGED]


def test_a_region_outside_the_frame_is_an_error(told: _Told) -> None:
    with pytest.raises(SourceError, match="--roi lies outside"):
        Screening(live=True, skip_still=False, on_health=told).judge(_frame(50, size=(0, 64)))
