import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.evaluation import check_finite, compare_stages
from edge_runtime.errors import ConversionError

LABELS = ("hat", "shirt", "shoe")


def one_hot(*classes: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(classes)]


def test_stages_are_measured_against_truth_and_first_stage() -> None:
    targets = np.array([0, 0, 0, 1])
    float32, int8 = compare_stages({"float": one_hot(0, 0, 1, 1), "int8": one_hot(0, 1, 1, 1)}, targets, LABELS)
    assert (float32.top1, float32.macro, float32.agreement) == pytest.approx((0.75, 5 / 6, 1.0))
    assert (int8.top1, int8.macro, int8.agreement) == pytest.approx((0.5, 2 / 3, 0.75))


def test_the_interval_is_wilsons() -> None:
    """45 of 50: worked by hand from Wilson's formula with z = 1.96."""
    targets = np.zeros(50, int)
    (stage,) = compare_stages({"float": one_hot(*[0] * 45, *[1] * 5)}, targets, LABELS)
    assert (stage.low, stage.high) == pytest.approx((0.7864, 0.9565), abs=1e-3)


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_no_answers(fault: float) -> None:
    """The best of them would be the first label, which may even be right."""
    scores = one_hot(0, 1, 2)
    check_finite("tflite float16", scores)
    scores[1, 2] = fault
    with pytest.raises(ConversionError, match="tflite float16 answers 1 of 3 photos"):
        check_finite("tflite float16", scores)
