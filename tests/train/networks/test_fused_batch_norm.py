from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
tf = pytest.importorskip("tensorflow", reason="needs the train extra")
if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow is not the backend", allow_module_level=True)

from train.networks import fused_batch_norm  # noqa: E402
from train.networks.fused_batch_norm import fuse_batch_norms  # noqa: E402

IMAGES = np.random.default_rng(0).normal(3.0, 2.0, (2, 5, 4, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def plain_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    # A command that another test ran in this process has replaced it.
    monkeypatch.setattr(keras.layers.BatchNormalization, "call", fused_batch_norm._PLAIN_CALL)


def make_layer(**options: Any) -> Any:
    layer = keras.layers.BatchNormalization(momentum=0.9, **options)
    layer.build(IMAGES.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.uniform(0.5, 2.0, weights.shape) for weights in layer.get_weights()])
    return layer


def step(layer: Any, *, training: bool) -> list[np.ndarray]:
    """Return outputs, the gradients of inputs and weights, and the weights afterwards."""
    inputs = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        loss = tf.reduce_sum(outputs**3)
    gradients = tape.gradient(loss, [inputs, *(each.value for each in layer.trainable_variables)])
    return [np.asarray(each) for each in (outputs, *gradients, *layer.get_weights())]


def is_fused(layer: Any) -> bool:
    graph = tf.function(lambda images: layer(images, training=True)).get_concrete_function(tf.constant(IMAGES)).graph
    return "FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}


def compare(make: Callable[[], Any], *, training: bool) -> None:
    plain = step(make(), training=training)
    fuse_batch_norms()
    for mine, theirs in zip(step(make(), training=training), plain, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_it_is_what_keras_computes(training: bool) -> None:
    compare(make_layer, training=training)


def test_a_frozen_layer_keeps_its_statistics() -> None:
    compare(lambda: make_layer(trainable=False), training=True)


@pytest.mark.parametrize("options", [{"axis": 1}, {"scale": False}, {"center": False}, {"dtype": "mixed_bfloat16"}])
def test_unusual_layers_are_left_to_keras(options: dict[str, Any]) -> None:
    compare(lambda: make_layer(**options), training=True)
    assert not is_fused(make_layer(**options))


def test_it_is_one_operation_and_the_saved_model_knows_nothing_of_it(tmp_path: Path) -> None:
    assert not is_fused(make_layer())
    fuse_batch_norms()
    assert is_fused(make_layer())
    inputs = keras.Input(IMAGES.shape[1:])
    model = keras.Model(inputs, keras.layers.BatchNormalization()(inputs))
    model.save(tmp_path / "model.keras")
    assert type(keras.models.load_model(tmp_path / "model.keras").layers[1]) is keras.layers.BatchNormalization
