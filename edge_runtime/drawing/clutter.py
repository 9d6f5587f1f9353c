"""Things that are no garments: balls, boxes, bottles, papers, cables and other shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_runtime.drawing.fabric import Float, Rng, noise
from edge_runtime.drawing.geometry import Points, rotation
from edge_runtime.drawing.render import Light, cast_shadow, coverage, dim

Shape = Callable[[Rng], list[Points]]
"""Makes the outlines of one thing about the origin, of a size of about one."""


def _ellipse(squeeze: float, corners: int = 48) -> Points:
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.column_stack([np.cos(turns), squeeze * np.sin(turns)]) / 2


def _rectangle(width: float, height: float, centre: tuple[float, float] = (0.0, 0.0)) -> Points:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
    return np.asarray(corners + centre)


def _ball(rng: Rng) -> list[Points]:
    return [_ellipse(float(rng.choice([1.0, rng.uniform(0.4, 1.0)])))]


def _box(rng: Rng) -> list[Points]:
    return [_rectangle(1.0, float(rng.uniform(0.2, 1.0)))]


def _bottle(rng: Rng) -> list[Points]:
    body, neck = float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.06, 0.14))
    return [_rectangle(body, 0.7, (0, 0.15)), _rectangle(neck, 0.4, (0, -0.35))]


def _frame(rng: Rng) -> list[Points]:
    """Make four bars around nothing."""
    width, height, bar = 1.0, float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.04, 0.15))
    level = [_rectangle(width, bar, (0, sign * height / 2)) for sign in (-1, 1)]
    upright = [_rectangle(bar, height, (sign * width / 2, 0)) for sign in (-1, 1)]
    return [*level, *upright]


def _splinter(rng: Rng) -> list[Points]:
    """Make a polygon of three to seven corners, some of them inwards."""
    corners = int(rng.integers(3, 8))
    turns = np.sort(rng.uniform(0, 2 * np.pi, corners))
    return [np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(0.15, 0.5, (corners, 1))]


def _cable(rng: Rng) -> list[Points]:
    """Make a band along a smooth random walk."""
    steps = np.linspace(0, 1, 40)
    waves = rng.normal(0, 0.25, (2, 4))
    line = np.column_stack([steps - 0.5, np.zeros_like(steps)])
    line += np.sin(np.outer(steps, np.arange(1, 5)) * np.pi) @ waves.T
    across = np.gradient(line, axis=0)[:, ::-1] * (1, -1)
    across *= float(rng.uniform(0.01, 0.04)) / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    return [np.concatenate([line + across, (line - across)[::-1]])]


_SHAPES: tuple[Shape, ...] = (_ball, _box, _bottle, _frame, _splinter, _cable)


def strew(rng: Rng, image: Float, light: Light) -> None:
    """Paints one to six things over a float32 BGR image in about 0..1, in place."""
    for _ in range(int(rng.integers(1, 7))):
        _put(rng, image, light)


def _put(rng: Rng, image: Float, light: Light) -> None:
    size = np.array(image.shape[1::-1], np.float64)
    scale = float(rng.uniform(0.1, 0.9)) * float(size.min())
    turn, place = rotation(float(rng.uniform(-np.pi, np.pi))), rng.uniform(0.05, 0.95, 2) * size
    outlines = [turn(outline) * scale + place for outline in _SHAPES[int(rng.integers(len(_SHAPES)))](rng)]
    mask = coverage(outlines, image.shape[:2])
    cast_shadow(image, mask, max(1.0, float(rng.uniform(0.01, 0.05)) * scale), light, float(rng.uniform(0, 0.5)))
    _fill(rng, image, mask, light)


def _fill(rng: Rng, image: Float, mask: Float, light: Light) -> None:
    """Colours what the mask covers: even, striped or mottled, brighter towards the light."""
    rows, columns = (np.asarray(axis, np.float32) for axis in np.indices(mask.shape))
    vivid = rng.uniform(0, 1, (2, 3))
    grey = vivid.mean(axis=1, keepdims=True)
    colours = (grey + rng.uniform(0, 1) * (vivid - grey)).astype(np.float32)
    toward = (columns * np.cos(light.angle) + rows * np.sin(light.angle)) / max(mask.shape)
    shade = 1 + np.float32(rng.uniform(0, 0.5)) * (toward - toward.mean())
    paint = colours[0] + _pattern(rng, rows, columns)[..., None] * (colours[1] - colours[0])
    dim(paint, np.asarray(shade, np.float32))
    image += mask[..., None] * (paint - image)


def _pattern(rng: Rng, rows: Float, columns: Float) -> Float:
    """Returns the share of the second colour at each pixel, 0..1: none, stripes or blotches."""
    kind = rng.random()
    if kind < 0.6:
        return np.zeros_like(rows)
    if kind < 0.8:
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.02, 0.2) * max(rows.shape)
        return np.asarray((columns * np.cos(angle) + rows * np.sin(angle)) % period < period / 2, np.float32)
    cells = int(rng.integers(3, 20))
    return np.asarray(np.clip(0.5 + noise(rng, rows.shape, (cells, cells)), 0, 1), np.float32)
