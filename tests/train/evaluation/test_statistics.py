import numpy as np
import pytest

from edge_runtime.estimates import Estimate, estimate_share
from train.evaluation.statistics import (
    measure_classes,
    measure_rejection,
    measure_reliability,
)


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
