import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.parity.classifier import measure_classifier
from edge_runtime.training_run import Split, SplitRow

LABELS = ("hat", "shirt")


def rows(*labels: str) -> list[SplitRow]:
    return [SplitRow(f"{at}.jpg", label, "", Split.VALIDATION, "") for at, label in enumerate(labels)]


@pytest.fixture(scope="module")
def measured():  # noqa: ANN201
    """Of five photos, int8 loses the second, gains the third, and mistakes the fifth otherwise than Keras does not."""
    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.3, 0.7]], np.float32)
    last = np.array([[0.8, 0.2], [0.4, 0.6], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], np.float32)
    stages = {"keras": first, "float": first, "int8": last}
    return measure_classifier(stages, rows("hat", "hat", "shirt", "shirt", "hat"), LABELS)


def test_agreement_is_with_keras_and_not_with_the_truth(measured) -> None:  # noqa: ANN001
    assert measured.agreement.value == pytest.approx(3 / 5)
    assert measured.agreement.low < 3 / 5 < measured.agreement.high
    assert [stage.agreement for stage in measured.stages] == pytest.approx([1, 1, 3 / 5])


def test_what_is_lost_and_gained_is_told_apart(measured) -> None:  # noqa: ANN001
    flips = measured.change.flips
    assert (flips.only_first, flips.only_second) == (1, 1)
    assert measured.change.difference.value == 0.0


def test_each_class_is_told_by_what_is_found_of_it_and_how_often_it_is_meant(measured) -> None:  # noqa: ANN001
    before, after = measured.stages[0].labels, measured.stages[-1].labels
    told = [(each.label, each.photos, each.recall, each.precision) for each in (*before, *after)]
    assert told == [
        ("hat", 3, pytest.approx(2 / 3), pytest.approx(2 / 3)),
        ("shirt", 2, pytest.approx(1 / 2), pytest.approx(1 / 2)),
        ("hat", 3, pytest.approx(1 / 3), pytest.approx(1.0)),
        ("shirt", 2, pytest.approx(1.0), pytest.approx(1 / 2)),
    ]


def test_a_class_that_is_never_answered_has_no_precision_and_one_without_photos_is_not_told() -> None:
    scores = np.array([[0.1, 0.9]], np.float32)
    (told,) = measure_classifier({"keras": scores, "int8": scores}, rows("hat"), LABELS).stages[0].labels
    assert (told.label, told.recall, told.precision) == ("hat", 0.0, None)


def test_drift_is_of_the_label_that_keras_gave(measured) -> None:  # noqa: ANN001
    exact, rounded = measured.drifts
    assert (exact.mean, exact.largest) == (0.0, 0.0)
    assert (rounded.mean, rounded.largest) == pytest.approx(((0.1 + 0.2 + 0.3) / 5, 0.3), abs=1e-6)


def test_different_answers_come_with_the_surest_first(measured) -> None:  # noqa: ANN001
    assert [each.image for each in measured.disagreements] == ["2.jpg", "1.jpg"]
    worst = measured.disagreements[0]
    assert (worst.true, worst.first.label, worst.last.label) == ("shirt", "hat", "shirt")
    assert (worst.first.score, worst.last.score) == pytest.approx((0.7, 0.6))
