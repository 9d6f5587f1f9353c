"""What to do about a recipe that costs a model more than it should."""

import logging
from typing import Final

from convert.parity.report import Change
from convert.recipe import Recipe

_TOLERATED: Final = 0.01

log = logging.getLogger(__name__)


def warn_of_loss(recipe: Recipe, change: Change) -> None:
    """Say it when a file is worse than the Keras model by more than is usual, and by more than chance."""
    difference = change.difference
    if difference.value < -_TOLERATED and difference.high < 0:
        log.warning(
            "WARNING: %s loses %.3f of the Keras model's %s, more than the %.2f that is usual; %s.",
            recipe.name,
            -difference.value,
            change.quantity,
            _TOLERATED,
            _advise(recipe),
        )


def _advise(recipe: Recipe) -> str:
    if recipe.needs_training:
        return "train longer with --qat-epochs, or train another architecture"
    if recipe.needs_photos:
        return (
            "calibrate on more photos, if there are, with --calibration-images, or let --max-drop 0.01 try all int8 "
            "recipes"
        )
    return "take --recipe float16"
