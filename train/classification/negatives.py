"""Pictures that show none of the classes: some to learn from, the others to choose the rejection threshold on."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edge_runtime.drawing import draw_background, draw_clutter
from edge_runtime.errors import DataError
from edge_runtime.pictures import pictures_under
from edge_runtime.preprocess import Image


@dataclass(frozen=True, slots=True)
class Negatives:
    """The pictures of one folder, divided.

    Attributes:
        training: To learn from.
        held_out: To choose and measure the rejection threshold on.
    """

    training: tuple[Path, ...] = ()
    held_out: tuple[Path, ...] = ()


def find_negatives(folder: Path | None) -> Negatives:
    """Find the pictures under a folder and divide them in halves; none where the folder is None.

    Each has its place by the hash of its name, so pictures that join later change the side of few others: a student
    must not choose its threshold on what its teacher has learnt from.

    Raises:
        DataError: The folder has no picture.
    """
    if folder is None:
        return Negatives()
    paths = sorted(pictures_under(folder), key=lambda path: _digest(path.relative_to(folder)))
    if not paths:
        raise DataError(f"{folder} has no picture; name a folder with pictures that show no known garment.")
    half = len(paths) // 2
    return Negatives(tuple(paths[:half]), tuple(paths[half:]))


def _digest(name: Path) -> bytes:
    # A name need not be UTF-8.
    return sha256(os.fsencode(name.as_posix())).digest()


def draw_negative(seed: int, size: tuple[int, int] = (480, 360)) -> Image:
    """Draw a scene without a garment: by the seed a bare background, or one with clutter on it.

    Args:
        seed: Non-negative; the same one gives the same picture.
        size: (height, width) in pixels.

    Returns:
        (height, width, 3) uint8 BGR in [0, 255].
    """
    return draw_clutter(seed, size) if seed % 2 else draw_background(seed, size)
