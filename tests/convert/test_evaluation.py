import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.evaluation import compare_stages

LABELS = ("hat", "shirt", "shoe")


def one_hot(*classes: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(classes)]


def test_stages_are_measured_against_truth_and_first_stage() -> None:
    targets = np.array([0, 0, 0, 1])
    float32, int8 = compare_stages({"float": one_hot(0, 0, 1, 1), "int8": one_hot(0, 1, 1, 1)}, targets, LABELS)
    assert (float32.top1, float32.macro, float32.agreement, float32.drift) == pytest.approx((0.75, 5 / 6, 1.0, 0.0))
    assert (int8.top1, int8.macro, int8.agreement) == pytest.approx((0.5, 2 / 3, 0.75))
    assert int8.drift == pytest.approx(2 / 12)


def test_the_interval_is_wilsons() -> None:
    """45 of 50: worked by hand from Wilson's formula with z = 1.96."""
    targets = np.zeros(50, int)
    (stage,) = compare_stages({"float": one_hot(*[0] * 45, *[1] * 5)}, targets, LABELS)
    assert (stage.low, stage.high) == pytest.approx((0.7864, 0.9565), abs=1e-3)
