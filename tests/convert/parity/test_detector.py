import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.parity.detector import measure_detector
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec
from edge_runtime.training_run import BoxRow, Split, SplitRow

SPEC = DetectionSpec(("bag", "hat"), threshold=0.5)
ROWS = [SplitRow(f"{at}.jpg", "bag", "", Split.VALIDATION, "") for at in range(24)]
TRUTH = [BoxRow(row.image, "bag", 0, 0, 10, 10) for row in ROWS]


def bag(score: float, x_min: float = 0.0) -> Detection:
    return Detection("bag", score, (x_min, 0.0, x_min + 10.0, 10.0))


@pytest.fixture(scope="module")
def measured():  # noqa: ANN201
    """Of three photos int8 moves the first's box by a tenth, loses the second's, and is 0.1 less sure of the third's.

    There are eight of each.
    """
    first = [(bag(0.9),), (bag(0.8),), (bag(0.9), bag(0.1, 50))]
    last = [(bag(0.9, 1.0),), (), (bag(0.8),)]
    return measure_detector({"keras": first * 8, "int8": last * 8}, ROWS, TRUTH, SPEC)


def test_agreement_counts_boxes_of_both(measured) -> None:  # noqa: ANN001
    assert measured.agreement.value == pytest.approx(4 / 5)
    assert 0.5 < measured.agreement.low < 4 / 5 < measured.agreement.high < 1.0


@pytest.mark.parametrize(("last", "low", "high"), [((bag(0.9),), 0.4385, 1.0), ((), 0.0, 0.5615)])
def test_few_photos_that_all_agree_alike_leave_doubt(last: tuple[Detection, ...], low: float, high: float) -> None:
    """Wilson's interval of none or all of three photos: 1.96^2 / (3 + 1.96^2) are in doubt."""
    agreement = measure_detector({"keras": [(bag(0.9),)] * 3, "int8": [last] * 3}, ROWS[:3], TRUTH, SPEC).agreement
    assert (agreement.low, agreement.high) == pytest.approx((low, high), abs=1e-3)


def test_boxes_of_both_tell_how_far_place_and_score_drift(measured) -> None:  # noqa: ANN001
    assert sorted(measured.overlaps) == pytest.approx([90 / 110] * 8 + [1.0] * 8)
    (drift,) = measured.drifts
    assert (drift.mean, drift.largest) == pytest.approx((0.05, 0.1))


def test_the_change_of_map_has_an_interval(measured) -> None:  # noqa: ANN001
    """Whatever photos are drawn, int8 is never better."""
    difference = measured.change.difference
    assert difference.value == pytest.approx(measured.stages[1].map - measured.stages[0].map)
    assert -1.0 <= difference.low < difference.value < difference.high <= 0.0


def test_a_lost_box_is_shown_as_only_the_first_stages(measured) -> None:  # noqa: ANN001
    lost, *others = measured.disagreements
    assert len(others) == 7
    assert (lost.image, lost.agreement) == ("1.jpg", 0.0)
    assert (lost.shared, lost.first_only, lost.last_only) == ((), (bag(0.8),), ())


def test_few_photos_with_boxes_give_no_interval_however_many_have_none() -> None:
    """Of 24 photos 19 have a box each, of which int8 loses every other one."""
    first, last = [(bag(0.9),)] * 19 + [()] * 5, [(bag(0.9),), ()] * 9 + [(bag(0.9),)] + [()] * 5
    measured = measure_detector({"keras": first, "int8": last}, ROWS, TRUTH[:19], SPEC)
    for estimate in (*measured.stages, measured.change.difference, measured.agreement):
        assert (estimate.low, estimate.high) == (None, None)


def test_draws_without_a_box_do_not_count() -> None:
    """One photo of 24 has boxes, and none of them is found in place; a draw without it would agree and lose nothing."""
    first, last = [(bag(0.9),), *[()] * 23], [(bag(0.9, 40),), *[()] * 23]
    measured = measure_detector({"keras": first, "int8": last}, ROWS, TRUTH[:1], SPEC)
    assert measured.agreement.value == 0.0
    # Wilson's of none of one.
    assert (measured.agreement.low, measured.agreement.high) == pytest.approx((0.0, 0.7935), abs=1e-3)


def test_stages_that_report_nothing_are_not_known_to_agree() -> None:
    first, last = [(bag(0.4),)] * 24, [(bag(0.4, 40),)] * 24
    measured = measure_detector({"keras": first, "int8": last}, ROWS, TRUTH, SPEC)
    assert measured.agreement is None
    assert [stage.agreement for stage in measured.stages] == [None, None]
    (drift,) = measured.drifts
    assert (drift.mean, drift.percentile_95, drift.largest) == (None, None, None)
