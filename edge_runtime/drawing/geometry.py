"""Curves and garment parts: the vector side of the renderer.

Shapes are built in *garment units*: x to the right, y down, one unit being about the length
of a T-shirt. Angles are radians measured from +x towards +y (clockwise on screen).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pair = tuple[float, float]

DOWN = np.pi / 2
_SAMPLES = 8


class Role(Enum):
    """What a part is made of; the outfit maps each role to a cloth."""

    MAIN = auto()
    TRIM = auto()
    LINING = auto()
    PRINT = auto()
    SOLE = auto()
    LACE = auto()
    METAL = auto()
    BUTTON = auto()
    HANGER = auto()


@dataclass(frozen=True, slots=True)
class Decal:
    """A flat print on a part: a closed outline of shape (n, 2) and its ink."""

    outline: Points
    role: Role = Role.PRINT


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of cloth or hardware, painted over the parts before it.

    Attributes:
        outline: closed polygon, shape (n, 2).
        role: selects the cloth.
        grain: direction of the warp thread, along which folds run, in radians.
        seams: open polylines sewn or pressed into the part.
        stitches: open polylines of visible thread.
        decals: prints that take the part's shading.
        lift: height above what lies beneath, in garment units; sets the shadow it casts.
    """

    outline: Points
    role: Role = Role.MAIN
    grain: float = DOWN
    seams: tuple[Points, ...] = ()
    stitches: tuple[Points, ...] = ()
    decals: tuple[Decal, ...] = ()
    lift: float = 0.015


@dataclass(frozen=True, slots=True)
class Garment:
    """A garment as parts from back to front, and the hanger behind them (may be empty)."""

    parts: tuple[Part, ...]
    hanger: tuple[Part, ...] = ()


def spline(knots: Sequence[Pair] | Points) -> Points:
    """Returns the open Catmull-Rom curve through the knots, shape (n, 2)."""
    inner = np.asarray(knots, dtype=np.float64)
    first, last = 2 * inner[0] - inner[1], 2 * inner[-1] - inner[-2]
    padded = np.vstack([first, inner, last])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, _SAMPLES, endpoint=False)[None, :, None]
    tangent = (end - before)[:, None] * t
    bend = (2 * before - 5 * start + 4 * end - after)[:, None] * t**2
    twist = (3 * start - before - 3 * end + after)[:, None] * t**3
    curve = start[:, None] + 0.5 * (tangent + bend + twist)
    return np.vstack([curve.reshape(-1, 2), inner[-1:]])


def trace(start: Pair, *runs: Sequence[Pair]) -> Points:
    """Joins splines end to end; each run starts where the last ended, with a corner there."""
    pieces = []
    for run in runs:
        pieces.append(spline([start, *run]))
        start = run[-1]
    return np.concatenate(pieces)


def flipped(points: Points) -> Points:
    """Mirrors points left to right."""
    return np.asarray(points * np.array([-1.0, 1.0]), dtype=np.float64)


def mirrored(half: Points) -> Points:
    """Closes a right half, traced from top centre to bottom centre, with its mirror image."""
    return np.concatenate([half, flipped(half)[::-1]])


def tube(centres: Sequence[Pair] | Points, widths: Sequence[float]) -> Points:
    """Returns the outline of a strip along a spline, with its width given at even steps."""
    line = spline(centres)
    at = np.linspace(0, 1, len(line))
    radius = np.interp(at, np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = tangent[:, ::-1] * np.array([-1.0, 1.0])
    return np.concatenate([line + normal * radius, (line - normal * radius)[::-1]])


def ellipse(centre: Pair, radii: Pair, angle: float = 0.0) -> Points:
    """Returns an ellipse outline turned by `angle` radians."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    ring = np.stack([np.cos(t) * radii[0], np.sin(t) * radii[1]], axis=1)
    return np.asarray(rotation(angle)(ring) + np.asarray(centre), dtype=np.float64)


def ribs(near: Points, far: Points, count: int) -> tuple[Points, ...]:
    """Returns `count` lines joining evenly spaced points of two curves."""
    starts, ends = resampled(near, count), resampled(far, count)
    return tuple(np.linspace(a, b, 6) for a, b in zip(starts, ends, strict=True))


def resampled(line: Points, count: int) -> Points:
    """Returns `count` points evenly spaced along an open polyline."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, line[:, k]) for k in (0, 1)], axis=1)


def rotation(angle: float) -> Callable[[Points], Points]:
    """Returns the map that turns points about the origin by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, sin], [-sin, cos]])
    return lambda points: points @ matrix


def moved(part: Part, move: Callable[[Points], Points], grain: float) -> Part:
    """Returns the part with every point mapped by `move` and a new grain direction."""
    return replace(
        part,
        outline=move(part.outline),
        grain=grain,
        seams=tuple(map(move, part.seams)),
        stitches=tuple(map(move, part.stitches)),
        decals=tuple(replace(decal, outline=move(decal.outline)) for decal in part.decals),
    )


def flipped_part(part: Part) -> Part:
    """Returns the part mirrored left to right."""
    return moved(part, flipped, np.pi - part.grain)


def both_sides(part: Part) -> tuple[Part, Part]:
    """Returns the part and its mirror image."""
    return part, flipped_part(part)
