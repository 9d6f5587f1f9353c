import dataclasses
import shutil
from pathlib import Path

import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

import numpy as np  # noqa: E402

from convert.network import find_images, load_network  # noqa: E402
from edge_runtime.errors import ConversionError, DataError, RunError  # noqa: E402
from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec  # noqa: E402
from edge_runtime.training_run import BoxRow, Split, SplitRow, TrainingRun  # noqa: E402

SPEC = ModelSpec("tiny", "1", InputSpec(8, 8, (0.0,) * 3, (1.0,) * 3), (HeadSpec("garment", ("hat", "shoes")),))
DETECTOR = dataclasses.replace(SPEC, heads=(), detection=DetectionSpec(("hat", "shoes")))
ROWS = [SplitRow("1.jpg", "hat", "1.jpg", split, "") for split in (Split.TRAIN, Split.VALIDATION)]


@keras.saving.register_keras_serializable("tests")
class Doubling(keras.layers.Layer):
    """A layer that only this file knows."""

    def call(self, inputs):  # noqa: ANN001, ANN201
        return 2 * inputs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A network from 8 x 8 pixels to two labels."""
    run = TrainingRun(tmp_path_factory.mktemp("run"))
    image = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    keras.Model(image, keras.layers.Dense(2, activation="softmax")(pooled)).save(run.model_path)
    return run


def test_a_network_that_is_the_one_described_is_loaded(run: TrainingRun) -> None:
    assert load_network(run, SPEC).output_shape == (None, 2)


def test_labels_of_another_number_than_outputs_are_refused(run: TrainingRun) -> None:
    three = dataclasses.replace(SPEC, heads=(HeadSpec("garment", ("hat", "shoes", "skirt")),))
    with pytest.raises(RunError, match=r"tells 2 classes apart, but model\.json has 3 labels"):
        load_network(run, three)


def test_a_network_of_another_task_is_refused(run: TrainingRun, tmp_path: Path) -> None:
    run.write_anchors(np.zeros((5, 4), np.float32))
    with pytest.raises(ConversionError, match="5 anchors and 2 labels do not fit"):
        load_network(run, DETECTOR)
    two = TrainingRun(tmp_path)
    image = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    keras.Model(image, [keras.layers.Dense(2)(pooled), keras.layers.Dense(2)(pooled)]).save(two.model_path)
    with pytest.raises(RunError, match=r"is no classifier, as model\.json says"):
        load_network(two, SPEC)


def test_labels_that_the_model_lacks_are_refused(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path)
    run.write_splits([*ROWS, dataclasses.replace(ROWS[0], label="skirt")])
    with pytest.raises(RunError, match=r"splits\.csv has labels that model\.json lacks \(skirt\)"):
        find_images(run, SPEC, tmp_path)
    run.write_boxes([BoxRow("1.jpg", "dress", 0, 0, 1, 1)])
    with pytest.raises(RunError, match=r"boxes\.csv has labels that model\.json lacks \(dress\)"):
        find_images(run, DETECTOR, tmp_path)


def test_a_detectors_photos_may_have_no_label_of_their_own(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path)
    run.write_splits([*ROWS, dataclasses.replace(ROWS[0], label="")])
    run.write_boxes([BoxRow("1.jpg", "hat", 0, 0, 1, 1)])
    (tmp_path / "1.jpg").touch()
    assert find_images(run, DETECTOR, tmp_path) == tmp_path


def test_a_split_without_photos_is_refused(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path)
    run.write_splits(ROWS[:1])
    with pytest.raises(DataError, match="has no validation photos to measure on"):
        find_images(run, SPEC, tmp_path)


def test_another_input_size_is_refused(run: TrainingRun) -> None:
    larger = dataclasses.replace(SPEC, input=dataclasses.replace(SPEC.input, height=16))
    with pytest.raises(RunError, match="16 x 8"):
        load_network(run, larger)


def test_a_layer_that_keras_does_not_know_is_named(run: TrainingRun, tmp_path: Path) -> None:
    strange = TrainingRun(Path(shutil.copytree(run.path, tmp_path / "run")))
    image = keras.Input((8, 8, 3))
    keras.Model(image, Doubling()(image)).save(strange.model_path)
    keras.saving.get_custom_objects().pop("tests>Doubling")
    with pytest.raises(RunError, match="Doubling"):
        load_network(strange, SPEC)
