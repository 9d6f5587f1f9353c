import numpy as np
import pytest

from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection
from train.detection.judging import judge_photo
from train.detection.pictures import draw_judgement


@pytest.mark.parametrize(("shape", "wanted"), [((120, 90), (240, 180)), ((5000, 4), (240, 1)), ((4, 5000), (1, 240))])
def test_judged_photos_are_shown_at_one_length_in_whatever_shape(
    shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    height, width = shape
    box = (0.0, 0.0, width / 2, height / 2)
    judged = judge_photo([Detection("hat", 0.9, box)], [TrueBox("hat", box)])
    assert draw_judgement(np.full((*shape, 3), 90, np.uint8), judged, 240).shape == (*wanted, 3)
