import numpy as np
import pytest

from edge_runtime.estimates import (
    BootstrapEstimate,
    Estimate,
    compare_paired,
    estimate_by_bootstrap,
    estimate_difference,
    estimate_share,
)


def test_wilson_interval_of_eight_in_ten() -> None:
    # By hand, z = 1.959964: centre (0.8 + z^2/20) / (1 + z^2/10) = 0.716740,
    # half width z sqrt(0.8 * 0.2 / 10 + z^2/400) / (1 + z^2/10) = 0.226577.
    assert estimate_share(8, 10) == Estimate(0.8, pytest.approx(0.490162, abs=2e-6), pytest.approx(0.943317, abs=2e-6))


def test_wilson_interval_of_all_right_leaves_room_below() -> None:
    # By hand: 20 / (20 + z^2) = 0.838875.
    estimate = estimate_share(20, 20)
    assert (estimate.value, estimate.high) == (1.0, pytest.approx(1.0))
    assert estimate.low == pytest.approx(0.838875, abs=1e-5)


def test_mcnemar_by_hand() -> None:
    first = np.array([True] * 11 + [False] * 9)
    second = np.array([True] * 10 + [False] + [True] * 8 + [False])
    test = compare_paired(first, second)
    assert (test.only_first, test.only_second) == (1, 8)
    # 2 * (C(9, 0) + C(9, 1)) / 2^9
    assert test.p_value == pytest.approx(20 / 512)


def test_mcnemar_of_many_photos_is_the_binomials_tail() -> None:
    stats = pytest.importorskip("scipy.stats", reason="needs the train extra")
    first = np.arange(20_000) < 9_900
    assert compare_paired(first, ~first).p_value == pytest.approx(stats.binomtest(9_900, 20_000).pvalue)


def test_models_that_never_differ_are_not_told_apart() -> None:
    right = np.array([True, False])
    assert compare_paired(right, right).p_value == 1.0


def test_difference_by_hand() -> None:
    first = np.array([True] * 11 + [False] * 9)
    second = np.array([True] * 10 + [False] + [True] * 8 + [False])
    # One photo lost, eight won, so with halves 1.5 and 8.5 of 22: centre 7 / 22, and
    # half width z sqrt(10 - 7^2 / 22) / 22 = 0.248377.
    wanted = (0.35, 7 / 22 - 0.248377, 7 / 22 + 0.248377)
    estimate = estimate_difference(first, second)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(wanted, abs=1e-5)


def test_models_that_never_differ_leave_room_for_a_difference() -> None:
    right = np.array([True] * 90 + [False] * 10)
    estimate = estimate_difference(right, right)
    assert estimate.value == 0.0
    assert -0.03 < estimate.low < 0.0 < estimate.high < 0.03


def test_draws_that_tell_nothing_are_left_out_of_an_interval() -> None:
    """Nought to a hundred in equal steps have their percentiles at themselves."""
    resampled = np.concatenate([np.linspace(0, 1, 101), np.full(400, np.nan)])
    estimate = estimate_by_bootstrap(0.4, resampled, photos=20)
    assert estimate == BootstrapEstimate(0.4, pytest.approx(0.025), pytest.approx(0.975))
    assert (estimate.drawn.low, estimate.drawn.high) == (estimate.low, estimate.high)


@pytest.mark.parametrize(
    ("resampled", "photos"), [(np.linspace(0, 1, 101), 19), (np.full(500, 0.3) + 1e-12 * np.arange(500), 100)]
)
def test_few_photos_and_draws_that_are_alike_give_no_interval(resampled: np.ndarray, photos: int) -> None:
    estimate = estimate_by_bootstrap(0.3, resampled, photos)
    assert estimate == BootstrapEstimate(0.3, None, None)
    assert estimate.drawn == Estimate(0.3, 0.3, 0.3)
