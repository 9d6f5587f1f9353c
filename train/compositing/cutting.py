"""Cutting a garment out of a photo in which it lies or hangs alone on a plain background."""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from train.compositing.background_model import find_border, measure_strangeness

Mask = NDArray[np.uint8]
"""(height, width) uint8, 1 on the garment and 0 elsewhere."""

_SIDE = 224
"""Longer side in pixels at which garment and background are told apart."""
_OUTLINE_SOFTNESS = 1.5
_LEAST_STRANGENESS = 2.0
_GRABCUT_ROUNDS = 4
_OPENING = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_SQUARE = np.ones((3, 3), np.uint8)
_LEAST_PIECE = 0.2
"""Of the largest piece: one of a pair of shoes is larger, a price tag smaller."""

# The bounds were set by eye on contact sheets of clothing-dataset: see docs/data.md.
_LEAST_AGREEMENT = 0.93
_MOST_BORDER = 0.03
_AREA = (0.06, 0.75)
_MOST_HOLES = 0.01
_LEAST_SMOOTHNESS = 0.94
_MOST_FAINT_EDGE = 0.1
_FAINT = 15.0
"""Distance in OpenCV's 8-bit Lab below which two sides of an edge look alike."""


class Doubt(StrEnum):
    """Why a cut is not trusted."""

    AMBIGUOUS = "two ways of cutting disagree"
    BORDER = "it touches the border of the photo"
    AREA = "it is too small or fills the photo"
    HOLES = "it has holes"
    RAGGED = "its outline is ragged"
    FAINT = "it hardly differs from the background"


@dataclass(frozen=True, slots=True)
class Cut:
    """A garment told from its background.

    Attributes:
        mask: Of the photo's height and width.
        doubt: None where the cut is trusted.
    """

    mask: Mask
    doubt: Doubt | None


def cut_garment(image: Image) -> Cut:
    """Tell a garment from its background.

    A model of the border's colours says what is strange to the background; GrabCut (Rother et al., 2004) starts from
    that and redraws the outline. Where the two agree, either is right; where they do not, the cut is not trusted.

    Args:
        image: (height, width, 3) uint8 BGR photo.
    """
    small = resize_to(image, _SIDE)
    rough = _cut_by_colour(small)
    fine, holes = _tidy(_refine(small, rough))
    # Enlarged as it is, the mask would have steps for an outline.
    soft = cv2.GaussianBlur(fine.astype(np.float32), (0, 0), _OUTLINE_SOFTNESS)
    mask = cv2.resize(soft, image.shape[1::-1], interpolation=cv2.INTER_CUBIC) > 0.5
    return Cut(mask.astype(np.uint8), _find_doubt(small, _tidy(rough)[0], fine, holes))


def _cut_by_colour(small: Image) -> Mask:
    strangeness = measure_strangeness(small)
    scaled = np.clip(20 * strangeness, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_OTSU)
    return (strangeness > max(otsu / 20, _LEAST_STRANGENESS)).astype(np.uint8)


def _refine(small: Image, rough: Mask) -> Mask:
    """Redraw a rough mask by GrabCut, which must call the border background where the rough mask does."""
    if not rough.any() or rough.all():
        return rough
    classes = np.where(rough, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    classes[find_border(*rough.shape) & (rough == 0)] = cv2.GC_BGD
    background, garment = np.zeros((1, 65)), np.zeros((1, 65))
    # GrabCut starts from random centres.
    cv2.setRNGSeed(0)
    cv2.grabCut(small, classes, (0, 0, 0, 0), background, garment, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(classes, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _tidy(mask: Mask) -> tuple[Mask, float]:
    """Take specks and thin things such as hooks away and close holes; return also the share that the holes had."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPENING)
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return np.zeros_like(mask), 0.0
    areas = facts[1:, cv2.CC_STAT_AREA]
    kept = np.isin(pieces, np.flatnonzero(areas >= _LEAST_PIECE * areas.max()) + 1).astype(np.uint8)
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.asarray(cv2.drawContours(np.zeros_like(kept), outlines, -1, 1, cv2.FILLED), np.uint8)
    return filled, 1 - float(kept.sum()) / float(filled.sum())


def _find_doubt(small: Image, rough: Mask, fine: Mask, holes: float) -> Doubt | None:
    edges = np.concatenate([fine[0], fine[-1], fine[:, 0], fine[:, -1]])
    tests = (
        (Doubt.AREA, not _AREA[0] <= fine.mean() <= _AREA[1]),
        (Doubt.BORDER, edges.mean() > _MOST_BORDER),
        (Doubt.AMBIGUOUS, _overlap(rough, fine) < _LEAST_AGREEMENT),
        (Doubt.HOLES, holes > _MOST_HOLES),
        (Doubt.RAGGED, _overlap(_smooth(fine), fine) < _LEAST_SMOOTHNESS),
        (Doubt.FAINT, _measure_faintness(small, fine) > _MOST_FAINT_EDGE),
    )
    return next((doubt for doubt, holds in tests if holds), None)


def _overlap(one: Mask, other: Mask) -> float:
    """Return the intersection over union of two masks."""
    return float((one & other).sum()) / max(float((one | other).sum()), 1.0)


def _smooth(mask: Mask) -> Mask:
    return (cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4) > 0.5).astype(np.uint8)


def _measure_faintness(small: Image, mask: Mask) -> float:
    """Return the share of the outline along which the colours inside and outside, each averaged, look alike."""
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    inside = _average_near(lab, cv2.erode(mask, _SQUARE, iterations=4) > 0)
    outside = _average_near(lab, cv2.dilate(mask, _SQUARE, iterations=4) == 0)
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, _SQUARE) > 0
    return float((np.linalg.norm(inside - outside, axis=2)[edge] < _FAINT).mean()) if edge.any() else 1.0


def _average_near(lab: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean colour, around each pixel, of those pixels that `where` marks."""
    weight = where.astype(np.float32)[..., None]
    sums, weights = cv2.blur(lab * weight, (15, 15)), cv2.blur(weight, (15, 15))
    return np.asarray(sums / np.maximum(weights, 1e-3)[..., None], np.float32)
