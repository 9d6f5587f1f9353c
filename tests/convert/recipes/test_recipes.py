import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the train extra")

from ai_edge_litert.interpreter import Interpreter

from convert.calibration import normalise_frames
from convert.cli import main
from convert.export import load_keras_model, to_float_tflite
from convert.metadata_writer import add_metadata
from convert.recipe import RECIPES
from convert.recipes.building import _BUILDERS
from edge_runtime.drawing import draw_garment
from edge_runtime.recognizer import Recognizer
from edge_runtime.training_run import TrainingRun

FLOAT_RECIPES = ("float32", "float16", "dynamic")


def convert(run: TrainingRun, recipe: str, output: Path) -> Path:
    command = [str(run.path), "-o", str(output), "--recipe", recipe]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return output


def weight_types(model: Path) -> set[type]:
    """Return the types of a file's kernels, before any delegate has changed them."""
    tensors = Interpreter(model_content=model.read_bytes()).get_tensor_details()
    return {tensor["dtype"] for tensor in tensors if tensor["shape"].tolist() == [64, 1, 1, 24]}


@pytest.fixture(scope="module")
def float_files(small_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recipes")
    return {name: convert(small_run, name, folder / f"{name}.tflite") for name in FLOAT_RECIPES}


def test_the_command_lists_every_recipe() -> None:
    lines = CliRunner().invoke(main, ["recipes"]).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(RECIPES)


def test_the_list_is_to_be_had_as_json() -> None:
    listed = json.loads(CliRunner().invoke(main, ["recipes", "--json"]).stdout)
    assert [each["name"] for each in listed] == list(RECIPES)
    assert all(each["needs_photos"] == each["name"].startswith("int8") for each in listed)


def test_every_recipe_can_be_built() -> None:
    assert set(_BUILDERS) == set(RECIPES)


def test_an_unknown_recipe_is_named_beside_those_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path), "-o", "m.tflite", "--recipe", "int4"])
    assert result.exit_code == 2
    assert "'float16'" in result.stderr


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("float32", "--calibration-images 9 --qat-epochs 9"),
        ("dynamic", "--calibration ."),
        ("float16", "--seed 1"),
        ("int8", "--qat-epochs 9"),
    ],
)
def test_options_that_would_do_nothing_are_refused(recipe: str, options: str, tmp_path: Path) -> None:
    command = [str(tmp_path), "-o", str(tmp_path / "m.tflite"), "--recipe", recipe, *options.split()]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert all(option in result.stderr for option in options.split() if option.startswith("--"))


@pytest.mark.parametrize(("name", "kind"), [("float32", np.float32), ("float16", np.float16), ("dynamic", np.int8)])
def test_weights_are_of_the_stated_type(float_files: dict[str, Path], name: str, kind: type) -> None:
    assert kind in weight_types(float_files[name])


def test_smaller_weights_make_smaller_files(float_files: dict[str, Path]) -> None:
    full, half, quarter = (float_files[name].stat().st_size for name in FLOAT_RECIPES)
    # Most of so small a file is its description.
    assert full > half > quarter


def test_all_stages_answer_alike(small_run: TrainingRun, tmp_path: Path) -> None:
    """Keras and float TFLite agree to rounding; int8 stays within a few steps of its 1/256 scores."""
    model, spec = load_keras_model(small_run.model_path), small_run.read_spec()
    frames = [draw_garment(label, seed) for label in spec.labels for seed in range(4)]
    reference = model.predict_on_batch(np.stack(normalise_frames(frames, spec.input)))
    # Scores of a network that tells nothing apart would be alike whatever became of it.
    assert np.ptp(reference, axis=0).min() > 0.5
    lite = Recognizer(add_metadata(to_float_tflite(model), spec))
    int8 = Recognizer.load(convert(small_run, "int8", tmp_path / "m.tflite"))
    np.testing.assert_allclose([lite.scores(frame) for frame in frames], reference, atol=1e-5)
    np.testing.assert_allclose([int8.scores(frame) for frame in frames], reference, atol=0.06)


@pytest.mark.parametrize("name", FLOAT_RECIPES)
def test_float_files_answer_like_the_keras_model(float_files: dict[str, Path], name: str, drawn_photos: Path) -> None:
    """Their input is normalised as the metadata say, which no one tells the recognizer otherwise."""
    recognizer, reference = (Recognizer.load(float_files[which]) for which in (name, "float32"))
    frames = [cv2.imread(str(drawn_photos / label / "0.png")) for label in ("hat", "pants", "shoes")]
    report = json.loads((float_files[name].with_suffix(".parity") / "parity.json").read_text())
    drifts = {drift["stage"]: drift["mean"] for drift in report["drift"]}
    assert recognizer.spec.provenance["recipe"] == name
    assert recognizer.spec.provenance["measured"][-1]["stage"] == list(drifts)[-1] == f"tflite {name}"
    assert drifts["tflite float32"] < 1e-5
    assert drifts[f"tflite {name}"] < 0.01
    for frame in frames:
        np.testing.assert_allclose(recognizer.scores(frame), reference.scores(frame), atol=0.02)


@pytest.mark.parametrize("name", FLOAT_RECIPES)
def test_float_detectors_find_the_known_boxes(detector_run: TrainingRun, tmp_path: Path, name: str) -> None:
    model = convert(detector_run, name, tmp_path / "squares.tflite")
    measured = Recognizer.load(model).spec.provenance["measured"]
    assert measured[-1]["map"] == pytest.approx(1.0)
    assert measured[-1]["iou"] > 0.99
