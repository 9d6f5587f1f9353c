"""Paints posed parts onto a picture: coverage, cloth, relief shading and shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge_runtime.drawing.fabric import TILE, Cloth, Float, noise, ridges
from edge_runtime.drawing.geometry import Part, Points, Role, resampled

# cv2.fillPoly takes fixed-point coordinates; 4 bits place edges to a sixteenth of a pixel.
_SHIFT = 4
_TILE_UNITS = 0.85


@dataclass(frozen=True, slots=True)
class Light:
    """A key light: `angle` in radians is where it comes from, `contrast` scales the shading."""

    angle: float
    contrast: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What all parts of one picture share.

    Attributes:
        image: float32 (height, width, 3) BGR in 0..1, painted in place.
        relief: float32 (height, width), wrinkles across the whole garment, in pixels.
        light: the key light.
        scale: pixels per garment unit.
    """

    image: Float
    relief: Float
    light: Light
    scale: float


@dataclass(frozen=True, slots=True)
class _Window:
    """The pixels around one part: rows top..bottom and columns left..right, end excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def crop(self, array: Float) -> Float:
        return array[self.top : self.bottom, self.left : self.right]


def wrinkles(rng: np.random.Generator, shape: tuple[int, int], depth: float) -> Float:
    """Returns a relief of soft bulges and sharp creases, float32 of `shape`, in pixels."""
    side = 192
    square = (side, side)
    field = 1.1 * noise(rng, square, (3, 3)) + 0.7 * ridges(rng, square, (3, 7))
    field += 0.35 * ridges(rng, square, (6, 13)) + 0.1 * noise(rng, square, (24, 24))
    # Bending the domain turns straight ridges into the curved, forking folds of cloth.
    bend = 14 * noise(rng, square, (3, 3))
    angle = rng.uniform(-0.9, 0.9)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    x = columns * np.float32(np.cos(angle)) - rows * np.float32(np.sin(angle)) + bend
    y = columns * np.float32(np.sin(angle)) + rows * np.float32(np.cos(angle)) - bend
    folded = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    grown = cv2.resize(folded * np.float32(depth), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, dtype=np.float32)


def coverage(outlines: Sequence[Points], shape: tuple[int, int], origin: tuple[int, int] = (0, 0)) -> Float:
    """Rasterises closed polygons with antialiased edges.

    Args:
        outlines: polygons (n, 2) in pixels.
        shape: (rows, columns) of the result.
        origin: (x, y) of the result's first pixel.

    Returns:
        float32 of `shape` in 0..1.
    """
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        fixed = np.rint((outline - origin) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
    return mask * np.float32(1 / 255)


def _lines(lines: Sequence[Points], window: _Window, width: float) -> Float:
    mask = np.zeros(window.shape, np.uint8)
    origin = np.array([window.left, window.top])
    fixed = [np.rint((line - origin) * 2**_SHIFT).astype(np.int32) for line in lines]
    cv2.polylines(mask, fixed, False, 255, max(1, round(width)), cv2.LINE_AA, _SHIFT)
    return mask * np.float32(min(1.0, max(width, 0.35)) / 255)


def _dashes(line: Points, step: float) -> list[Points]:
    length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    points = resampled(line, 2 * max(1, round(length / step / 2)) + 1)
    return [points[k : k + 2] for k in range(0, len(points) - 1, 2)]


def soften(field: Float, radius: float) -> Float:
    """Blurs with two box filters, about a Gaussian of standard deviation `radius` / 1.2."""
    width = 2 * max(1, round(radius)) + 1
    once = cv2.blur(field, (width, width))
    return np.asarray(cv2.blur(once, (width, width)), dtype=np.float32)


def slope(height: Float, light: Light) -> Float:
    """Returns how far a height field, in pixels, faces the light; 0 where it is level."""
    cos, sin = np.cos(light.angle), np.sin(light.angle)
    across = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]) * cos
    along = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]]) * sin
    # Height falls towards the light where the surface faces it, hence the sign of the kernels.
    return np.asarray(cv2.filter2D(height, -1, (across + along).astype(np.float32) / 8))


def dim(image: Float, factor: Float) -> None:
    """Multiplies, in place, a float32 (rows, columns, 3) picture by a (rows, columns) factor."""
    # In place, as fresh pages for every product would double the time of a picture.
    cv2.multiply(image, cv2.merge([factor] * 3), dst=image)


def cast_shadow(view: Float, mask: Float, reach: float, light: Light, weight: float) -> None:
    """Darkens `view` in place under and beside `mask`, away from the light.

    Args:
        view: float32 (rows, columns, 3).
        mask: float32 (rows, columns) in 0..1, what casts the shadow.
        reach: how far the shadow spreads, in pixels.
        light: sets the direction.
        weight: darkness under the mask, 0..1.
    """
    away = -0.7 * reach * np.array([np.cos(light.angle), np.sin(light.angle)])
    shift = np.array([[1, 0, away[0]], [0, 1, away[1]]], np.float32)
    moved_mask = np.asarray(cv2.warpAffine(mask, shift, mask.shape[::-1]), dtype=np.float32)
    dark = soften(moved_mask, reach)
    dim(view, 1 - np.float32(weight) * dark)


def _window(part: Part, shape: tuple[int, int], margin: float) -> _Window | None:
    low = np.floor(part.outline.min(axis=0) - margin).astype(int)
    high = np.ceil(part.outline.max(axis=0) + margin).astype(int) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), shape[1]), min(int(high[1]), shape[0])
    return _Window(left, top, right, bottom) if left < right and top < bottom else None


def _drape(part: Part, cloth: Cloth, window: _Window, stage: Stage) -> tuple[Float, Float]:
    """Lays the cloth's tile along the part's grain.

    Returns:
        Albedo (rows, columns, 3) and fold height (rows, columns) in pixels.
    """
    zoom = TILE / (_TILE_UNITS * stage.scale)
    # Wrinkles pull the pattern sideways, as they do on a real cloth.
    pull = window.crop(stage.relief) * 0.8
    # Python floats keep the maps in float32, where NumPy scalars would widen them.
    left, top = part.outline[0].tolist()
    x = np.arange(window.left, window.right, dtype=np.float32)[None, :] - left + pull
    y = np.arange(window.top, window.bottom, dtype=np.float32)[:, None] - top + pull
    cos, sin = float(np.cos(part.grain)) * zoom, float(np.sin(part.grain)) * zoom
    across, along = x * sin - y * cos, x * cos + y * sin
    drawn = cv2.remap(cloth.tile, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    laid = np.asarray(drawn, dtype=np.float32)
    return laid[..., :3].copy(), np.asarray(laid[..., 3] / np.float32(zoom), dtype=np.float32)


def _ink(albedo: Float, part: Part, outfit: dict[Role, Cloth], window: _Window) -> None:
    for decal in part.decals:
        stamp = coverage([decal.outline], window.shape, (window.left, window.top))
        ink = outfit[decal.role].tile[0, 0, :3]
        albedo += (0.92 * stamp)[..., None] * (ink - albedo)


def _sew(albedo: Float, part: Part, window: _Window, scale: float) -> Float:
    """Draws seams and thread onto the albedo and returns the grooves the seams press in."""
    groove = np.zeros(window.shape, np.float32)
    if part.seams:
        groove = _lines(part.seams, window, 0.005 * scale)
    if part.stitches:
        dashes = [dash for line in part.stitches for dash in _dashes(line, 0.011 * scale)]
        tone = np.float32(0.3) if float(albedo[::8, ::8].mean()) > 0.5 else np.float32(0.75)
        thread = _lines(dashes, window, 0.004 * scale)
        albedo += (0.5 * thread)[..., None] * (tone - albedo)
    return groove


def _shade(mask: Float, height: Float, cloth: Cloth, stage: Stage) -> tuple[Float, Float]:
    """Returns the diffuse factor (rows, columns) and the sheen added to every channel."""
    round_off = soften(mask, 0.022 * stage.scale * cloth.bulk)
    relief = height + round_off * np.float32(0.015 * stage.scale * cloth.bulk)
    facing = slope(relief, stage.light)
    occlusion = np.float32(0.84) + np.float32(0.16) * round_off
    diffuse = np.clip(1 + stage.light.contrast * facing, 0.35, 1.4) * occlusion
    sheen = cloth.gloss * np.clip(facing - 0.08, 0, 0.6)
    return np.asarray(diffuse, np.float32), np.asarray(sheen, np.float32)


def paint(part: Part, outfit: dict[Role, Cloth], stage: Stage) -> None:
    """Paints one part, in pixel coordinates, over the stage's image."""
    reach = max(1.0, part.lift * stage.scale)
    window = _window(part, stage.relief.shape, 3 * reach)
    if window is None:
        return
    cloth, view = outfit[part.role], window.crop(stage.image)
    mask = coverage([part.outline], window.shape, (window.left, window.top))
    cast_shadow(view, mask, reach, stage.light, 0.28)
    albedo, folds = _drape(part, cloth, window, stage)
    _ink(albedo, part, outfit, window)
    groove = _sew(albedo, part, window, stage.scale)
    height = folds + window.crop(stage.relief) - groove * np.float32(0.0025 * stage.scale)
    diffuse, sheen = _shade(mask, height, cloth, stage)
    dim(albedo, diffuse * (1 - np.float32(0.38) * groove))
    if cloth.gloss:
        albedo += sheen[..., None]
    cv2.blendLinear(albedo, view, mask, 1 - mask, dst=view)
