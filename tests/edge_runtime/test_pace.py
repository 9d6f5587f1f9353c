import time

import pytest

from edge_runtime.sources.pace import Pace


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.mark.parametrize(("camera_fps", "max_fps", "taken"), [(30, 20, 20), (30, 30, 30), (25, 10, 10), (5, 10, 5)])
def test_a_camera_is_thinned_out_to_the_rate(camera_fps: int, max_fps: float, taken: int, clock: _Clock) -> None:
    pace = Pace(max_fps)
    count = 0
    for _ in range(camera_fps * 10):
        count += pace.take()
        clock.now_s += 1 / camera_fps
    assert count == pytest.approx(10 * taken, abs=2)


def test_no_rate_takes_every_frame(clock: _Clock) -> None:
    pace = Pace(None)
    assert all(pace.take() for _ in range(100))


def test_waiting_holds_the_rate_and_a_pause_is_not_made_up_for(clock: _Clock) -> None:
    pace = Pace(10)
    pace.wait()
    clock.now_s += 60
    start_s = clock.now_s
    for _ in range(12):
        pace.wait()
    assert clock.now_s - start_s == pytest.approx(1.0, abs=0.11)
