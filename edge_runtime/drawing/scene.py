"""Composes a garment and a background into a picture like a phone photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing.background import SURFACES, paint_surface, pick_tone
from edge_runtime.drawing.bottoms import pants, shorts, skirt
from edge_runtime.drawing.clutter import strew
from edge_runtime.drawing.dresses import dress
from edge_runtime.drawing.fabric import Float, Rng, dye, speckle
from edge_runtime.drawing.geometry import Garment, Part, Points, Role, moved, rotation
from edge_runtime.drawing.hats import hat
from edge_runtime.drawing.outwear import outwear
from edge_runtime.drawing.render import (
    Light,
    Stage,
    cast_shadow,
    coverage,
    dim,
    paint,
    wrinkles,
)
from edge_runtime.drawing.shoes import shoes
from edge_runtime.drawing.tops import longsleeve, shirt, tshirt

_MAKERS: dict[str, Callable[[Rng], Garment]] = {
    "dress": dress,
    "hat": hat,
    "longsleeve": longsleeve,
    "outwear": outwear,
    "pants": pants,
    "shirt": shirt,
    "shoes": shoes,
    "shorts": shorts,
    "skirt": skirt,
    "t-shirt": tshirt,
}
GARMENTS: tuple[str, ...] = tuple(_MAKERS)
# Keeps the random streams of backgrounds, clutter and garments apart.
_BACKGROUND_STREAM = len(GARMENTS)
_CLUTTER_STREAM = _BACKGROUND_STREAM + 1


@dataclass(frozen=True, slots=True)
class _Pose:
    """Where a garment lies: angle in radians, share of the frame, offset in frame shares."""

    angle: float
    fill: float
    offset: tuple[float, float]
    tilt: tuple[float, float]


def _pick_pose(rng: Rng, hung: bool) -> _Pose:
    spread = 0.03 if hung else (0.12 if rng.random() < 0.85 else 0.6)
    angle = float(np.clip(rng.normal(0, spread), -3 * spread, 3 * spread))
    fill = float(rng.uniform(0.7, 0.95))
    offset = tuple(rng.normal(0, 0.02, 2).tolist())
    tilt = tuple(rng.normal(0, 0.035, 2).tolist())
    return _Pose(angle, fill, (offset[0], offset[1]), (tilt[0], tilt[1]))


def _wobble(rng: Rng) -> Callable[[Points], Points]:
    """Returns a smooth displacement that makes outlines uneven, as cloth lies uneven."""
    waves, phase = rng.normal(0, 4.0, (4, 2)), rng.uniform(0, 2 * np.pi, 4)
    push = rng.normal(0, 0.009, (4, 2))
    return lambda points: points + np.sin(points @ waves.T + phase) @ push


def _posed(
    garment: Garment, hung: bool, pose: _Pose, rng: Rng, size: tuple[int, int]
) -> tuple[tuple[Part, ...], float]:
    """Maps a garment to pixels; returns its parts and the pixels per garment unit."""
    bend, turn = _wobble(rng), rotation(pose.angle)

    def seen(points: Points) -> Points:
        flat = turn(bend(points))
        depth = 1 + flat @ np.asarray(pose.tilt)
        return np.asarray(flat / depth[:, None], dtype=np.float64)

    outline = seen(np.concatenate([part.outline for part in garment.parts]))
    low, high = outline.min(axis=0), outline.max(axis=0)
    frame = np.array([size[1], size[0]])
    # A spread-out garment would come out tiny in a portrait frame, so it may fill the width.
    fill = np.array([max(pose.fill, 0.86), pose.fill])
    scale = float(np.min(fill * frame / (high - low)))
    shift = frame * (0.5 + np.asarray(pose.offset)) - scale * (low + high) / 2
    parts = (*garment.hanger, *garment.parts) if hung else garment.parts
    return tuple(moved(part, lambda p: seen(p) * scale + shift, part.grain + pose.angle) for part in parts), scale


def expose(rng: Rng, image: Float, light: Light) -> None:
    """Applies light fall-off and white balance to a float32 BGR image in 0..1, in place."""
    rows = np.linspace(-1, 1, image.shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, image.shape[1], dtype=np.float32)[None, :]
    toward = columns * np.float32(np.cos(light.angle)) + rows * np.float32(np.sin(light.angle))
    corner = np.float32(rng.uniform(0, 0.1)) * (rows**2 + columns**2)
    gain = np.float32(rng.uniform(0.85, 1.08)) * (1 + np.float32(rng.uniform(0.02, 0.15)) * toward - corner)
    warmth = float(rng.normal(0, 0.035))
    # Lens flare lifts the blacks a little, as in any hand-held photo.
    balance = np.array([1 - warmth, 1.0, 1 + warmth]) * 0.95
    matrix = np.column_stack([np.diag(balance), np.full(3, 0.025)])
    dim(image, gain)
    cv2.transform(image, matrix, dst=image)


def photograph(rng: Rng, image: Float) -> NDArray[np.uint8]:
    """Adds lens softness, sensor noise and JPEG loss to a float32 BGR image in 0..1, and returns uint8."""
    sigma = float(rng.uniform(0.4, 0.8))
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    grain = cv2.merge([speckle(rng, image.shape[:2])] * 3)
    gain = 255 * float(rng.uniform(0.004, 0.018))
    pixels = cv2.addWeighted(soft, 255.0, grain, gain, 0.0, dtype=cv2.CV_8U)
    quality = int(rng.integers(70, 95))
    _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)


def pick_light(rng: Rng) -> Light:
    return Light(float(rng.normal(-np.pi / 2, 0.7)), float(rng.uniform(0.8, 1.25)))


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise ValueError(f"size must be positive (height, width), got {size}")


def _pick_surface(rng: Rng, hung: bool) -> str:
    flat = [name for name, surface in SURFACES.items() if surface.turns]
    return "wall" if hung else str(rng.choice(flat))


def draw_background(seed: int, size: tuple[int, int] = (480, 360)) -> NDArray[np.uint8]:
    """Draws a scene without a garment, such as a floor, a wall or a bed sheet.

    Args:
        seed: non-negative; the same seed and size give the same bytes.
        size: (height, width) in pixels.

    Returns:
        uint8 array (height, width, 3), BGR.

    Raises:
        ValueError: a side of `size` is below 1, or `seed` is negative.
    """
    _check_size(size)
    return _draw_scene(np.random.default_rng([_BACKGROUND_STREAM, seed]), size, lambda *_: None)


def draw_clutter(seed: int, size: tuple[int, int] = (480, 360)) -> NDArray[np.uint8]:
    """Draws a scene with things that are no garments, such as balls, boxes and cables.

    Arguments, result and errors are those of `draw_background`.
    """
    _check_size(size)
    return _draw_scene(np.random.default_rng([_CLUTTER_STREAM, seed]), size, strew)


def _draw_scene(rng: Rng, size: tuple[int, int], furnish: Callable[[Rng, Float, Light], None]) -> NDArray[np.uint8]:
    surface = _pick_surface(rng, hung=bool(rng.random() < 0.3))
    image, light = paint_surface(rng, size, surface, pick_tone(rng, surface)), pick_light(rng)
    furnish(rng, image, light)
    expose(rng, image, light)
    return photograph(rng, image)


def draw_garment(garment: str, seed: int, size: tuple[int, int] = (480, 360)) -> NDArray[np.uint8]:
    """Draws a picture of one garment on a hanger, floor, bed or table.

    The picture depends on the arguments alone, never on global random state.

    Args:
        garment: one of `GARMENTS`.
        seed: non-negative; each seed gives another cut, cloth, pose and scene.
        size: (height, width) in pixels.

    Returns:
        uint8 array (height, width, 3), BGR.

    Raises:
        ValueError: the garment is unknown, a side of `size` is below 1, or `seed` is negative.
    """
    if garment not in _MAKERS:
        raise ValueError(f"unknown garment {garment!r}; known: {', '.join(GARMENTS)}")
    _check_size(size)
    rng = np.random.default_rng([GARMENTS.index(garment), seed])
    design, outfit, light = _MAKERS[garment](rng), dye(rng, garment), pick_light(rng)
    hung = bool(design.hanger) and bool(rng.random() < 0.4)
    parts, scale = _posed(design, hung, _pick_pose(rng, hung), rng, size)
    surface = _pick_surface(rng, hung)
    tone = pick_tone(rng, surface, outfit[Role.MAIN].tile[::8, ::8, :3].mean(axis=(0, 1)))
    image = paint_surface(rng, size, surface, tone)
    _ground(image, parts, light, scale, hung)
    stage = Stage(image, wrinkles(rng, size, float(rng.uniform(0.009, 0.02)) * scale), light, scale)
    for part in parts:
        paint(part, outfit, stage)
    expose(rng, image, light)
    return photograph(rng, image)


def _ground(image: Float, parts: tuple[Part, ...], light: Light, scale: float, hung: bool) -> None:
    """Casts the garment's shadow on the scene: tight and dark when it lies, wide when it hangs."""
    mask = coverage([part.outline for part in parts], image.shape[:2])
    spread, weight = (0.07, 0.3) if hung else (0.022, 0.45)
    cast_shadow(image, mask, max(1.0, spread * scale), light, weight)
