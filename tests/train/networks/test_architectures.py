import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.spec import Task  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_classifier  # noqa: E402

SIZE = 32


@pytest.fixture
def batch() -> tuple[np.ndarray, np.ndarray]:
    images = np.random.default_rng(0).uniform(-1, 1, (4, SIZE, SIZE, 3)).astype(np.float32)
    return images, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_learns_and_converts_to_full_int8(name: str, batch: tuple[np.ndarray, np.ndarray]) -> None:
    pytest.importorskip("tensorflow", reason="needs the train extra")
    from ai_edge_litert.interpreter import Interpreter

    from convert.export import to_int8_tflite

    images, targets = batch
    model = build_classifier(ARCHITECTURES[name], SIZE, ("a", "b"), "none", 0.0)
    # Tracing a network takes longer than the few steps themselves.
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", run_eagerly=True)
    first = model.train_on_batch(images, targets)
    assert np.isfinite(first)
    assert min(model.train_on_batch(images, targets) for _ in range(2)) < first
    # Raises where a float tensor is left.
    interpreter = Interpreter(model_content=to_int8_tflite(model, images, Task.CLASSIFICATION))
    assert [each["dtype"] for each in interpreter.get_input_details()] == [np.uint8]
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 2]


def test_the_head_answers_in_float32_whatever_the_body_computes_in() -> None:
    from train.fitting.environment import computing_in

    with computing_in("mixed_bfloat16"):
        model = build_classifier(ARCHITECTURES["mobilenet_v2_0.35"], SIZE, ("a", "b"), "none", 0.0)
    assert model.output.dtype == "float32"
    assert model.get_layer("body").output.dtype == "bfloat16"
