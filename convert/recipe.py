"""Which recipes there are, and what each gives and asks for. Light, so that the command line can list them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum, auto
from typing import Any, Final

_EVERYWHERE = ("XNNPACK", "MediaPipe", "Edge TPU")
_FLOAT_ENGINES = ("XNNPACK", "MediaPipe")
# XNNPACK leaves such depthwise convolutions to TFLite's plain kernels.
_DYNAMIC_ENGINES = ("XNNPACK in part", "MediaPipe")


class Counterpart(Enum):
    """The float network that a recipe rounds, with which the layers of its file can be compared."""

    TRAINED = auto()
    """The Keras model's."""
    EQUALIZED = auto()
    """The Keras model's with its channels equalised; it depends on the calibration photos."""
    NONE = auto()
    """Float files round nothing, and training while rounding leaves none."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to make a `.tflite` file of a Keras model.

    Attributes:
        name: What `--recipe` takes.
        summary: What it does, one sentence.
        weights: Type of the weights.
        activations: Type of what is computed.
        interface: Type of input and, for a classifier, output; a detector's boxes are always float32.
        needs_photos: Whether activation ranges are measured on calibration photos.
        needs_training: Whether the network is trained on, which takes the run's photos and the extra `qat`.
        runs_on: Engines that take the file.
    """

    name: str
    summary: str
    weights: str
    activations: str
    interface: str
    needs_photos: bool
    needs_training: bool
    runs_on: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


def _float_recipe(name: str, summary: str, weights: str, runs_on: tuple[str, ...] = _FLOAT_ENGINES) -> Recipe:
    return Recipe(
        name, summary, weights, "float32", "float32", needs_photos=False, needs_training=False, runs_on=runs_on
    )


def _int8_recipe(name: str, summary: str, *, needs_training: bool = False) -> Recipe:
    return Recipe(
        name,
        summary,
        "int8 per channel",
        "int8",
        "uint8",
        needs_photos=True,
        needs_training=needs_training,
        runs_on=_EVERYWHERE,
    )


def find_counterpart(recipe: str) -> Counterpart:
    """Return what the recipe of a name rounds; nothing is known of one that there is no more."""
    return _COUNTERPARTS.get(recipe, Counterpart.NONE)


DEFAULT_RECIPE: Final = "int8"
_CORRECTED: Final = "int8-corrected"
_COUNTERPARTS: Final[Mapping[str, Counterpart]] = {
    DEFAULT_RECIPE: Counterpart.TRAINED,
    _CORRECTED: Counterpart.EQUALIZED,
}

RECIPES: Final[Mapping[str, Recipe]] = {
    recipe.name: recipe
    for recipe in (
        _float_recipe("float32", "The network as it was trained.", "float32"),
        _float_recipe("float16", "Weights rounded to half the size, computed in float32.", "float16"),
        _float_recipe(
            "dynamic",
            "Weights as int8, activations quantised while they are computed.",
            "int8 per channel",
            _DYNAMIC_ENGINES,
        ),
        _int8_recipe(DEFAULT_RECIPE, "Full integer, ranges measured on photos (post-training quantisation)."),
        _int8_recipe(_CORRECTED, "As int8, with channels equalised and rounding taken back in the biases first."),
        _int8_recipe(
            "int8-qat",
            "As int8-corrected, after training the weights while they are rounded (quantisation-aware training).",
            needs_training=True,
        ),
    )
}
