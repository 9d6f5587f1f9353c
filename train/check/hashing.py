"""Telling that two files show the same photo though their bytes differ."""

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

from edge_runtime.preprocess import Image

_HASHED_SIDE = 32
_FREQUENCIES = 8
_THUMBNAIL_SIDE = 16

# Of 150 photos of clothing-dataset, halved, saved as JPEG 30, or enlarged and saved as JPEG 60, each was within 4 bits
# and 1.4 levels of itself; with 1.5 % cut off at each edge, within 10 bits and, 19 of 20, 6 levels. No two photos of
# different garments were within both bounds.
_MOST_BITS = 10
_MOST_LEVELS = 6.0
# Before one camera most of a photo is always the same: of 10,000 drawn counters with another garment each this leaves
# 1,619 of 58,893 pairs. Of photos cut by 1.5 % at each edge it costs one in twenty-five to one in ten.
_MOST_LEVELS_ANYWHERE = 44
# Their thumbnails take a few megabytes.
_PAIRS_AT_ONCE = 4096
# Of so many pairs of images all may agree in their hashes; each is then two numbers of 64 bits.
_COMPARED_AT_ONCE = 2**23


def hash_image(image: Image) -> NDArray[np.bool_]:
    """Return the (64,) bits of a DCT hash ("pHash", Zauner 2010): which low frequencies are above their median.

    Args:
        image: (height, width, 3) uint8 BGR.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_HASHED_SIDE, _HASHED_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_FREQUENCIES, :_FREQUENCIES].ravel()
    bits: NDArray[np.bool_] = low > np.median(low)
    return bits


def shrink(image: Image) -> NDArray[np.uint8]:
    """Return (16, 16, 3) uint8 BGR mean colours of a (height, width, 3) uint8 BGR image."""
    return np.asarray(cv2.resize(image, (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def find_near_pairs(hashes: NDArray[np.bool_], thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find images that are nearly the same.

    The hash is blind to colour and to what is small, so a pair must also agree in its mean colours.

    Args:
        hashes: (images, 64) bits.
        thumbnails: (images, 16, 16, 3) uint8.

    Returns:
        (pairs, 2) indices, the lower one first.
    """
    count = len(hashes)
    # Of bits as -1 and 1 the product is the number of those that agree less that of the others.
    signs = hashes.astype(np.float32) * 2 - 1
    rows = max(_COMPARED_AT_ONCE // max(count, 1), 1)
    near = [np.empty((0, 2), np.int64)]
    with tqdm(total=count, desc="comparing", unit="photo", disable=None) as progress:
        for start in range(0, count, rows):
            pairs = _find_alike(signs, start, rows)
            parts = np.array_split(pairs, math.ceil(len(pairs) / _PAIRS_AT_ONCE) or 1)
            near.extend(part[_are_alike(thumbnails, part)] for part in parts)
            progress.update(min(rows, count - start))
    return np.concatenate(near)


def _find_alike(signs: NDArray[np.float32], start: int, rows: int) -> NDArray[np.int64]:
    """Return (pairs, 2) indices of the images in some rows and later ones whose hashes agree."""
    agreement = signs[start : start + rows] @ signs[start:].T
    first, second = np.nonzero(agreement >= signs.shape[1] - 2 * _MOST_BITS)
    return np.stack([first, second], axis=1)[first < second] + start


def _are_alike(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of (pairs,) whether their colours are nearly the same, on the whole and everywhere."""
    first, second = (thumbnails[pairs[:, side]] for side in (0, 1))
    # Differences of unsigned bytes would wrap around.
    apart = np.maximum(first, second) - np.minimum(first, second)
    return np.asarray(
        (apart.mean(axis=(1, 2, 3)) <= _MOST_LEVELS) & (apart.max(axis=(1, 2, 3)) <= _MOST_LEVELS_ANYWHERE)
    )


def group_around(count: int, pairs: NDArray[np.int64]) -> list[list[int]]:
    """Group items so that both of each pair are in some group, and all of a group are paired with its first.

    Nearness does not go on from one pair to the next: what is near to the same item may differ. So an item may be in
    several groups. Those with the most pairs come first, so that there are few groups.

    Args:
        count: How many items there are.
        pairs: (pairs, 2) indices, no pair twice.
    """
    links = _link(count, pairs)
    links = (links + links.T).tocsr()
    spans = [slice(start, end) for start, end in pairwise(links.indptr)]
    is_told, is_inside = np.zeros(links.nnz, bool), np.zeros(count, bool)
    groups = []
    for item in np.argsort(-np.diff(links.indptr), kind="stable"):
        untold = links.indices[spans[item]][~is_told[spans[item]]]
        if len(untold):
            group = [int(item), *sorted(untold.tolist())]
            is_inside[group] = True
            for span in (spans[member] for member in group):
                is_told[span] |= is_inside[links.indices[span]]
            is_inside[group] = False
            groups.append(group)
    return groups


def cluster(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the (count,) number of the cluster of each item, joined by (pairs, 2) indices."""
    clusters: NDArray[np.int32] = connected_components(_link(count, pairs), directed=False)[1]
    return clusters


def _link(count: int, pairs: NDArray[np.int64]) -> coo_array:
    return coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
