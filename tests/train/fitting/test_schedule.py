import pytest

pytest.importorskip("keras", reason="needs the train extra")

from train.classification.epoch import EpochRecord
from train.fitting.schedule import Phase, reason_to_stop, say_left


def make_history(*macros: float, phase: str = "body", seconds: float = 60.0) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(phase, index, 1.0, 1e-3, macro, macro, seconds) for index, macro in enumerate(macros))


def test_patience_counts_from_the_best_epoch() -> None:
    assert reason_to_stop(make_history(0.5, 0.8, 0.7, 0.6), 3, None) is None
    assert reason_to_stop(make_history(0.5, 0.8, 0.7, 0.6, 0.8), 3, None) == "no better epoch for 3 epochs"
    assert reason_to_stop(make_history(0.5, 0.8, 0.7, 0.6, 0.8), 0, None) is None


def test_patience_leaves_the_head_alone() -> None:
    assert reason_to_stop(make_history(0.9, 0.8, 0.7, phase="head"), 1, None) is None


def test_the_next_epoch_has_to_fit_into_the_time() -> None:
    history = make_history(0.5, 0.6, seconds=60.0)
    assert reason_to_stop(history, 0, 3.0) is None
    assert reason_to_stop(history, 0, 2.9) == "another epoch would not fit into 2.9 minutes"
    assert reason_to_stop((), 0, 0.1) is None


@pytest.mark.parametrize(
    ("done", "seconds", "max_minutes", "said"),
    [
        (2, 200.0, None, ", 20 minutes to go"),
        (2, 3600.0, None, ", 6 hours to go"),
        (2, 200.0, 15.0, ", 8 minutes to go"),
        (1, 200.0, None, ""),
        (8, 200.0, None, ""),
        (6, 20.0, None, ""),
    ],
)
def test_the_time_that_is_left_is_told(done: int, seconds: float, max_minutes: float | None, said: str) -> None:
    phase = Phase("body", 8, 0.001, whole_network=True)
    assert say_left(phase, done, [seconds] * done, max_minutes) == said


def test_the_head_says_nothing_of_the_whole_network() -> None:
    assert say_left(Phase("head", 3, 0.001, whole_network=False), 2, [200.0] * 2, None) == ""
