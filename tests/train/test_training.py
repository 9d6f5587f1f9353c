import csv
import json
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import RunError  # noqa: E402
from edge_runtime.training_run import Split, TrainingRun  # noqa: E402
from train.callbacks import EpochBounds  # noqa: E402
from train.classify import ClassifyOptions, train_classifier  # noqa: E402
from train.data import Columns  # noqa: E402
from train.training import Schedule  # noqa: E402


def make_options(data: Path, epochs: int = 2, seed: int = 0) -> ClassifyOptions:
    schedule = Schedule(
        head_epochs=0,
        epochs=epochs,
        batch_size=8,
        head_learning_rate=1e-3,
        learning_rate=1e-3,
        label_smoothing=0.1,
        drawn_share=0.2,
        mixed_share=0.5,
        seed=seed,
    )
    return ClassifyOptions(data, None, Columns(), "mobilenet_v2", 32, "none", 0.2, 0.25, schedule)


def read_history(run: TrainingRun) -> list[dict[str, str]]:
    return list(csv.DictReader((run.path / "metrics.csv").read_text().splitlines()))


class KilledError(Exception):
    """Stands in for a kill signal."""


def test_a_run_directory_tells_the_whole_story(trained_run: TrainingRun) -> None:
    spec = trained_run.read_spec()
    assert spec.heads[0].labels == ("hat", "pants", "shoes")
    assert (spec.input.height, spec.input.width) == (32, 32)
    assert {row.split for row in trained_run.read_splits()} == {Split.TRAIN, Split.VALIDATION}
    assert trained_run.read_arguments()["schedule"]["epochs"] == 1
    assert json.loads((trained_run.path / "environment.json").read_text())["packages"]["keras"]
    history = read_history(trained_run)
    assert [(row["phase"], row["epoch"]) for row in history] == [("head", "1"), ("body", "1")]
    scores = json.loads((trained_run.path / "scores.json").read_text())
    assert scores["macro"] == pytest.approx(max(float(row["validation_macro"]) for row in history))
    assert keras.models.load_model(trained_run.model_path).output_shape == (None, 3)


def test_a_killed_run_ends_as_an_unbroken_one(
    drawn_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = make_options(drawn_photos)
    unbroken, broken = TrainingRun(tmp_path / "unbroken"), TrainingRun(tmp_path / "broken")
    train_classifier(options, unbroken)

    with monkeypatch.context() as patch:
        begun = EpochBounds.on_epoch_begin

        def die_in_second_epoch(self: EpochBounds, epoch: int, logs: dict[str, float] | None = None) -> None:
            if epoch == 1:
                raise KilledError
            begun(self, epoch, logs)

        patch.setattr(EpochBounds, "on_epoch_begin", die_in_second_epoch)
        with pytest.raises(KilledError):
            train_classifier(options, broken)
    train_classifier(options, broken)

    def losses(run: TrainingRun) -> list[float]:
        return [float(row["loss"]) for row in read_history(run)]

    assert len(losses(broken)) == 2
    np.testing.assert_allclose(losses(broken), losses(unbroken), rtol=1e-3)


def test_other_arguments_never_touch_a_run(drawn_photos: Path, trained_run: TrainingRun) -> None:
    with pytest.raises(RunError, match="holds a run with another"):
        train_classifier(make_options(drawn_photos, epochs=5), trained_run)
