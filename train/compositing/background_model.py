"""What a photo's border says about its background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Image

_COLOURS = 4
_LEAST_SHARE = 0.06
"""Of the border's pixels: rarer colours are the garment's, where it reaches over the border."""
_LEAST_VARIANCE = np.diag([20.0, 6.0, 6.0])
"""Of L, a and b: light varies more than colour does."""
_BORDER = 0.035
_ROUNDS = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
_SMOOTHING = 5


def find_border(height: int, width: int) -> NDArray[np.bool_]:
    """Return the (height, width) pixels that are nearer to an edge than 3.5 % of the longer side."""
    margin = max(2, round(_BORDER * max(height, width)))
    border = np.ones((height, width), np.bool_)
    border[margin:-margin, margin:-margin] = False
    return border


def measure_strangeness(image: Image) -> NDArray[np.float32]:
    """Return how far each pixel's colour is from those of the border, in standard deviations.

    The border's colours are up to four normal distributions around k-means centres in 8-bit Lab; the distance is
    Mahalanobis' to the nearest.

    Args:
        image: (height, width, 3) uint8 BGR.

    Returns:
        (height, width) float32.
    """
    colours = cv2.cvtColor(cv2.medianBlur(image, _SMOOTHING), cv2.COLOR_BGR2LAB).astype(np.float32)
    height, width = image.shape[:2]
    samples = colours[find_border(height, width)]
    clusters = _cluster(samples)
    strangeness = np.full((height, width), np.inf, np.float32)
    for members in (samples[clusters == number] for number in range(_COLOURS)):
        if len(members) >= _LEAST_SHARE * len(samples):
            strangeness = np.minimum(strangeness, _measure_distance(colours, members))
    return strangeness


def _cluster(samples: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the (samples,) cluster of each; starting from lightness quantiles makes it depend on them alone."""
    ranks = np.argsort(samples[:, 0], kind="stable")
    first = np.empty((len(samples), 1), np.int32)
    first[ranks, 0] = np.arange(len(samples)) * _COLOURS // len(samples)
    _, clusters, _ = cv2.kmeans(samples, _COLOURS, first, _ROUNDS, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return np.asarray(clusters, np.int32).ravel()


def _measure_distance(colours: NDArray[np.float32], members: NDArray[np.float32]) -> NDArray[np.float32]:
    inverse = np.linalg.inv(np.cov(members, rowvar=False) + _LEAST_VARIANCE)
    apart = colours - members.mean(axis=0)
    squared = np.einsum("hwi,ij,hwj->hw", apart, inverse, apart)
    return np.asarray(np.sqrt(squared), np.float32)
