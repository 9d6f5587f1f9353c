import re

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.parity.classes import describe_classes
from convert.parity.classifier import measure_classifier
from convert.parity.detector import measure_detector
from edge_runtime.results import Detection
from edge_runtime.spec import DetectionSpec
from edge_runtime.training_run import BoxRow, Split, SplitRow

LABELS = ("bag", "hat", "shoe")
BOX = (0.0, 0.0, 10.0, 10.0)


def rows(*labels: str) -> list[SplitRow]:
    return [SplitRow(f"{at}.jpg", label, "", Split.VALIDATION, "") for at, label in enumerate(labels)]


def cells(page: str) -> list[list[str]]:
    """Return what stands in the rows of the only table, without its header."""
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in body.split("</tr>") if "<th>" in row]


def test_a_classifiers_recall_and_precision_stand_beside_keras() -> None:
    first = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0]], np.float32)
    last = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.6, 0.4, 0.0]], np.float32)
    page = describe_classes(measure_classifier({"keras": first, "int8": last}, rows("bag", "hat", "hat"), LABELS))
    assert cells(page) == [
        ["bag", "1", "100.0", "100.0", "+0.0", "33.3", "50.0", "-16.7"],
        ["hat", "2", "0.0", "50.0", "-50.0", "-", "100.0", "-"],
    ]


def test_a_detectors_average_precision_stands_beside_keras_under_its_curve() -> None:
    photos = rows("bag", "hat")
    truth = [BoxRow("0.jpg", "bag", *BOX), BoxRow("1.jpg", "hat", *BOX)]
    first = [(Detection("bag", 0.9, BOX),), (Detection("hat", 0.9, BOX),)]
    last = [(Detection("bag", 0.9, (0.0, 0.0, 10.0, 7.2)),), ()]
    page = describe_classes(measure_detector({"keras": first, "int8": last}, photos, truth, DetectionSpec(LABELS, 0.5)))
    assert cells(page) == [
        ["bag", "1", "0.500", "1.000", "-0.500", "1.000", "1.000", "+0.000"],
        ["hat", "1", "0.000", "1.000", "-1.000", "0.000", "1.000", "-1.000"],
    ]
    assert page.index("int8: precision against recall") < page.index("<table")
    assert "shoe" not in page
