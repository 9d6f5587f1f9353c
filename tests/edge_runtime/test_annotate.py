import cv2
import numpy as np
import pytest

from edge_runtime import text
from edge_runtime.annotate import annotate
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes

_LABELS = (Classification("longsleeve", 0.9), Classification("t-shirt", 0.1))


def _result(
    classifications: tuple[Classification, ...] = _LABELS, detections: tuple[Detection, ...] | None = None
) -> FrameResult:
    return FrameResult("a.jpg", 0, 0.0, 1, 1, classifications, detections, StageTimes(0, 0, 0, 0), "0" * 64)


def _changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def test_the_frame_itself_stays_as_it_is() -> None:
    frame = np.full((300, 400, 3), 90, np.uint8)
    drawn = annotate(frame, _result())
    assert (frame == 90).all()
    assert drawn.shape == frame.shape
    assert _changed(frame, drawn).any()


def test_nothing_recognised_draws_nothing() -> None:
    frame = np.full((300, 400, 3), 90, np.uint8)
    assert (annotate(frame, _result(())) == frame).all()


@pytest.mark.parametrize("level", [0, 255])
def test_text_stands_out_on_dark_and_light(level: int) -> None:
    frame = np.full((300, 400, 3), level, np.uint8)
    drawn = annotate(frame, _result())
    panel = drawn[_changed(frame, drawn)].astype(int)
    assert panel.max() == 255 or level == 255
    assert np.median(panel.mean(axis=1)) < 130


@pytest.mark.parametrize(("height", "width"), [(200, 150), (360, 480), (3000, 4000)])
def test_the_panel_is_inside_and_in_proportion(height: int, width: int) -> None:
    frame = np.full((height, width, 3), 200, np.uint8)
    rows, columns = np.nonzero(_changed(frame, annotate(frame, _result())))
    assert rows.min() > 0
    assert 0.15 < (columns.max() - columns.min()) / width < 0.9
    assert columns.max() < width - 1


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (20, 600), (600, 20)])
def test_tiny_and_narrow_pictures_do_not_break(size: tuple[int, int]) -> None:
    box = (Detection("pants", 0.5, (-5.0, -5.0, 1000.0, 1000.0)),)
    assert annotate(np.zeros((*size, 3), np.uint8), _result(_LABELS, box)).shape == (*size, 3)


def test_a_longer_bar_means_a_higher_score() -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    low, high = (annotate(frame, _result((Classification("hat", score),))) for score in (0.1, 0.9))
    assert high[..., 0].sum() > low[..., 0].sum()


def test_boxes_are_drawn_where_they_are() -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    drawn = annotate(frame, _result((), (Detection("pants", 0.9, (100.0, 120.0, 300.0, 250.0)),)))
    changed = _changed(frame, drawn)
    assert changed[120:250, 100].all()
    assert changed[250, 100:300].all()
    assert not changed[140:240, 110:290].any()


def test_texts_of_boxes_at_one_place_hide_each_other_nowhere() -> None:
    frame = np.zeros((400, 600, 3), np.uint8)
    boxes = tuple(Detection(label, 0.9, (50.0, 100.0, 590.0, 390.0)) for label in ("jacket", "shirt", "dress"))
    # A plate is as high as a line of text; besides, only the box's own edges cross the column.
    heights = [int(_changed(frame, annotate(frame, _result((), boxes[:count])))[:, 65].sum()) for count in (1, 2, 3)]
    assert min(np.diff(heights)) > 20


def test_a_picture_full_of_texts_has_them_all_the_same() -> None:
    frame = np.zeros((60, 200, 3), np.uint8)
    boxes = tuple(Detection("jacket", 0.9, (0.0, 0.0, 199.0, 59.0)) for _ in range(9))
    assert _changed(frame, annotate(frame, _result((), boxes))).any()


@pytest.mark.parametrize("label", ["Träger-Hemd", "рубашка", "衬衫", "", "👕"])
def test_labels_of_any_script_are_drawn(label: str) -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    assert _changed(frame, annotate(frame, _result((Classification(label, 0.5),)))).any()


def test_an_opencv_without_true_type_draws_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_true_type", lambda: None)
    frame = np.zeros((200, 300, 3), np.uint8)
    drawn = annotate(frame, _result((Classification("Träger", 0.0),)))
    assert (drawn == 255).any()
    assert text.text_width("Träger", 30) == pytest.approx(cv2.getTextSize("Trager", 0, 0.75, 2)[0][0], rel=0.5)
