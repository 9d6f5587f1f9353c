"""Labels that a classifier trained on the other photos firmly disagrees with."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from train.check.findings import Finding, Kind, Severity
from train.check.hashing import cluster
from train.data.photos import Photo

_FOLDS = 5
_SEED = 0
_INVERSE_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_LEAST_PROBABILITY = 0.8


def find_suspicious_labels(
    features: NDArray[np.float32], photos: Sequence[Photo], near_pairs: NDArray[np.int64]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Find photos whose label is probably wrong, the most probable first.

    Each photo is judged by a logistic regression that has seen neither it nor its group nor its near copies.

    Args:
        features: (photos, channels) of a body that was not trained on these labels: one that was has learnt the wrong
            ones too, and agrees with them.
        photos: Their photos.
        near_pairs: (pairs, 2) indices of near copies.

    Returns:
        Findings, and the sentences of what could not be judged.
    """
    units = _join(photos, near_pairs)
    judged, few = _split_off_rare(photos, units)
    skipped = (_tell_rare(few),) if few else ()
    labels = sorted({photos[index].label for index in judged})
    if len(labels) < 2:
        return (), skipped
    targets = np.array([labels.index(photos[index].label) for index in judged])
    probabilities = _fit_best(features[judged], targets, units[judged])
    return tuple(_judge(probabilities, targets, labels, [photos[index] for index in judged])), skipped


def find_disagreements(probabilities: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find confident disagreements by the rule of confident learning (Northcutt et al., 2021, section 3.1).

    A photo counts as class k where its probability of k reaches the mean probability of k among the photos labelled
    k, so that classes hard to tell apart need no less than easy ones. Beyond the paper, it must reach 0.8.

    Args:
        probabilities: (photos, classes) float64 in [0, 1], out of sample.
        targets: (photos,) class indices, each class at least once.

    Returns:
        (photos,) class index that each photo seems to be, -1 where there is nothing against its label.
    """
    usual = np.array([probabilities[targets == k, k].mean() for k in range(probabilities.shape[1])])
    confident = np.where(probabilities >= np.maximum(usual, _LEAST_PROBABILITY), probabilities, 0.0)
    best = confident.argmax(axis=1)
    return np.where((confident.max(axis=1) > 0) & (best != targets), best, -1)


def _join(photos: Sequence[Photo], near_pairs: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the (photos,) number of what must not be divided: a group, or groups with near copies in common."""
    first: dict[str, int] = {}
    same_group = [(first.setdefault(photo.group, index), index) for index, photo in enumerate(photos)]
    return cluster(len(photos), np.concatenate([np.array(same_group, np.int64).reshape(-1, 2), near_pairs]))


def _split_off_rare(photos: Sequence[Photo], units: NDArray[np.int32]) -> tuple[list[int], list[str]]:
    """Return the indices of photos whose class has a unit for each fold, and the names of the other classes."""
    units_of: dict[str, set[int]] = {}
    for photo, unit in zip(photos, units, strict=True):
        units_of.setdefault(photo.label, set()).add(int(unit))
    few = sorted(label for label, present in units_of.items() if len(present) < _FOLDS)
    return [index for index, photo in enumerate(photos) if photo.label not in few], few


def _tell_rare(labels: Sequence[str]) -> str:
    return f"Labels of {', '.join(labels)} are not judged: a class needs photos of {_FOLDS} groups for that."


def _fit_best(
    features: NDArray[np.float32], targets: NDArray[np.int64], units: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return out-of-sample probabilities under the penalty whose log loss is best, from strong to weak.

    Few photos bear a weak penalty only, many channels need a strong one.
    """
    best, least = np.empty(0), np.inf
    for inverse_penalty in _INVERSE_PENALTIES:
        probabilities = _cross_validate(features, targets, units, inverse_penalty)
        own = probabilities[np.arange(len(targets)), targets]
        # The scikit-learn loss refuses the rounding of float32; a class missing in a fold has no probability at all.
        loss = -float(np.log(np.maximum(own, np.finfo(np.float32).eps)).mean())
        if loss > least:
            break
        best, least = probabilities, loss
    return best


def _cross_validate(
    features: NDArray[np.float32], targets: NDArray[np.int64], units: NDArray[np.int32], inverse_penalty: float
) -> NDArray[np.float64]:
    """Return (photos, classes) probabilities, each photo's from a model that has not seen its unit."""
    probabilities = np.zeros((len(targets), int(targets.max()) + 1))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for training, rest in folds.split(features, targets, units):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=1000))
        model.fit(features[training], targets[training])
        # A fold may lack a class whose photos are nearly all of one group.
        probabilities[np.ix_(rest, model.classes_)] = model.predict_proba(features[rest])
    return probabilities


def _judge(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], labels: Sequence[str], photos: Sequence[Photo]
) -> Iterator[Finding]:
    answers = find_disagreements(probabilities, targets)
    suspects = np.flatnonzero(answers >= 0)
    for index in suspects[np.argsort(-probabilities[suspects, answers[suspects]], kind="stable")]:
        seems, probability = labels[answers[index]], float(probabilities[index, answers[index]])
        label, own = photos[index].label, float(probabilities[index, targets[index]])
        message = f"Labelled {label} ({own:.0%}), seems to be {seems} ({probability:.0%})."
        values = {"label": label, "label_probability": own, "seems": seems, "seems_probability": probability}
        yield Finding(Kind.LABEL, Severity.WARNING, message, (photos[index],), values)
