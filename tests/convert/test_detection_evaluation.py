import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.box_pairs import Answers, pair_stages, report_boxes
from convert.detection_evaluation import StagePrecision, compare_detections
from convert.stage_tables import format_stages
from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection

LABELS = ("bag", "hat")
RESAMPLED = {stage: np.linspace(0, 1, 101) for stage in ("float", "int8")}
BOX = (0.0, 0.0, 10.0, 10.0)


def found(label: str, score: float, x_min: float = 0.0) -> Detection:
    return Detection(label, score, (x_min, 0.0, x_min + 10.0, 10.0))


def compare(answers: dict[str, Answers], truth: list[list[TrueBox]]) -> tuple[StagePrecision, ...]:
    reported = {stage: report_boxes(each, 0.5) for stage, each in answers.items()}
    paired = {stage: pair_stages(reported["float"], boxes) for stage, boxes in reported.items()}
    return compare_detections(answers, paired, truth, LABELS, RESAMPLED)


def test_stages_are_measured_against_truth_and_first_stage() -> None:
    """One of the first stage's two boxes is shifted by a tenth, the other one is called a hat."""
    truth = [[TrueBox("bag", BOX)]] * 20
    answers = {
        "float": [(found("bag", 0.9),), (found("bag", 0.8),)] * 10,
        "int8": [(found("bag", 0.9, 1.0),), (found("hat", 0.8),)] * 10,
    }
    float32, int8 = compare(answers, truth)
    assert (float32.map, float32.map50, float32.agreement, float32.iou) == pytest.approx((1, 1, 1, 1))
    assert (int8.agreement, int8.iou) == pytest.approx((0.5, 90 / 110))
    assert (int8.low, int8.high) == pytest.approx((0.025, 0.975))
    # Half of the truth is found, at 7 of the 10 IoU thresholds; of 101 recall points 51 are up to one half.
    assert (int8.map50, int8.map) == pytest.approx((51 / 101, 0.7 * 51 / 101))


def test_boxes_below_the_threshold_count_for_precision_only() -> None:
    truth = [[TrueBox("bag", BOX)]]
    answers = {"float": [(found("bag", 0.4),)], "int8": [()]}
    float32, int8 = compare(answers, truth)
    assert (float32.map, int8.map) == pytest.approx((1, 0))
    assert (int8.agreement, int8.iou) == (None, None)


def test_what_is_not_known_is_a_dash() -> None:
    _, int8 = compare({"float": [(found("bag", 0.4),)], "int8": [()]}, [[TrueBox("bag", BOX)]])
    assert (int8.low, int8.high) == (None, None)
    _, line = format_stages([int8])
    assert line.split() == ["int8", "0.000", "-", "0.000", "-", "-"]


def test_a_box_is_the_partner_of_one_box_only() -> None:
    answers = {"float": [(found("bag", 0.9), found("bag", 0.8, 1.0))], "int8": [(found("bag", 0.9),)]}
    assert compare(answers, [[TrueBox("bag", BOX)]])[1].agreement == pytest.approx(2 / 3)
