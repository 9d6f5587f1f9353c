import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from convert.cli import main  # noqa: E402
from convert.model_tree import pack_tree, read_tree  # noqa: E402
from edge_runtime.errors import DataError, ModelError, ParityError, RunError  # noqa: E402
from edge_runtime.spec import HeadSpec  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun  # noqa: E402


def test_a_detectors_report_compares_boxes(converted_detector: tuple[Path, str]) -> None:
    folder = converted_detector[0].parent / "squares.parity"
    report = json.loads((folder / "parity.json").read_text())
    assert (report["agreement"]["value"], report["change"]["quantity"]) == (1.0, "mAP")
    assert report["disagreements"] == []
    assert "IoU of the two boxes" in (folder / "parity.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def fragile_run(detector_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A run whose red scores are 1000 times as large before the sigmoid, so int8 has no steps left for the others."""
    run = TrainingRun(shutil.copytree(detector_run.path, tmp_path_factory.mktemp("fragile") / "run"))
    model = keras.models.load_model(run.model_path)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.filters == 3:
            layer.set_weights([values * (1000, 1, 1) for values in layer.get_weights()])
    model.save(run.model_path)
    return run


@pytest.fixture(scope="module")
def failed(fragile_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where its file should not be, and what was said."""
    output = tmp_path_factory.mktemp("failed") / "m.tflite"
    output.write_bytes(b"the file of yesterday")
    (output.parent / "m.parity").mkdir()
    (output.parent / "m.parity" / "calibration.json").write_text("its photos")
    result = CliRunner().invoke(main, [str(fragile_run.path), "-o", str(output), "--min-parity", "0.9"])
    assert result.exit_code == ParityError.exit_code, result.output
    return output, result.stderr


def test_below_the_bound_a_conversion_writes_the_report_only(failed: tuple[Path, str]) -> None:
    output, said = failed
    assert output.read_bytes() == b"the file of yesterday"
    assert (output.parent / "m.parity" / "calibration.json").read_text() == "its photos"
    assert f"{output} was not written" in said
    assert "tflite int8" in said
    assert str(output.parent / "m.parity" / "parity.html") in said
    report = json.loads((output.parent / "m.parity" / "parity.json").read_text())
    assert (report["bound"], report["holds"]) == (0.9, False)
    assert report["agreement"]["value"] < 0.9


def test_a_layer_with_one_channel_too_large_is_named_the_worst(failed: tuple[Path, str]) -> None:
    """Its noise as a whole is small beside the large channel; the median over channels shows what is lost."""
    layers = json.loads((failed[0].parent / "m.parity" / "parity.json").read_text())["layers"]
    worst = min((layer for layer in layers if layer["own"] is not None), key=lambda layer: layer["own"])
    assert (worst["kind"], worst["shape"][-1]) == ("CONV_2D", 3)
    assert worst["cause"] in ("range", "resolution")
    assert worst["own"] < 10
    assert worst["sqnr"] > 30


def test_the_gallery_shows_boxes_that_one_stage_lacks(failed: tuple[Path, str]) -> None:
    page = (failed[0].parent / "m.parity" / "parity.html").read_text(encoding="utf-8")
    assert "Do not ship it" in page
    assert "only Keras" in page
    assert page.count("data:image/jpeg;base64,") >= 1


def test_a_file_made_earlier_is_measured_and_left_as_it_is(
    converted_detector: tuple[Path, str], detector_run: TrainingRun, tmp_path: Path
) -> None:
    file = shutil.copy(converted_detector[0], tmp_path / "squares.tflite")
    before = file.read_bytes()
    command = ["parity", str(detector_run.path), str(file), "--min-parity", "1", "--report", str(tmp_path / "report")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "tflite int8" in result.stdout
    assert json.loads((tmp_path / "report" / "parity.json").read_text())["holds"]
    assert file.read_bytes() == before


def test_test_photos_are_asked_on_demand(
    converted_detector: tuple[Path, str], detector_run: TrainingRun, tmp_path: Path
) -> None:
    run = TrainingRun(shutil.copytree(detector_run.path, tmp_path / "run"))
    first, *others = run.read_splits(Split.VALIDATION)
    run.write_splits([*run.read_splits(Split.TRAIN), replace(first, split=Split.TEST), *others])
    command = ["parity", str(run.path), str(converted_detector[0]), "--split", "test", "--report", str(tmp_path / "r")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "measured on 1 test photos" in result.stdout
    report = json.loads((tmp_path / "r" / "parity.json").read_text())
    assert (report["split"], report["photos"]) == ("test", 1)
    assert "the same 1 test photos" in (tmp_path / "r" / "parity.html").read_text(encoding="utf-8")


def test_a_run_without_test_photos_says_how_to_draw_some(
    converted_detector: tuple[Path, str], detector_run: TrainingRun
) -> None:
    result = CliRunner().invoke(main, ["parity", str(detector_run.path), str(converted_detector[0]), "--split", "test"])
    assert result.exit_code == DataError.exit_code
    assert "--test-share" in result.stderr


def test_a_file_of_another_run_is_refused(detector_run: TrainingRun, tiny_model: Path) -> None:
    result = CliRunner().invoke(main, ["parity", str(detector_run.path), str(tiny_model)])
    assert result.exit_code == ModelError.exit_code
    assert "not made of that run" in result.stderr


def test_a_file_of_another_network_is_refused_and_its_report_left(
    converted_detector: tuple[Path, str], detector_run: TrainingRun, tmp_path: Path
) -> None:
    """Labels and size are often the same where two networks are compared."""
    run = TrainingRun(shutil.copytree(detector_run.path, tmp_path / "run"))
    run.write_spec(replace(run.read_spec(), name="another-network-64"))
    file = Path(shutil.copy(converted_detector[0], tmp_path / "squares.tflite"))
    result = CliRunner().invoke(main, ["parity", str(run.path), str(file)])
    assert result.exit_code == ModelError.exit_code
    assert "another-network-64" in result.stderr
    assert not (tmp_path / "squares.parity").exists()


def test_a_file_of_another_training_of_the_same_network_is_refused(
    converted: tuple[Path, str], trained_run: TrainingRun, tmp_path: Path
) -> None:
    """It may have learnt from the photos that it would be measured on."""
    run = TrainingRun(shutil.copytree(trained_run.path, tmp_path / "run"))
    spec = run.read_spec()
    run.write_spec(replace(spec, provenance={**spec.provenance, "schedule": {"seed": 1}}))
    result = CliRunner().invoke(main, ["parity", str(run.path), str(converted[0]), "--report", str(tmp_path / "r")])
    assert result.exit_code == ModelError.exit_code
    assert "is made of another run" in result.stderr
    assert not (tmp_path / "r").exists()


def test_a_file_of_another_task_is_refused(detector_run: TrainingRun, tiny_detector: Path, tmp_path: Path) -> None:
    spec = detector_run.read_spec()
    TrainingRun(tmp_path).write_spec(replace(spec, heads=(HeadSpec("colour", spec.labels),), detection=None))
    result = CliRunner().invoke(main, ["parity", str(tmp_path), str(tiny_detector)])
    assert result.exit_code == ModelError.exit_code
    assert "is for another task" in result.stderr


@pytest.mark.parametrize("command", ["convert -o {}/m.tflite", "parity", "calibration -o {}"])
def test_a_run_with_labels_of_another_is_refused_before_any_work(
    converted_detector: tuple[Path, str], detector_run: TrainingRun, tmp_path: Path, command: str
) -> None:
    run = TrainingRun(shutil.copytree(detector_run.path, tmp_path / "run"))
    first, *others = run.read_boxes()
    run.write_boxes([replace(first, label="purple"), *others])
    # Nothing of it is loaded.
    run.model_path.unlink()
    name, *options = command.format(tmp_path).split()
    file = [str(converted_detector[0])] if name == "parity" else []
    result = CliRunner().invoke(main, [name, str(run.path), *file, *options])
    assert result.exit_code == RunError.exit_code
    assert "boxes.csv has labels that model.json lacks (purple)" in result.stderr


def test_a_file_of_several_graphs_is_refused(
    detector_run: TrainingRun, tiny_detector_bytes: bytes, tmp_path: Path
) -> None:
    tree = read_tree(tiny_detector_bytes)
    tree.subgraphs.append(tree.subgraphs[0])
    (tmp_path / "two.tflite").write_bytes(pack_tree(tree))
    result = CliRunner().invoke(main, ["parity", str(detector_run.path), str(tmp_path / "two.tflite")])
    assert result.exit_code == ModelError.exit_code
    assert "has 2 graphs" in result.stderr


def test_a_bound_needs_photos(detector_run: TrainingRun, tmp_path: Path) -> None:
    command = [str(detector_run.path), "-o", str(tmp_path / "m.tflite"), "--drawn", "--min-parity", "0.9"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "measures nothing" in result.stderr


def test_a_bound_fails_where_nothing_was_compared(detector_run: TrainingRun, tmp_path: Path) -> None:
    """The network's best scores are 0.88, so that none is reported from 0.95 on."""
    run = TrainingRun(shutil.copytree(detector_run.path, tmp_path / "run"))
    spec = run.read_spec()
    assert spec.detection is not None
    run.write_spec(replace(spec, detection=replace(spec.detection, threshold=0.95)))
    result = CliRunner().invoke(main, [str(run.path), "-o", str(tmp_path / "m.tflite"), "--min-parity", "0"])
    assert result.exit_code == ParityError.exit_code, result.output
    assert "neither the Keras model nor the file finds a box" in result.stderr
    report = json.loads((tmp_path / "m.parity" / "parity.json").read_text())
    assert (report["agreement"], report["holds"], report["drift"][-1]["mean"]) == (None, False, None)
    assert (report["change"]["difference"]["low"], report["stages"][0]["low"]) == (None, None)
    page = (tmp_path / "m.parity" / "parity.html").read_text(encoding="utf-8")
    assert "neither the Keras model nor the file finds a box" in page
    assert "no interval" in page
    assert not any(word in page for word in ("None", "nan"))
