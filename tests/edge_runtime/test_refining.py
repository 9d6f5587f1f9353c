import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime import Detection, FrameResult, Recognizer, StageTimes
from edge_runtime.annotate import annotate
from edge_runtime.cli import edge_run
from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import ModelError
from edge_runtime.refining import cut, refine
from edge_runtime.results import Classification, Recognition

Invoke = Callable[..., Result]


@pytest.fixture
def frame() -> np.ndarray:
    """A red cell in row 1, column 2 and a blue one in row 3, column 0 of 4 x 4, on black."""
    image = np.zeros((400, 400, 3), np.uint8)
    image[100:200, 200:300, 2] = 255
    image[300:400, 0:100, 0] = 255
    return image


@pytest.fixture
def picture(frame: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "cells.png"
    cv2.imwrite(str(path), frame)
    return path


@pytest.fixture
def invoke(tiny_detector: Path) -> Invoke:
    """Run `edge-run` in this process on the tiny detector."""
    return lambda *arguments: CliRunner().invoke(edge_run, [*map(str, arguments), "--model", str(tiny_detector)])


def test_each_box_gets_the_classifiers_labels(
    frame: np.ndarray, tiny_detector_bytes: bytes, tiny_recognizer: Recognizer
) -> None:
    """The tiny classifier calls red a dress; of its ten hues, the blue of 240 degrees lies between two."""
    plain = Recognizer(tiny_detector_bytes, threads=1).recognize(frame)
    answer = Recognizer(tiny_detector_bytes, threads=1, classifier=tiny_recognizer).recognize(frame, top_k=2)
    assert plain.detections is not None
    assert answer.detections is not None
    assert [(each.label, each.score, each.box) for each in answer.detections] == [
        (each.label, each.score, each.box) for each in plain.detections
    ]
    crops = [tiny_recognizer.classify(cut(frame, each.box), top_k=2) for each in plain.detections]
    assert [each.classifications for each in answer.detections] == crops
    assert [len(each) for each in crops] == [2, 2]
    assert crops[0][0].label == GARMENTS[0]
    assert crops[1][0].label != GARMENTS[0]


def test_a_box_with_several_labels_is_looked_at_once(frame: np.ndarray) -> None:
    seen: list[tuple[int, ...]] = []

    def look(image: np.ndarray) -> Recognition:
        seen.append(image.shape)
        return Recognition((Classification("hat", 0.9),), None, 1.0, 2.0, 3.0)

    boxes = [(0.0, 0.0, 100.0, 100.0), (0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 250.0, 50.0)]
    detections = tuple(Detection(label, 0.5, box) for label, box in zip("abc", boxes, strict=True))
    answer = refine(Recognition((), detections, 0.0, 0.0, 0.0), detections, frame, look)
    assert len(seen) == 2
    assert answer.inference_ms == 4.0
    assert answer.detections is not None
    assert [each.label for each in answer.detections] == ["a", "b", "c"]
    assert all(each.classifications == (Classification("hat", 0.9),) for each in answer.detections)


def test_times_are_those_of_both_models(
    frame: np.ndarray, tiny_detector_bytes: bytes, tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer(tiny_detector_bytes, threads=1, classifier=tiny_recognizer)
    clock = iter(range(1000))
    monkeypatch.setattr("edge_runtime.recognizer.time.perf_counter", lambda: next(clock))
    answer = recognizer.recognize(frame)
    # One second a stage, for the frame and for each of two boxes.
    assert (answer.preprocess_ms, answer.inference_ms, answer.postprocess_ms) == (3000, 3000, 3000)


def test_nothing_found_asks_no_classifier(tiny_detector_bytes: bytes, tiny_recognizer: Recognizer) -> None:
    recognizer = Recognizer(tiny_detector_bytes, threads=1, classifier=tiny_recognizer)
    assert recognizer.recognize(np.zeros((8, 8, 3), np.uint8)).detections == ()


def test_models_of_the_wrong_kind_are_told_apart(
    tiny_detector_bytes: bytes, tiny_model_bytes: bytes, tiny_recognizer: Recognizer
) -> None:
    with pytest.raises(ModelError, match=r"tiny-detector is a detector, but .* give a classifier's file"):
        Recognizer(tiny_detector_bytes, classifier=Recognizer(tiny_detector_bytes))
    with pytest.raises(ModelError, match=r"tiny is a classifier and finds no boxes .* give a detector's file"):
        Recognizer(tiny_model_bytes, classifier=tiny_recognizer)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((20.0, 40.0, 60.0, 60.0), slice(39, 61), slice(18, 62)),
        ((0.0, 0.0, 100.0, 80.0), slice(0, 80), slice(0, 100)),
        ((99.2, 79.2, 99.4, 79.4), slice(79, 80), slice(99, 100)),
    ],
)
def test_a_box_is_cut_with_its_margin(box: tuple[float, ...], rows: slice, columns: slice) -> None:
    image = np.arange(80 * 100 * 3, dtype=np.uint8).reshape(80, 100, 3)
    x_min, y_min, x_max, y_max = box
    np.testing.assert_array_equal(cut(image, (x_min, y_min, x_max, y_max)), image[rows, columns])


class TestCommand:
    def test_json_has_boxes_and_no_labels_of_a_classifier(self, invoke: Invoke, picture: Path) -> None:
        (line,) = invoke(picture, "--json").stdout.splitlines()
        values = json.loads(line)
        assert [found["label"] for found in values["detections"]] == ["red", "blue"]
        assert set(values["detections"][0]) == {"label", "score", "box"}
        assert values["detections"][0]["box"][:1] == pytest.approx([190])
        assert values["classifications"] == []
        assert "classifier_sha256" not in values

    def test_a_classifier_adds_its_labels_and_its_hash(self, invoke: Invoke, picture: Path, tiny_model: Path) -> None:
        result = invoke(picture, "--json", "--classifier", tiny_model, "--top-k", 1)
        values = json.loads(result.stdout)
        assert values["detections"][0]["classifications"][0]["label"] == GARMENTS[0]
        assert values["classifier_sha256"] == Recognizer.load(tiny_model).model_sha256
        assert "Model tiny-detector 1," in result.stderr
        assert "Model tiny 1," in result.stderr

    def test_a_line_has_both_labels(self, invoke: Invoke, picture: Path, tiny_model: Path) -> None:
        assert "red" in invoke(picture).stdout
        assert f"({GARMENTS[0]} " in invoke(picture, "--classifier", tiny_model).stdout

    def test_a_saved_picture_shows_the_boxes(
        self, invoke: Invoke, picture: Path, frame: np.ndarray, tmp_path: Path
    ) -> None:
        assert invoke(picture, "--save", tmp_path / "seen.png").exit_code == 0
        changed = (cv2.imread(str(tmp_path / "seen.png")) != frame).any(axis=2)
        assert changed[:, 188:194].any(axis=1).sum() > 100
        assert not changed[:60, 320:].any()

    def test_nothing_found_is_said(self, invoke: Invoke, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "black.png"), np.zeros((20, 20, 3), np.uint8))
        result = invoke(tmp_path / "black.png")
        assert result.exit_code == 0
        assert "nothing above the threshold" in result.stdout

    @pytest.mark.parametrize("swapped", [True, False])
    def test_a_file_of_the_wrong_kind_ends_in_one_sentence(
        self, swapped: bool, picture: Path, tiny_model: Path, tiny_detector: Path
    ) -> None:
        models = [tiny_model, tiny_model] if swapped else [tiny_detector, tiny_detector]
        arguments = [picture, "--model", models[0], "--classifier", models[1]]
        result = CliRunner().invoke(edge_run, list(map(str, arguments)))
        assert result.exit_code == ModelError.exit_code
        assert [line for line in result.stderr.splitlines() if line.startswith("Error: ")]


def test_a_tag_has_both_labels(frame: np.ndarray, tiny_recognizer: Recognizer) -> None:
    """A longer text covers more of the picture."""

    def covered(detection: Detection) -> int:
        times = StageTimes(0, 0, 0, 0)
        result = FrameResult("a", 0, 0.0, 400, 400, (), (detection,), times, "0" * 64)
        return int((annotate(frame, result) != frame).any(axis=2).sum())

    box = (100.0, 100.0, 300.0, 300.0)
    labels = tiny_recognizer.classify(frame)
    assert covered(Detection("red", 0.9, box, labels)) > covered(Detection("red", 0.9, box)) + 500
