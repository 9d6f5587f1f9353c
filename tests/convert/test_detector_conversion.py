import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the train extra")

from ai_edge_litert.interpreter import Interpreter

from convert.cli import main
from edge_runtime.errors import ConversionError, RunError
from edge_runtime.recognizer import Recognizer
from edge_runtime.training_run import TrainingRun

STAGES = ["keras float32", "tflite float32", "tflite int8"]


def test_the_file_keeps_the_contract(converted_detector: tuple[Path, str], detector_run: TrainingRun) -> None:
    interpreter = Interpreter(model_content=converted_detector[0].read_bytes())
    (image,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["dtype"], image["shape"].tolist()) == (np.uint8, [1, 32, 32, 3])
    assert [output["shape"].tolist() for output in outputs] == [[1, 10, 4], [1, 10], [1, 10], [1]]
    assert {output["dtype"] for output in outputs} == {np.float32}
    recognizer = Recognizer.load(converted_detector[0])
    assert recognizer.spec.detection == detector_run.read_spec().detection
    assert recognizer.spec.input == detector_run.read_spec().input


def test_only_the_tail_is_float(converted_detector: tuple[Path, str]) -> None:
    tensors = Interpreter(model_content=converted_detector[0].read_bytes()).get_tensor_details()
    floats = [tensor["shape"].tolist() for tensor in tensors if tensor["dtype"] == np.float32]
    # Encodings, scores and anchors, then the four outputs.
    assert sorted(floats) == sorted([[1, 20, 4], [1, 20, 3], [20, 4], [1, 10, 4], [1, 10], [1, 10], [1]])
    assert {tensor["dtype"] for tensor in tensors} == {np.float32, np.int8, np.int32, np.uint8}


def test_known_boxes_come_out_at_every_stage(converted_detector: tuple[Path, str]) -> None:
    header, *lines, last = converted_detector[1].splitlines()
    assert header.split() == ["stage", "mAP", "95", "%", "interval", "mAP50", "agreement", "IoU"]
    assert [line[:22].strip() for line in lines] == STAGES
    assert [line[22:].split()[:5] for line in lines] == [["1.000", "-", "1.000", "100.0", "%"]] * 3
    assert "measured on 8 validation photos" in last
    measured = Recognizer.load(converted_detector[0]).spec.provenance["measured"]
    assert [stage["stage"] for stage in measured] == STAGES
    assert min(stage["agreement"] for stage in measured) == 1.0
    assert measured[1]["iou"] == pytest.approx(1.0, abs=1e-5)
    assert measured[2]["iou"] > 0.98


def test_the_finished_file_answers_a_photo(converted_detector: tuple[Path, str], detector_run: TrainingRun) -> None:
    box = detector_run.read_boxes()[5]
    frame = cv2.imread(str(detector_run.path.parent / box.image))
    (found,) = Recognizer.load(converted_detector[0]).detect(frame)
    assert found.label == box.label
    # One int8 step of these encodings is below 0.01 of an anchor, here 64 x 32 pixels.
    assert found.box == pytest.approx((box.x_min, box.y_min, box.x_max, box.y_max), abs=0.5)


def test_anchors_of_another_run_are_refused(detector_run: TrainingRun, tmp_path: Path) -> None:
    copy = TrainingRun(shutil.copytree(detector_run.path, tmp_path / "run"))
    copy.write_anchors(detector_run.read_anchors()[:-1])
    result = CliRunner().invoke(main, [str(copy.path), "-o", str(tmp_path / "m.tflite")])
    assert result.exit_code == ConversionError.exit_code
    assert "19 anchors and 3 labels do not fit" in result.stderr
    copy.anchors_path.unlink()
    result = CliRunner().invoke(main, [str(copy.path), "-o", str(tmp_path / "m.tflite")])
    assert result.exit_code == RunError.exit_code
    assert "has no anchors.npy" in result.stderr
    assert not (tmp_path / "m.tflite").exists()
