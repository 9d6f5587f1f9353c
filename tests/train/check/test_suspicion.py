import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from train.check.suspicion import _join, find_disagreements, find_suspicious_labels
from train.data.photos import Photo

_NO_PAIRS = np.empty((0, 2), np.int64)


def make_photos(labels: list[str]) -> tuple[Photo, ...]:
    return tuple(Photo(f"{index}.jpg", label, f"sender {index // 2}") for index, label in enumerate(labels))


def test_a_disagreement_needs_the_usual_confidence_of_its_class() -> None:
    # Mean probability of its own label: class 0 (.9 + .98 + .05) / 3 = .64, class 1 (.96 + .1 + .9) / 3 = .65.
    scores = np.array([[0.9, 0.1], [0.98, 0.02], [0.05, 0.95], [0.04, 0.96], [0.9, 0.1], [0.1, 0.9]])
    assert find_disagreements(scores, np.array([0, 0, 0, 1, 1, 1])).tolist() == [-1, -1, 1, -1, 0, -1]
    # Surer than usual is not sure enough below 0.8.
    weak = np.array([[0.6, 0.4], [0.25, 0.75], [0.4, 0.6], [0.45, 0.55]])
    assert find_disagreements(weak, np.array([0, 0, 1, 1])).tolist() == [-1] * 4


def test_a_wrong_label_is_found_and_the_right_one_named() -> None:
    random = np.random.default_rng(0)
    truth = [("hat", "pants", "shoes")[index % 3] for index in range(90)]
    centres = {"hat": 0, "pants": 1, "shoes": 2}
    features = np.array([6 * np.eye(8)[centres[label]] + random.normal(0, 0.5, 8) for label in truth], np.float32)
    labels = list(truth)
    labels[7] = "hat"
    findings, skipped = find_suspicious_labels(features, make_photos(labels), _NO_PAIRS)
    assert [(each.photos[0].image, each.values["seems"]) for each in findings] == [("7.jpg", "pants")]
    assert findings[0].message.startswith("Labelled hat (")
    assert skipped == ()


def test_near_copies_are_judged_together_with_their_groups() -> None:
    # Senders of two photos each; photos 1 and 4, of the first and the third, are near copies.
    units = _join(make_photos(["hat"] * 6), np.array([[1, 4]]))
    assert units[0] == units[1] == units[4] == units[5]
    assert units[2] == units[3] != units[0]


def test_rare_classes_are_not_judged_and_this_is_said() -> None:
    features = np.zeros((12, 4), np.float32)
    findings, skipped = find_suspicious_labels(features, make_photos(["hat"] * 10 + ["shoes"] * 2), _NO_PAIRS)
    assert findings == ()
    assert skipped[0].startswith("Labels of shoes are not judged")
