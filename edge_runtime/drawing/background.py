"""Scenes behind a garment: wall, wooden floor, bed sheet, carpet, tiles and table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from edge_runtime.drawing.fabric import Float, Rng, noise, speckle
from edge_runtime.drawing.render import Light, dim, slope, wrinkles

# Surfaces are made on a fixed square and then seen in perspective.
_SIDE = 320


@dataclass(frozen=True, slots=True)
class Surface:
    """A kind of surface: how it is painted, its BGR tones (0..255) and whether it turns."""

    paint: Callable[[Rng, Float], Float]
    tones: tuple[tuple[int, int, int], ...]
    turns: bool = True


def _plain(tone: Float) -> Float:
    return np.full((_SIDE, _SIDE, 3), tone, np.float32)


def _shaded(surface: Float, factor: Float) -> Float:
    dim(surface, factor)
    return surface


def _grain(rng: Rng, amount: float) -> Float:
    return np.asarray(1 + np.float32(amount) * speckle(rng, (_SIDE, _SIDE)))


def _wall(rng: Rng, tone: Float) -> Float:
    plaster = 1 + 0.006 * noise(rng, (_SIDE, _SIDE), (80, 80)) + 0.02 * noise(rng, (_SIDE, _SIDE), (3, 3))
    wall = _shaded(_plain(tone), plaster)
    if rng.random() < 0.3:
        edge = int(rng.uniform(0.04, 0.16) * _SIDE)
        side = slice(0, edge) if rng.random() < 0.5 else slice(_SIDE - edge, _SIDE)
        wall[:, side] *= rng.uniform(0.6, 0.9, 3).astype(np.float32)
    return np.asarray(wall, dtype=np.float32)


def _planks(rng: Rng, tone: Float) -> Float:
    width = int(rng.integers(22, 60))
    rows = np.arange(_SIDE)
    plank = (rows + int(rng.integers(width))) // width
    shade = rng.normal(1, 0.09, int(plank.max()) + 1).astype(np.float32)[plank]
    streaks = noise(rng, (_SIDE, _SIDE), (_SIDE, 8)) * 0.05 + noise(rng, (_SIDE, _SIDE), (64, 5)) * 0.05
    factor = shade[:, None] * (1 + streaks)
    factor[1:][np.diff(plank) > 0] *= 0.5
    for index in range(int(plank.max()) + 1):
        factor[plank == index, int(rng.integers(_SIDE))] *= 0.55
    return _shaded(_plain(tone), factor)


def _sheet(rng: Rng, tone: Float) -> Float:
    sheet = _plain(tone)
    if rng.random() < 0.3:
        period = int(rng.choice([16, 20, 32, 40]))
        stripe = (np.arange(_SIDE) % period < period // 2).astype(np.float32)
        sheet *= 1 - 0.12 * stripe[None, :, None]
    height = wrinkles(rng, (_SIDE, _SIDE), float(rng.uniform(4, 9)))
    light = slope(height, Light(float(rng.uniform(-np.pi, np.pi)), 1.0))
    return _shaded(sheet, 1 + np.float32(0.55) * light)


def _carpet(rng: Rng, tone: Float) -> Float:
    pile = _grain(rng, 0.1) + 0.06 * noise(rng, (_SIDE, _SIDE), (64, 64))
    carpet = _plain(tone)
    if rng.random() < 0.4:
        border = int(rng.integers(12, 40))
        inner = carpet[border:-border, border:-border]
        inner *= rng.uniform(0.75, 1.15, 3).astype(np.float32)
    return _shaded(carpet, pile)


def _tiles(rng: Rng, tone: Float) -> Float:
    step = int(rng.choice([64, 80, 107, 160]))
    cell = np.arange(_SIDE) // step
    shade = rng.normal(1, 0.025, (int(cell.max()) + 1,) * 2).astype(np.float32)[cell[:, None], cell[None, :]]
    factor = shade * (1 + 0.03 * noise(rng, (_SIDE, _SIDE), (10, 10)))
    grout = np.arange(_SIDE) % step < 3
    factor[grout] *= rng.uniform(0.7, 0.9)
    factor[:, grout] *= rng.uniform(0.7, 0.9)
    return _shaded(_plain(tone), factor)


def _table(rng: Rng, tone: Float) -> Float:
    return _shaded(_plain(tone), _grain(rng, 0.008))


_WOODS = ((96, 140, 184), (70, 104, 146), (44, 66, 98), (150, 176, 196), (120, 128, 134))
_PALE = ((226, 230, 232), (206, 214, 220), (222, 214, 206), (190, 206, 216), (176, 184, 188))
_SOFT = ((228, 226, 226), (206, 190, 178), (170, 150, 140), (190, 186, 216), (120, 108, 100))
_RUGS = ((150, 168, 180), (112, 112, 114), (92, 74, 62), (70, 66, 120), (190, 200, 206))
SURFACES: dict[str, Surface] = {
    "wall": Surface(_wall, (*_PALE, (170, 186, 160), (168, 150, 132)), turns=False),
    "planks": Surface(_planks, _WOODS),
    "sheet": Surface(_sheet, _SOFT),
    "carpet": Surface(_carpet, _RUGS),
    "tiles": Surface(_tiles, (*_PALE, (112, 116, 120))),
    "table": Surface(_table, (*_PALE, *_WOODS[:3], (236, 238, 238))),
}


def pick_tone(rng: Rng, surface: str, away_from: Float | None = None) -> Float:
    """Picks a tone of the surface, the likelier the farther it is from a given colour.

    Args:
        rng: source of the choice.
        surface: a key of `SURFACES`.
        away_from: float32 BGR (3,) in 0..1 to stand out from, or None for any tone.

    Returns:
        float32 BGR (3,) in 0..1.
    """
    tones = SURFACES[surface].tones
    drawn = np.array([tones[int(k)] for k in rng.integers(len(tones), size=2)], np.float32) / 255
    drawn *= rng.normal(1, 0.03, (2, 3)).astype(np.float32)
    if away_from is None:
        return np.asarray(drawn[0])
    return np.asarray(drawn[int(np.argmax(np.abs(drawn - away_from).sum(axis=1)))])


def _viewpoint(rng: Rng, size: tuple[int, int], turns: bool) -> Float:
    """Returns the 3x3 homography from the surface square to a frame of (height, width)."""
    height, width = size
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.25) if turns else rng.normal(0, 0.01)
    reach = rng.uniform(0.34, 0.45) if turns else 0.42
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * reach * _SIDE
    corners = corners * (np.array([width, height]) / max(width, height))
    tilt = 1 + rng.uniform(0, 0.12) * np.array([1, 1, -1, -1])[:, None]
    cos, sin = np.cos(angle), np.sin(angle)
    seen = (corners * tilt) @ np.array([[cos, sin], [-sin, cos]]) + _SIDE / 2
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(seen.astype(np.float32), frame), np.float32)


def paint_surface(rng: Rng, size: tuple[int, int], surface: str, tone: Float) -> Float:
    """Paints a surface as a camera sees it.

    Args:
        rng: source of all choices.
        size: (height, width) in pixels.
        surface: a key of `SURFACES`.
        tone: float32 BGR (3,) in 0..1.

    Returns:
        float32 (height, width, 3) BGR, about 0..1.
    """
    kind = SURFACES[surface]
    square = kind.paint(rng, tone)
    view = _viewpoint(rng, size, kind.turns)
    seen = cv2.warpPerspective(square, view, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, dtype=np.float32)
