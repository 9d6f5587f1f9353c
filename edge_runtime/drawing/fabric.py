"""Cloths: colours, woven patterns and fold relief as one wrapping tile per material."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing.geometry import Role

Float = NDArray[np.float32]
Rng = np.random.Generator

TILE = 256
# BGR, the colours that clothes are mostly sold in.
COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (30, 28, 28),
    "charcoal": (62, 58, 56),
    "grey": (138, 134, 132),
    "silver": (196, 194, 192),
    "white": (240, 242, 243),
    "cream": (208, 230, 240),
    "beige": (158, 190, 212),
    "camel": (92, 140, 184),
    "khaki": (102, 140, 158),
    "olive": (52, 92, 96),
    "forest": (52, 78, 40),
    "green": (84, 140, 62),
    "mint": (190, 216, 176),
    "teal": (120, 116, 30),
    "sky": (222, 190, 140),
    "blue": (176, 96, 44),
    "navy": (74, 42, 30),
    "lavender": (206, 166, 172),
    "purple": (116, 52, 92),
    "pink": (184, 164, 232),
    "rose": (122, 92, 206),
    "red": (46, 38, 184),
    "burgundy": (48, 28, 100),
    "orange": (52, 118, 226),
    "mustard": (50, 158, 210),
    "yellow": (96, 208, 240),
    "brown": (44, 68, 98),
}
_DENIMS = ((108, 72, 48), (150, 108, 78), (186, 152, 122), (66, 46, 36), (60, 56, 54))
_STRAWS = ((132, 186, 214), (150, 204, 226), (84, 126, 164), (206, 224, 232), (52, 60, 66))


@dataclass(frozen=True, slots=True)
class Cloth:
    """A material.

    Attributes:
        tile: float32 array (n, n, 4) that wraps in both directions; BGR albedo in 0..1 and,
            last, the fold height in tile pixels. Columns run across the grain.
        gloss: weight of the specular sheen, 0..1.
        bulk: how far the edges are rounded, relative to a thin cotton.
    """

    tile: Float
    gloss: float = 0.0
    bulk: float = 1.0


@dataclass(frozen=True, slots=True)
class Style:
    """How one garment's main cloth is picked: names of patterns, textures and a fold depth."""

    patterns: tuple[str, ...]
    textures: tuple[str, ...]
    folds: float
    bulk: float = 1.0


_PRINTS = ("stripes", "checks", "dots", "floral", "melange")
STYLES: dict[str, Style] = {
    "dress": Style(("plain", "plain", *_PRINTS), ("weave", "satin"), 1.3),
    "hat": Style(("plain", "plain", "plain", "melange"), ("weave", "fleece"), 0.3, 1.6),
    "longsleeve": Style(("plain", "plain", "melange", "stripes"), ("weave", "knit"), 0.9),
    "outwear": Style(("plain", "plain", "plain", "melange"), ("satin", "fleece", "weave"), 1.1, 1.8),
    "pants": Style(("plain", "plain", "plain", "melange"), ("denim", "denim", "weave"), 0.9, 1.3),
    "shirt": Style(("plain", "plain", "checks", "checks", "pinstripes", "dots"), ("weave",), 0.9),
    "shoes": Style(("plain",), ("leather", "weave", "suede"), 0.12, 1.6),
    "shorts": Style(("plain", "plain", "melange", "floral"), ("denim", "weave", "weave"), 0.8),
    "skirt": Style(("plain", "plain", *_PRINTS), ("weave", "denim", "satin"), 1.2),
    "t-shirt": Style(("plain", "plain", "plain", "stripes", "melange"), ("weave",), 0.9),
}


@lru_cache(maxsize=64)
def _cubic_weights(length: int, cells: int) -> Float:
    """Returns the (length, cells) matrix that interpolates a wrapping lattice by cubics."""
    at = np.arange(length) * cells / length
    cell, t = np.floor(at).astype(int), at % 1
    weights = np.zeros((length, cells), np.float32)
    taps = (
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    )
    for offset, tap in enumerate(taps, start=-1):
        np.add.at(weights, (np.arange(length), (cell + offset) % cells), tap)
    return weights


def noise(rng: Rng, shape: tuple[int, int], cells: tuple[int, int]) -> Float:
    """Returns smooth wrapping noise, float32 of `shape`, with unit variance at the lattice.

    Args:
        rng: source of the lattice values.
        shape: (rows, columns).
        cells: lattice cells over the rows and over the columns, each at least 1.
    """
    lattice = rng.standard_normal(cells, dtype=np.float32)
    rows, columns = (_cubic_weights(*pair) for pair in zip(shape, cells, strict=True))
    # OpenCV's product, as NumPy's wakes a thread pool that outweighs such small matrices.
    nothing = np.empty((0, 0), np.float32)
    tall = np.asarray(cv2.gemm(rows, lattice, 1.0, nothing, 0.0))
    return np.asarray(cv2.gemm(tall, columns, 1.0, nothing, 0.0, flags=cv2.GEMM_2_T), np.float32)


def speckle(rng: Rng, shape: tuple[int, int]) -> Float:
    """Returns independent values of zero mean and unit variance, float32 of `shape`."""
    return np.asarray((rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(12**0.5))


def ridges(rng: Rng, shape: tuple[int, int], cells: tuple[int, int]) -> Float:
    """Returns wrapping relief of rounded ridges, float32 of `shape`, about 0..1."""
    field = noise(rng, shape, cells)
    return np.asarray(1 - np.sqrt(field * field + np.float32(0.03)), dtype=np.float32)


def pick_colour(rng: Rng) -> Float:
    """Returns a random cloth colour, float32 BGR (3,) in 0..1."""
    names = tuple(COLOURS)
    return _toned(rng, COLOURS[names[int(rng.integers(len(names)))]])


def _toned(rng: Rng, colour: tuple[int, int, int]) -> Float:
    drift = rng.normal(1.0, 0.05, 3) * rng.uniform(0.88, 1.08)
    return np.clip(np.asarray(colour) / 255 * drift, 0.04, 0.97).astype(np.float32)


def _contrast(rng: Rng, colour: Float) -> Float:
    """Picks, of a few colours, the one farthest from `colour`."""
    options = [pick_colour(rng) for _ in range(3)]
    farthest = np.argmax([np.abs(option - colour).sum() for option in options])
    return options[int(farthest)]


def _blend(base: Float, ink: Float, weight: Float) -> Float:
    return np.asarray(base + weight[..., None] * (ink - base), dtype=np.float32)


def _bands(rng: Rng, low: int, high: int) -> Float:
    """Returns a periodic 0/1 profile of length TILE made of stripes of 1 or 2 widths."""
    count = int(rng.integers(low, high))
    phase = (np.arange(TILE) * count / TILE) % 1
    edge = rng.uniform(0.2, 0.55)
    second = (phase > 0.75) & (phase < 0.75 + rng.choice([0.0, 0.08]))
    return np.asarray((phase < edge) | second, dtype=np.float32)


def _plain(rng: Rng, base: Float) -> Float:
    return np.full((TILE, TILE, 3), base, np.float32)


def _stripes(rng: Rng, base: Float) -> Float:
    rows = np.repeat(_bands(rng, 6, 18)[:, None], TILE, axis=1)
    return _blend(base, _contrast(rng, base), rows if rng.random() < 0.75 else rows.T)


def _pinstripes(rng: Rng, base: Float) -> Float:
    period = int(rng.choice([8, 16]))
    line = (np.arange(TILE) % period < max(1, period // 5)).astype(np.float32)
    return _blend(base, _contrast(rng, base), np.tile(line * 0.7, (TILE, 1)))


def _checks(rng: Rng, base: Float) -> Float:
    band, ink = _bands(rng, 5, 12), _contrast(rng, base)
    over = _blend(base, ink, np.tile(band * 0.55, (TILE, 1)))
    return _blend(over, ink, np.tile(band * 0.55, (TILE, 1)).T)


def _dots(rng: Rng, base: Float) -> Float:
    step = int(rng.choice([16, 32]))
    radius = step * rng.uniform(0.16, 0.28)
    rows, columns = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    shift = (rows // step % 2) * step / 2
    distance = np.hypot((columns + shift) % step - step / 2, rows % step - step / 2)
    return _blend(base, _contrast(rng, base), np.clip(radius - distance + 0.5, 0, 1))


def _floral(rng: Rng, base: Float) -> Float:
    tile = _plain(rng, base)
    inks = [_contrast(rng, base) for _ in range(3)]
    for _ in range(int(rng.integers(30, 70))):
        centre, reach = rng.integers(8, TILE - 8, 2), rng.uniform(3, 8)
        ink, turn = inks[int(rng.integers(3))].tolist(), rng.uniform(0, np.pi)
        for petal in turn + np.arange(5) * 2 * np.pi / 5:
            spot = centre + reach * 0.8 * np.array([np.cos(petal), np.sin(petal)])
            cv2.circle(tile, spot.astype(int).tolist(), int(reach * 0.6), ink, -1, cv2.LINE_AA)
        cv2.circle(tile, centre.tolist(), int(reach * 0.4), inks[0].tolist(), -1, cv2.LINE_AA)
    return tile


def _melange(rng: Rng, base: Float) -> Float:
    fleck = noise(rng, (TILE, TILE), (48, 128))
    return np.asarray(_plain(rng, base) * (1 + 0.045 * fleck[..., None]), dtype=np.float32)


_PATTERNS: dict[str, Callable[[Rng, Float], Float]] = {
    "plain": _plain,
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "melange": _melange,
}


def _weave(rng: Rng) -> Float:
    return np.asarray(1 + np.float32(0.035) * speckle(rng, (TILE, TILE)))


def _knit(rng: Rng) -> Float:
    rows, columns = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    wave = np.sin(columns * np.pi / 4) + 0.5 * np.sin((rows + np.abs(columns % 8 - 4)) * np.pi / 2)
    return np.asarray((1 + 0.06 * wave) * _weave(rng), dtype=np.float32)


def _denim(rng: Rng) -> Float:
    grain = speckle(rng, (TILE, TILE))
    twill = cv2.filter2D(grain, -1, np.eye(7, dtype=np.float32) / 2.6)
    fade = noise(rng, (TILE, TILE), (8, 4))
    return np.asarray(1 + 0.07 * twill + 0.06 * fade, dtype=np.float32)


def _fleece(rng: Rng) -> Float:
    return np.asarray(1 + 0.05 * noise(rng, (TILE, TILE), (128, 128)) * _weave(rng))


def _satin(rng: Rng) -> Float:
    return np.asarray(1 + np.float32(0.012) * speckle(rng, (TILE, TILE)))


_TEXTURES: dict[str, Callable[[Rng], Float]] = {
    "weave": _weave,
    "knit": _knit,
    "denim": _denim,
    "fleece": _fleece,
    "satin": _satin,
    "leather": _satin,
    "suede": _fleece,
}
_GLOSS = {"satin": 0.35, "leather": 0.5}


def _fold_height(rng: Rng, depth: float) -> Float:
    """Returns fold relief in tile pixels: long folds down the grain and short wrinkles."""
    long = noise(rng, (TILE, TILE), (2, 8))
    short = ridges(rng, (TILE, TILE), (3, 7))
    return np.asarray(depth * (2.0 * long + 1.6 * short), dtype=np.float32)


def _cloth(rng: Rng, base: Float, weave: tuple[str, str], folds: float, bulk: float) -> Cloth:
    pattern, texture = weave
    tile = np.empty((TILE, TILE, 4), np.float32)
    tile[..., :3] = _PATTERNS[pattern](rng, base) * _TEXTURES[texture](rng)[..., None]
    tile[..., 3] = _fold_height(rng, folds)
    return Cloth(tile, _GLOSS.get(texture, 0.0), bulk)


def solid(rng: Rng, colour: Float, gloss: float = 0.0, bulk: float = 1.0) -> Cloth:
    """Returns a stiff material of one colour, float32 BGR (3,) in 0..1."""
    tile = np.empty((2, 2, 4), np.float32)
    tile[..., :3], tile[..., 3] = colour, 0.0
    return Cloth(tile, gloss, bulk)


def _main_colour(rng: Rng, garment: str, texture: str) -> Float:
    if texture == "denim":
        return _toned(rng, _DENIMS[int(rng.integers(len(_DENIMS)))])
    if garment == "hat" and rng.random() < 0.3:
        return _toned(rng, _STRAWS[int(rng.integers(len(_STRAWS)))])
    return pick_colour(rng)


def dye(rng: Rng, garment: str) -> dict[Role, Cloth]:
    """Picks a cloth for every role of one garment.

    Args:
        rng: source of all choices.
        garment: a key of `STYLES`.
    """
    style = STYLES[garment]
    pattern, texture = str(rng.choice(style.patterns)), str(rng.choice(style.textures))
    base = _main_colour(rng, garment, texture)
    pattern = "plain" if texture == "denim" else pattern
    accent = _contrast(rng, base)
    trim = accent if rng.random() < 0.25 else np.asarray(base * 0.86, dtype=np.float32)
    main = _cloth(rng, base, (pattern, texture), style.folds, style.bulk)
    plain = _cloth(rng, trim, ("plain", texture), style.folds * 0.3, style.bulk)
    return {Role.MAIN: main, Role.TRIM: plain, **_hardware(rng, base, accent)}


def _hardware(rng: Rng, base: Float, accent: Float) -> dict[Role, Cloth]:
    """Picks the cloths that take no pattern: lining, prints, soles, laces, buttons, hangers."""
    pale, dark = _toned(rng, COLOURS["cream"]), _toned(rng, COLOURS["black"])
    rubber = (pale, pale, dark, _toned(rng, COLOURS["camel"]))[int(rng.integers(4))]
    button = (pale, dark, accent)[int(rng.integers(3))]
    wood = _toned(rng, COLOURS[str(rng.choice(["camel", "brown", "black", "white"]))])
    return {
        Role.LINING: solid(rng, np.asarray(base * rng.uniform(0.45, 0.7), dtype=np.float32)),
        Role.PRINT: solid(rng, accent),
        Role.SOLE: solid(rng, rubber, 0.1, 1.4),
        Role.LACE: solid(rng, (pale, dark, accent)[int(rng.integers(3))]),
        Role.METAL: solid(rng, _toned(rng, COLOURS["silver"]), 0.6),
        Role.BUTTON: solid(rng, button, 0.4),
        Role.HANGER: solid(rng, wood, 0.3),
    }
