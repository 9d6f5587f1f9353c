import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.evaluation.calibration import (  # noqa: E402
    apply_temperature,
    choose_rejection,
    fit_temperature,
    fold_temperature,
)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_the_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 4))
    true = softmax(logits)
    targets = np.array([random.choice(4, p=row / row.sum()) for row in true.astype(np.float64)])
    # Scores three times too sure are right again at T = 3.
    sure = softmax(3 * logits)
    temperature = fit_temperature(sure, targets)
    assert temperature == pytest.approx(3.0, rel=0.05)
    np.testing.assert_allclose(apply_temperature(sure, temperature), true, atol=0.05)


def test_sharp_scores_of_many_classes_are_calibrated_by_what_they_are() -> None:
    """Most of a thousand classes have less than 1e-7 each; taken for that much, they would make up for the best."""
    random = np.random.default_rng(0)
    logits, targets = random.normal(0, 6, (500, 1000)), random.integers(0, 1000, 500)
    logits[np.arange(500), targets] += random.uniform(8, 40, 500)
    logits -= logits.max(axis=1, keepdims=True)
    assert fit_temperature(softmax(logits), targets) == pytest.approx(
        2 * fit_temperature(softmax(logits / 2), targets), rel=0.01
    )


@pytest.mark.parametrize(("photos", "score"), [(10, 0.5), (60, 0.85), (1000, 0.9)])
def test_right_answers_alone_do_not_make_scores_certain(photos: int, score: float) -> None:
    """Or a threshold among them would be above all that a uint8 output can say, and the device would say nothing."""
    scores = np.full((photos, 4), (1 - score) / 3, np.float32)
    scores[:, 1] = score - np.linspace(0.1, 0, photos)
    calibrated = apply_temperature(scores, fit_temperature(scores, np.ones(photos, np.int64)))
    assert np.median(calibrated[:, 1]) == pytest.approx(1 - 1 / (photos + 2), abs=0.03)
    threshold = choose_rejection(calibrated[:, 1], np.array([], np.float32), np.full(50, 0.2, np.float32)).threshold
    said = np.minimum(np.rint(256 * calibrated[:, 1]), 255) / 256
    assert (said >= threshold).mean() >= 0.95


def test_folding_gives_the_same_scores_as_applying() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(4, activation="softmax", bias_initializer="normal")(inputs))
    features = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    before = model.predict_on_batch(features)
    fold_temperature(model, 0.4)
    np.testing.assert_allclose(model.predict_on_batch(features), apply_temperature(before, 0.4), atol=1e-5)


def test_a_threshold_parts_negatives_from_right_answers() -> None:
    right = np.linspace(0.5, 1.0, 200, dtype=np.float32)
    rejection = choose_rejection(right, np.array([0.4, 0.9], np.float32), np.full(10, 0.3, np.float32))
    # Half-way from the surest that is rejected to the least sure that is kept.
    assert rejection.threshold == pytest.approx(0.45, abs=1 / 256)
    assert (rejection.accepted_right, rejection.rejected_wrong, rejection.rejected_negatives) == (1.0, 0.5, 1.0)
    assert rejection.negatives == 10


def test_it_never_costs_more_than_one_right_answer_in_fifty() -> None:
    right = np.linspace(0.2, 1.0, 1000, dtype=np.float32)
    rejection = choose_rejection(right, np.array([], np.float32), np.linspace(0.2, 0.3, 1000, dtype=np.float32))
    assert 0.98 <= rejection.accepted_right < 0.99


def test_a_few_odd_photos_do_not_decide_on_the_threshold() -> None:
    right = np.append(np.linspace(0.6, 1.0, 395), [0.1, 0.1, 0.1, 0.1, 0.1]).astype(np.float32)
    rejection = choose_rejection(right, np.array([], np.float32), np.full(100, 0.3, np.float32))
    assert rejection.threshold == pytest.approx(0.45, abs=1 / 256)
    assert (rejection.accepted_right, rejection.rejected_negatives) == (pytest.approx(0.9875), 1.0)


def test_nothing_to_reject_gives_no_threshold() -> None:
    empty = np.array([], np.float32)
    assert choose_rejection(np.array([0.9], np.float32), empty, empty).threshold == 0.0
    assert choose_rejection(empty, np.array([0.3], np.float32), empty).threshold == 0.0
