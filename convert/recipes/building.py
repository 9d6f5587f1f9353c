"""From a Keras model to the network of a `.tflite` file, by the recipe's name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np

from convert.export import to_dynamic_tflite, to_float16_tflite, to_float_tflite, to_int8_tflite
from convert.layers.bias_correction import correct_biases
from convert.layers.building import build_model
from convert.layers.equalization import equalize
from convert.layers.folding import fold_rescalings
from convert.layers.network import Array, Network
from convert.layers.probing import answer, measure_difference
from convert.layers.reading import read_network
from convert.qat.lessons import Lessons
from convert.qat.toolkit import check_toolkit
from convert.qat.training import fine_tune
from convert.recipe import Recipe
from edge_runtime.errors import ConversionError
from edge_runtime.spec import Task

_TOLERANCE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Material:
    """What recipes make a network of.

    Attributes:
        model: From (batch, height, width, 3) normalised float32 RGB to a classifier's scores, or to a detector's
            encodings and scores.
        task: What the model is for.
        calibration: (height, width, 3) float32 normalised images to measure ranges on; empty for recipes that need
            none.
        lessons: Reads what to train on; asked by recipes that train, and by no other.
    """

    model: keras.Model
    task: Task
    calibration: Sequence[Array]
    lessons: Callable[[], Lessons]


def build_network(recipe: Recipe, material: Material) -> bytes:
    """Return a `.tflite` file without metadata; a detector's still lacks what makes boxes of its outputs.

    Raises:
        ConversionError: The converter refuses the model, leaves a float tensor in a full-integer one, or the recipe
            does not know one of its layers.
    """
    return _BUILDERS[recipe.name](material)


def build_equalized(material: Material) -> bytes:
    """Return the float network that `int8-corrected` rounds, without metadata.

    Its biases are not corrected: what that adds to them only takes back what rounding does.

    Raises:
        ConversionError: The converter refuses the model, or the recipe does not know one of its layers.
    """
    return to_float_tflite(build_model(equalize(_read(material), material.calibration), keras))


def _int8(material: Material) -> bytes:
    return to_int8_tflite(material.model, material.calibration, material.task)


def _corrected_int8(material: Material) -> bytes:
    return _convert(_correct(_read(material), material), material)


def _trained_int8(material: Material) -> bytes:
    check_toolkit()
    network = _read(material)
    # Biases are corrected before training and not after: by then the rounded weights are those that are meant.
    corrected = _correct(network, material)
    return _convert(fine_tune(corrected, network, material.calibration, material.lessons()), material)


def _read(material: Material) -> Network:
    network = fold_rescalings(read_network(material.model))
    image = material.calibration[0]
    wanted = answer(material.model, image)
    difference = measure_difference(wanted, answer(build_model(network, keras), image))
    # Other makers' layers may have settings that are not read here; the network itself tells.
    if not difference <= _TOLERANCE * max(1.0, *(float(np.abs(each).max()) for each in wanted)):
        raise ConversionError(
            f"The network read layer by layer answers differently (by {difference:.2g}), so this recipe does not know "
            "one of its layers; take the recipe int8."
        )
    return network


def _correct(network: Network, material: Material) -> Network:
    return correct_biases(equalize(network, material.calibration), material.calibration)


def _convert(network: Network, material: Material) -> bytes:
    return to_int8_tflite(build_model(network, keras), material.calibration, material.task)


_BUILDERS: Final[Mapping[str, Callable[[Material], bytes]]] = {
    "float32": lambda material: to_float_tflite(material.model),
    "float16": lambda material: to_float16_tflite(material.model),
    "dynamic": lambda material: to_dynamic_tflite(material.model),
    "int8": _int8,
    "int8-corrected": _corrected_int8,
    "int8-qat": _trained_int8,
}
