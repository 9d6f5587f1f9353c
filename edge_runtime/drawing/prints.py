"""Chest prints: simple emblems and lettering as decals."""

from __future__ import annotations

import numpy as np

from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import Decal, Points, ellipse, trace, tube

# Letters as strokes on a cell 1 wide and 2 high, y down.
_LETTERS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "A": (((0, 2), (0.5, 0)), ((0.5, 0), (1, 2)), ((0.2, 1.3), (0.8, 1.3))),
    "E": (((0, 0), (0, 2)), ((0, 0), (1, 0)), ((0, 1), (0.8, 1)), ((0, 2), (1, 2))),
    "H": (((0, 0), (0, 2)), ((1, 0), (1, 2)), ((0, 1), (1, 1))),
    "L": (((0, 0), (0, 2)), ((0, 2), (1, 2))),
    "N": (((0, 2), (0, 0)), ((0, 0), (1, 2)), ((1, 2), (1, 0))),
    "O": (((0, 0.4), (0.5, 0), (1, 0.4), (1, 1.6), (0.5, 2), (0, 1.6), (0, 0.4)),),
    "S": (((1, 0.2), (0.4, 0), (0.1, 0.6), (0.9, 1.4), (0.6, 2), (0, 1.8)),),
    "T": (((0, 0), (1, 0)), ((0.5, 0), (0.5, 2))),
    "V": (((0, 0), (0.5, 2)), ((0.5, 2), (1, 0))),
}


def _word(rng: Rng, x: float, y: float, height: float) -> tuple[Decal, ...]:
    letters = rng.choice(list(_LETTERS), int(rng.integers(3, 6)))
    cell = height / 2
    left = x - 0.75 * cell * len(letters)
    strokes = []
    for index, letter in enumerate(letters):
        corner = np.array([left + 1.5 * cell * index + 0.25 * cell, y])
        for stroke in _LETTERS[str(letter)]:
            strokes.append(tube(np.asarray(stroke) * cell + corner, [0.36 * cell] * 2))
    return tuple(Decal(stroke) for stroke in strokes)


def _star(x: float, y: float, radius: float, points: int) -> Points:
    angle = np.arange(2 * points) * np.pi / points - np.pi / 2
    reach = np.where(np.arange(2 * points) % 2, 0.45, 1.0) * radius
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)


def _peaks(x: float, y: float, reach: float) -> Points:
    return trace(
        (x - reach, y + 0.5 * reach),
        [(x - 0.35 * reach, y - 0.3 * reach)],
        [(x - 0.1 * reach, y)],
        [(x + 0.3 * reach, y - 0.6 * reach)],
        [(x + reach, y + 0.5 * reach)],
    )


def emblem(rng: Rng, x: float, y: float, reach: float) -> tuple[Decal, ...]:
    """Returns a star, a ring of sun, peaks or a bar, about `reach` units in radius."""
    outline = (
        _star(x, y, reach, int(rng.integers(4, 9))),
        ellipse((x, y), (reach * 0.8, reach * 0.8)),
        _peaks(x, y, reach),
        trace(
            (x - reach, y - 0.3 * reach),
            [(x + reach, y - 0.3 * reach)],
            [(x + reach, y + 0.3 * reach)],
            [(x - reach, y + 0.3 * reach)],
        ),
    )[int(rng.integers(4))]
    return (Decal(outline),)


def chest_print(rng: Rng) -> tuple[Decal, ...]:
    """Returns a big print, a lettered print or a small logo on the left breast."""
    kind = rng.random()
    if kind < 0.3:
        return emblem(rng, 0.14, 0.28, float(rng.uniform(0.03, 0.045)))
    if kind < 0.65:
        return _word(rng, 0.0, float(rng.uniform(0.28, 0.38)), float(rng.uniform(0.07, 0.13)))
    y = float(rng.uniform(0.38, 0.46))
    return (*emblem(rng, 0.0, y, float(rng.uniform(0.1, 0.15))), *_word(rng, 0.0, y + 0.17, 0.05))
