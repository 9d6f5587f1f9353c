"""Scores that mean what they say, and the score below which it is better to say nothing."""

import math
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

_LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
"""Of many classes a sharp softmax gives most less than 1e-7: what is clipped counts as likelier than it was."""
_LEAST_ACCEPTED = 0.98
"""At least this share of right answers has to stay above the threshold.

The stricter it is, the fewer photos of a few hundred decide, and the unsurest right answers are odd ones.
"""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What a rejection threshold does.

    Attributes:
        threshold: Best scores in [0, 1] below it are rejected.
        accepted_right: Share of right validation answers at or above it.
        rejected_wrong: Share of wrong validation answers below it; 0 where none is wrong.
        rejected_negatives: Share of pictures without a known garment below it.
        negatives: How many such pictures there were.
    """

    threshold: float
    accepted_right: float
    rejected_wrong: float
    rejected_negatives: float
    negatives: int


def fit_temperature(scores: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    """Find the temperature that makes probabilities fit the truth best.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: one number T > 0, the same for all
    classes, that minimises the negative log-likelihood of softmax(z / T). Log-probabilities serve as the logits z,
    since the two differ by a constant per photo, which softmax ignores. Of n + 2 photos one is taken to be of the
    likeliest other class, as in Platt, "Probabilistic Outputs for Support Vector Machines", 1999, section 2.2: where
    all are answered rightly, nothing else would keep T from 0 and all scores from 1.

    Args:
        scores: (photos, labels) probabilities.
        targets: (photos,) true class indices.

    Returns:
        T, above 1 for over-confident scores, in [0.05, 20].
    """
    logits = np.log(np.maximum(scores.astype(np.float64), _LEAST_PROBABILITY))
    photos, doubt = np.arange(len(targets)), 1 / (len(targets) + 2)
    others = _name_likeliest_others(logits, targets)

    def loss(log_temperature: float) -> float:
        likelihoods = _log_softmax(logits / np.exp(log_temperature))
        return float(-np.mean((1 - doubt) * likelihoods[photos, targets] + doubt * likelihoods[photos, others]))

    bounds = (np.log(0.05), np.log(20.0))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _name_likeliest_others(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each photo the class, other than its own, with the highest score."""
    others = logits.copy()
    others[np.arange(len(targets)), targets] = -np.inf
    return np.asarray(others.argmax(axis=1), np.int64)


def apply_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return the (photos, labels) probabilities softmax(z / T) of probabilities softmax(z)."""
    logits = np.log(np.maximum(scores.astype(np.float64), _LEAST_PROBABILITY))
    return np.exp(_log_softmax(logits / temperature)).astype(np.float32)


def fold_temperature(classifier: keras.Model, temperature: float) -> None:
    """Divide the last layer's weights by a temperature, so that every engine answers with calibrated scores."""
    head = classifier.layers[-1]
    head.set_weights([weights / temperature for weights in head.get_weights()])


def choose_rejection(
    right: NDArray[np.float32], wrong: NDArray[np.float32], negatives: NDArray[np.float32]
) -> Rejection:
    """Choose the threshold that rejects most negatives and wrong answers while it accepts nearly all right ones.

    Args:
        right: (photos,) best scores of validation photos answered rightly.
        wrong: (photos,) best scores of validation photos answered wrongly.
        negatives: (pictures,) best scores of pictures that show no known garment.

    Returns:
        The best threshold, in the middle of those that are as good; 0 where rejecting brings nothing.
    """
    right, wrong, negatives = map(_as_uint8, (right, wrong, negatives))
    bad = np.concatenate([wrong, negatives])
    most = float(np.quantile(right, 1 - _LEAST_ACCEPTED, method="lower")) if len(right) else 0.0
    candidates = [0.0, *(score for score in np.unique(right) if score <= most)]
    gains = [_share(bad < score) + _share(right >= score) for score in candidates]
    chosen = candidates[int(np.argmax(gains))]
    # Right answers to come may be less sure than a few photos are: half-way to the surest that is to be rejected.
    chosen = (chosen + float(bad[bad < chosen].max(initial=0.0))) / 2 if chosen > 0 else 0.0
    # Down to three digits, which float32 metadata give back as they were.
    threshold = math.floor(1000 * chosen) / 1000
    return Rejection(
        threshold=threshold,
        accepted_right=_share(right >= threshold),
        rejected_wrong=_share(wrong < threshold),
        rejected_negatives=_share(negatives < threshold),
        negatives=len(negatives),
    )


def _as_uint8(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return scores as a device says them at least: whole 256ths, and never 1."""
    return np.asarray(np.minimum(np.floor(256 * scores), 255) / 256, np.float32)


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if len(chosen) else 0.0


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
