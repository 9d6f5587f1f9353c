import dataclasses
import shutil
from pathlib import Path

import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from convert.network import load_network  # noqa: E402
from edge_runtime.errors import RunError  # noqa: E402
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec  # noqa: E402
from edge_runtime.training_run import TrainingRun  # noqa: E402

SPEC = ModelSpec("tiny", "1", InputSpec(8, 8, (0.0,) * 3, (1.0,) * 3), (HeadSpec("garment", ("hat", "shoes")),))


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
