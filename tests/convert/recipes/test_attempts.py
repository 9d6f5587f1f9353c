"""`--max-drop`: the cheapest recipe that keeps the Keras model's score."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from convert import conversion  # noqa: E402
from convert.cli import main  # noqa: E402
from convert.export import load_keras_model, to_float_tflite  # noqa: E402
from convert.parity.measurement import Subject, ask_keras  # noqa: E402
from convert.recipes.attempts import LADDER, Attempt, Bounds, format_attempts, try_recipes  # noqa: E402
from edge_runtime.errors import ConversionError, DropError, ExtraMissingError  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from edge_runtime.training_run import TrainingRun  # noqa: E402


@pytest.fixture(scope="module")
def subject(small_run: TrainingRun) -> Subject:
    model = load_keras_model(small_run.model_path)
    return Subject(small_run, model, small_run.read_spec(), Path(small_run.read_arguments()["images"]), {})


@pytest.fixture(scope="module")
def good(subject: Subject) -> bytes:
    return to_float_tflite(subject.model)


@pytest.fixture(scope="module")
def bad(subject: Subject) -> bytes:
    """A network that takes each label for the next."""
    image = keras.Input(subject.model.input_shape[1:])
    turned = keras.ops.roll(subject.model(image), 1, axis=-1)
    return to_float_tflite(keras.Model(image, turned))


def test_the_first_recipe_that_keeps_the_score_is_taken(subject: Subject, good: bytes, bad: bytes) -> None:
    made = []

    def make(recipe: Any) -> bytes:
        made.append(recipe.name)
        return bad if recipe.name == "int8" else good

    outcome = try_recipes(subject, make, LADDER, Bounds(0.0))
    assert made == ["int8", "int8-corrected"]
    assert (outcome.recipe.name, outcome.content) == ("int8-corrected", good)
    first, second = outcome.attempts
    assert (first.recipe, second.recipe) == ("int8", "int8-corrected")
    assert first.drop > 0.3
    assert second.drop == 0
    assert [stage.stage for stage in outcome.measurement.stages] == [
        "keras float32",
        "tflite float32",
        "tflite int8-corrected",
    ]


def test_a_recipe_that_keeps_the_score_and_not_the_answers_is_passed_by(
    subject: Subject, good: bytes, bad: bytes
) -> None:
    """One that trades as many right answers for others has the same score, and is another model all the same."""

    def make(recipe: Any) -> bytes:
        return bad if recipe.name == "int8" else good

    outcome = try_recipes(subject, make, LADDER, Bounds(1.0, 0.98))
    assert (outcome.recipe.name, outcome.attempts[0].agreement) == ("int8-corrected", 0.0)
    with pytest.raises(DropError, match=r"and to 98\.0 % of its answers, the best, int8, loses .* and keeps to 0\.0 %"):
        try_recipes(subject, lambda _: bad, LADDER, Bounds(1.0, 0.98))


def test_where_none_keeps_it_the_best_is_named(subject: Subject, bad: bytes) -> None:
    with pytest.raises(DropError, match=r"within 0\.1 of .* the best, int8, loses 0\.\d+.*--max-drop"):
        try_recipes(subject, lambda _: bad, LADDER, Bounds(0.1))


def test_a_stage_without_numbers_is_named(subject: Subject) -> None:
    image = keras.Input(subject.model.input_shape[1:])
    broken = keras.Model(image, keras.ops.log(subject.model(image) - 2))
    with pytest.raises(ConversionError, match=r"keras float32 answers .* no numbers"):
        ask_keras(replace(subject, model=broken))
    with pytest.raises(ConversionError, match=r"tflite int8 answers .* no numbers"):
        try_recipes(subject, lambda _: to_float_tflite(broken), LADDER, Bounds(1.0))


def test_an_agreement_that_is_not_known_holds_no_bound() -> None:
    attempt = Attempt("int8", 0.5, 0.0, None, 1000, 1.0)
    assert Bounds(0.0).hold(attempt)
    assert not Bounds(0.0, 0.0).hold(attempt)
    assert format_attempts([attempt]).splitlines()[-1].split()[:4] == ["int8", "0.5000", "0.0000", "-"]


def test_a_recipe_that_cannot_be_tried_does_not_hide_what_was_found(subject: Subject, bad: bytes) -> None:
    def make(recipe: Any) -> bytes:
        if recipe.name == "int8-qat":
            raise ExtraMissingError("The recipe int8-qat needs the extra qat.")
        return bad

    with pytest.raises(DropError, match=r"the best, int8, loses .*int8-qat could not be tried: .* extra qat"):
        try_recipes(subject, make, LADDER, Bounds(0.1))


def test_the_command_says_what_it_tried_and_the_file_too(small_run: TrainingRun, tmp_path: Path) -> None:
    output = tmp_path / "m.tflite"
    result = CliRunner().invoke(main, [str(small_run.path), "-o", str(output), "--max-drop", "1"])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()[:2]] == ["recipe", "int8"]
    provenance = Recognizer.load(output).spec.provenance
    assert provenance["recipe"] == "int8"
    assert [each["recipe"] for each in provenance["attempts"]] == ["int8"]


def test_a_bound_that_nothing_keeps_leaves_no_file(
    small_run: TrainingRun, tmp_path: Path, bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "build_network", lambda *_: bad)
    command = [str(small_run.path), "-o", str(tmp_path / "m.tflite"), "--max-drop", "0.01"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == DropError.exit_code
    assert "the best, int8, loses" in result.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_loss_is_warned_of_where_none_was_allowed(
    small_run: TrainingRun,
    tmp_path: Path,
    bad: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(conversion, "build_network", lambda *_: bad)
    command = [str(small_run.path), "-o", str(tmp_path / "m.tflite")]
    assert CliRunner().invoke(main, [*command, "--max-drop", "1"]).exit_code == 0
    assert "WARNING" not in caplog.text
    assert CliRunner().invoke(main, command).exit_code == 0
    assert "WARNING: int8 loses" in caplog.text


@pytest.mark.parametrize("also", [["--recipe", "int8"], ["--drawn"]])
def test_it_goes_with_no_recipe_and_no_drawings(also: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path), "-o", str(tmp_path / "m.tflite"), "--max-drop", "0.01", *also])
    assert result.exit_code == 2
    assert "neither --recipe nor --drawn" in result.stderr


def test_a_corrected_files_layers_are_compared_with_the_equalised_network(
    small_run: TrainingRun, tmp_path: Path
) -> None:
    output = tmp_path / "m.tflite"
    result = CliRunner().invoke(main, [str(small_run.path), "-o", str(output), "--recipe", "int8-corrected"])
    assert result.exit_code == 0, result.output
    layers = json.loads((tmp_path / "m.parity" / "parity.json").read_text())["layers"]
    assert [layer["kind"] for layer in layers].count("DEPTHWISE_CONV_2D") == 1
    # Against the network before equalisation channels would be off by their factors, which leaves no signal.
    assert all(layer["sqnr"] is None or layer["sqnr"] > 15 for layer in layers)
