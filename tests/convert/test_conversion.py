import hashlib
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from ai_edge_litert.interpreter import Interpreter  # noqa: E402

from convert.cli import main  # noqa: E402
from edge_runtime.errors import ConversionError, DataError, OutputError, RunError  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun  # noqa: E402


def test_the_file_keeps_the_contract(converted: tuple[Path, str], trained_run: TrainingRun) -> None:
    interpreter = Interpreter(model_content=converted[0].read_bytes())
    (image,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["dtype"], image["shape"].tolist()) == (np.uint8, [1, 32, 32, 3])
    assert (scores["dtype"], scores["shape"].tolist()) == (np.uint8, [1, 3])
    # A fresh interpreter has not applied a delegate yet, so these are the file's own tensors.
    assert {tensor["dtype"] for tensor in interpreter.get_tensor_details()} <= {np.uint8, np.int8, np.int32}
    spec = Recognizer.load(converted[0]).spec
    assert spec.heads == trained_run.read_spec().heads
    assert spec.input == trained_run.read_spec().input


def test_the_file_carries_where_it_comes_from(converted: tuple[Path, str], trained_run: TrainingRun) -> None:
    provenance = Recognizer.load(converted[0]).spec.provenance
    assert provenance["calibration"]["source"] == "photos"
    assert [stage["stage"] for stage in provenance["measured"]] == ["keras float32", "tflite float32", "tflite int8"]
    manifest = (converted[0].parent / "model.parity" / "calibration.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == provenance["calibration"]["manifest_sha256"]
    held_out = {row.sha256 for row in trained_run.read_splits(Split.VALIDATION)}
    assert not held_out & {photo["sha256"] for photo in json.loads(manifest)["photos"]}
    # It may be of others, or be converted again.
    assert not (trained_run.path / "calibration.json").exists()


def test_the_table_has_every_stage_with_its_interval(converted: tuple[Path, str]) -> None:
    lines = converted[1].splitlines()
    assert [line[:14].strip() for line in lines[1:4]] == ["keras float32", "tflite float32", "tflite int8"]
    assert "sha256" in lines[4]


def test_a_conversion_leaves_its_report_beside_the_file(converted: tuple[Path, str]) -> None:
    path, _ = converted
    report = json.loads((path.parent / "model.parity" / "parity.json").read_text())
    assert report["model"]["sha256"] == Recognizer.load(path).model_sha256
    assert report["model"]["sizes"]["tflite int8"] == path.stat().st_size
    assert [stage["stage"] for stage in report["stages"]] == ["keras float32", "tflite float32", "tflite int8"]
    # The file says nothing of the classes: it must not grow with them.
    stages = [{name: value for name, value in stage.items() if name != "labels"} for stage in report["stages"]]
    assert stages == Recognizer.load(path).spec.provenance["measured"]
    assert [each["label"] for each in report["stages"][0]["labels"]] == ["hat", "pants", "shoes"]
    assert report["operations"]["SOFTMAX"] == 1
    assert report["float_tensors"] == 0
    kinds = {layer["kind"] for layer in report["layers"]}
    assert {"CONV_2D", "FULLY_CONNECTED"} <= kinds


def test_the_page_stands_alone_and_says_what_was_measured(converted: tuple[Path, str]) -> None:
    page = (converted[0].parent / "model.parity" / "parity.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert 'src="http' not in page
    assert page.count("<svg") == 3
    assert "XNNPACK" in page


def test_moved_photos_are_asked_for_and_drawings_offered(trained_run: TrainingRun, tmp_path: Path) -> None:
    command = [str(trained_run.path), "-o", str(tmp_path / "m.tflite"), "--images", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == DataError.exit_code
    assert "--images" in result.stderr
    assert "--drawn" in result.stderr
    assert not (tmp_path / "m.tflite").exists()


def test_drawn_calibration_needs_no_photos_and_says_so(
    trained_run: TrainingRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("parity.html", "calibration.json", "notes.txt"):
        (tmp_path / "m.parity").mkdir(exist_ok=True)
        (tmp_path / "m.parity" / name).write_text("of the file of yesterday")
    command = [str(trained_run.path), "-o", str(tmp_path / "m.tflite"), "--drawn", "--calibration-images", "10"]
    command += ["--model-version", "2026-12 κ"]
    with caplog.at_level(logging.INFO):
        result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "not measured" in result.stdout
    assert "calibrating on 10 DRAWN garments" in caplog.text
    assert f"removed {tmp_path / 'm.parity' / 'parity.html'}" in caplog.text
    assert [path.name for path in (tmp_path / "m.parity").iterdir()] == ["notes.txt"]
    spec = Recognizer.load(tmp_path / "m.tflite").spec
    assert spec.provenance["calibration"]["source"] == "drawn"
    assert spec.version == "2026-12 κ"


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path), "-o", str(tmp_path / "m.tflite")])
    assert result.exit_code == RunError.exit_code
    assert "has no model.json" in result.stderr


def test_a_damaged_keras_file_is_refused(trained_run: TrainingRun, tmp_path: Path) -> None:
    copy = shutil.copytree(trained_run.path, tmp_path / "run")
    (copy / "model.keras").write_bytes(b"not a model")
    result = CliRunner().invoke(main, [str(copy), "-o", str(tmp_path / "m.tflite")])
    assert result.exit_code == RunError.exit_code
    assert "does not load" in result.stderr


def test_an_unwritable_place_is_refused_before_the_long_work(
    trained_run: TrainingRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(main, [str(trained_run.path), "-o", str(tmp_path / "file" / "m.tflite")])
    assert result.exit_code == OutputError.exit_code
    assert "calibrating" not in caplog.text


def test_errors_have_their_own_codes() -> None:
    codes = [error.exit_code for error in (ConversionError, DataError, OutputError, RunError)]
    assert len(set(codes)) == 4
