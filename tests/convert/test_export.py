from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("tensorflow", reason="needs the train extra")

from ai_edge_litert.interpreter import Interpreter  # noqa: E402

from convert.export import to_float_tflite, to_int8_tflite  # noqa: E402
from edge_runtime.spec import Task  # noqa: E402
from train.detection.anchors import choose_pyramid_levels  # noqa: E402
from train.detection.necks import plan_cells  # noqa: E402
from train.detection.network import Layout, build_detector  # noqa: E402

_SIZE = 64
_PICTURE = np.random.default_rng(0).normal(size=(_SIZE, _SIZE, 3)).astype(np.float32)


def test_a_layer_that_trains_by_default_is_exported_for_inference() -> None:
    image = keras.Input((_SIZE, _SIZE, 3))
    # What pyramids of earlier releases have in them.
    small = keras.layers.Resizing(8, 8, "nearest")(image)
    model = keras.Model(image, keras.layers.BatchNormalization()(small))
    interpreter = Interpreter(model_content=to_float_tflite(model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], _PICTURE[np.newaxis])
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(answer, model(_PICTURE[np.newaxis], training=False), atol=1e-5)


@pytest.mark.parametrize("separable", [True, False])
def test_a_detector_with_a_pyramid_becomes_whole_int8(
    small_body: Callable[[int, str | None], Any], separable: bool
) -> None:
    levels = choose_pyramid_levels(plan_cells(_SIZE, pyramid=True))
    detector = build_detector(small_body(_SIZE, None), 3, levels, Layout(separable, pyramid=True))
    network = to_int8_tflite(detector, [_PICTURE], Task.DETECTION)
    interpreter = Interpreter(model_content=network)
    assert {output["dtype"] for output in interpreter.get_output_details()} == {np.int8}


def test_a_signature_names_the_outputs_in_the_models_order() -> None:
    image = keras.Input((_SIZE, _SIZE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, [mean + place for place in range(11)])
    runner = Interpreter(model_content=to_float_tflite(model)).get_signature_runner("serving_default")
    answers = runner(image=_PICTURE[np.newaxis])
    for place in range(11):
        np.testing.assert_allclose(answers[f"output_{place}"], model(_PICTURE[np.newaxis])[place], atol=1e-5)


def test_two_outputs_may_be_one_tensor() -> None:
    image = keras.Input((_SIZE, _SIZE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(image)
    content = to_float_tflite(keras.Model(image, [mean, mean]))
    answers = Interpreter(model_content=content).get_signature_runner("serving_default")(image=_PICTURE[np.newaxis])
    np.testing.assert_allclose(answers["output_0"], answers["output_1"])
