import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the train extra")

from train.statistics import (
    Estimate,
    compare_paired,
    estimate_share,
    measure_classes,
    measure_rejection,
    measure_reliability,
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


def test_class_qualities_by_hand() -> None:
    hat, shirt = measure_classes(("hat", "shirt"), [[3, 1], [2, 4]])
    assert (hat.photos, shirt.photos) == (4, 6)
    assert hat.precision == estimate_share(3, 5)
    assert hat.recall == estimate_share(3, 4)
    assert shirt.precision == estimate_share(4, 5)
    # F1 = 2 * 3 / (2 * 3 + 2 + 1). The share 3 of 6 has Wilson ends 0.5 -+ 0.312384; 2 s / (1 + s) of them:
    assert hat.f1 == Estimate(pytest.approx(2 / 3), pytest.approx(0.31595, abs=1e-4), pytest.approx(0.89648, abs=1e-4))


def test_a_class_never_answered_has_no_precision() -> None:
    hat, shirt, skirt = measure_classes(("hat", "shirt", "skirt"), [[0, 2, 0], [0, 3, 0], [0, 0, 0]])
    assert hat.precision is None
    assert hat.f1 is not None
    assert (hat.f1.value, hat.f1.low) == (0.0, pytest.approx(0.0))
    assert shirt.recall is not None
    assert (skirt.precision, skirt.recall, skirt.f1) == (None, None, None)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.9, 0.5, 0.9, 0.3])
    right = np.array([True, True, False, False])
    reliability = measure_reliability(confidence, right)
    np.testing.assert_allclose(reliability.confidence, [0.3, 0.5, 0.9])
    np.testing.assert_array_equal(reliability.photos, [1, 1, 2])
    assert [estimate.value for estimate in reliability.accuracy] == [0.0, 1.0, 0.5]
    # (|0 - 0.3| + |1 - 0.5| + 2 * |0.5 - 0.9|) / 4
    assert reliability.error == pytest.approx(0.4)


def test_a_bin_holds_its_upper_edge() -> None:
    confidence = np.array([0.1, 0.5, 0.51, 1.0])
    reliability = measure_reliability(confidence, np.ones(4, np.bool_), bins=2)
    np.testing.assert_array_equal(reliability.photos, [2, 2])


def test_rejection_by_hand() -> None:
    confidence = np.array([0.9, 0.8, 0.6, 0.4])
    right = np.array([True, True, False, False])
    rejection = measure_rejection(confidence, right, np.array([0.0, 0.6, 0.7, 0.95]))
    np.testing.assert_allclose(rejection.coverage, [1.0, 0.75, 0.5, 0.0])
    np.testing.assert_allclose(rejection.accuracy, [0.5, 2 / 3, 1.0, np.nan])


def test_mcnemar_by_hand() -> None:
    first = np.array([True] * 11 + [False] * 9)
    second = np.array([True] * 10 + [False] + [True] * 8 + [False])
    test = compare_paired(first, second)
    assert (test.only_first, test.only_second) == (1, 8)
    # 2 * (C(9, 0) + C(9, 1)) / 2^9
    assert test.p_value == pytest.approx(20 / 512)


def test_models_that_never_differ_are_not_told_apart() -> None:
    right = np.array([True, False])
    assert compare_paired(right, right).p_value == 1.0
