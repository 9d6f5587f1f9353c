"""Blending training photos with one another, so that a small data set is not learnt by heart."""

import numpy as np
from numpy.typing import NDArray

_MIXUP_BETA = 0.4
_CUTMIX_BETA = 1.0

Pixels = NDArray[np.uint8]
Targets = NDArray[np.float32]


def mix(pixels: Pixels, targets: Targets, random: np.random.Generator) -> tuple[Pixels, Targets]:
    """Blend each image with another of its batch, by mixup or by cutmix with equal chance.

    Mixup (Zhang et al., 2018) averages two whole images; cutmix (Yun et al., 2019) pastes a rectangle of one into the
    other. Targets are averaged by the share of each.

    Args:
        pixels: (batch, height, width, 3) uint8 in [0, 255].
        targets: (batch, labels) float32 that sum to one.
        random: Source of the pairs, shares and rectangles.

    Returns:
        New arrays of the same shapes and types.
    """
    partners = random.permutation(len(pixels))
    if random.random() < 0.5:
        share = float(random.beta(_MIXUP_BETA, _MIXUP_BETA))
        blended = np.rint(share * pixels.astype(np.float32) + (1 - share) * pixels[partners]).astype(np.uint8)
    else:
        top, bottom, left, right = _rectangle(pixels.shape[1], pixels.shape[2], random)
        blended = pixels.copy()
        blended[:, top:bottom, left:right] = pixels[partners, top:bottom, left:right]
        share = 1 - (bottom - top) * (right - left) / (pixels.shape[1] * pixels.shape[2])
    mixed: Targets = np.float32(share) * targets + np.float32(1 - share) * targets[partners]
    return blended, mixed


def _rectangle(height: int, width: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw top, bottom, left and right of a rectangle around a random centre, cut off at the edges."""
    side = np.sqrt(random.beta(_CUTMIX_BETA, _CUTMIX_BETA))
    middle_y, middle_x = int(random.integers(height)), int(random.integers(width))
    half_y, half_x = int(side * height / 2), int(side * width / 2)
    return (
        max(middle_y - half_y, 0),
        min(middle_y + half_y, height),
        max(middle_x - half_x, 0),
        min(middle_x + half_x, width),
    )
