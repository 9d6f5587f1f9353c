"""What to do about a recipe that costs a model more than it should."""

import logging
from collections.abc import Mapping
from typing import Final

from convert.parity.report import Change
from convert.recipe import Recipe

_TOLERATED: Final = 0.01
_STRIKING: Final = 0.1
_PHOTOS: Final = "calibrate on more photos, if there are, with --calibration-images"
_REMEDIES: Final[Mapping[str, str]] = {
    "float32": "it rounds nothing, so that this is a fault of the converter; please report it",
    "float16": "take --recipe float32",
    "dynamic": "take --recipe float16",
    "int8": f"{_PHOTOS}, or let --max-drop 0.01 try other recipes",
    "int8-corrected": f"{_PHOTOS}, or take --recipe int8-qat",
    "int8-qat": "train longer with --qat-epochs, or train another architecture",
}

log = logging.getLogger(__name__)


def warn_of_loss(recipe: Recipe, change: Change) -> None:
    """Say it when a file is worse than the Keras model by more than is usual, and by more than chance.

    Where there is no interval, chance is not known, and only what is striking is said.
    """
    difference = change.difference
    if difference.high is None:
        said, doubt = difference.value < -_STRIKING, ", unless it is the chance of few photos"
    else:
        said, doubt = difference.value < -_TOLERATED and difference.high < 0, ""
    if said:
        log.warning(
            "WARNING: %s loses %.3f of the Keras model's %s, more than the %.2f that is usual%s; %s.",
            *(recipe.name, -difference.value, change.quantity, _TOLERATED, doubt, _REMEDIES[recipe.name]),
        )
