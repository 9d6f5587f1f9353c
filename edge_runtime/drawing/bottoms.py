"""Outlines of pants, shorts and skirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import (
    Garment,
    Part,
    Points,
    Role,
    both_sides,
    ellipse,
    flipped,
    ribs,
    spline,
    trace,
    tube,
)

_BAND = 0.06


@dataclass(frozen=True, slots=True)
class _Cut:
    """Half widths and heights of trousers, in garment units."""

    waist: float
    hip: float
    crotch: float
    hem: float
    length: float
    spread: float


def clip_hanger(waist: float) -> tuple[Part, ...]:
    """Returns a bar with two clips above a waistband of the given half width."""
    bar = Part(tube([(-waist, -0.07), (waist, -0.07)], [0.03, 0.03]), Role.METAL)
    hook = tube([(0, -0.07), (0, -0.16), (0.04, -0.2), (0.03, -0.26), (-0.03, -0.25)], [0.014] * 3)
    clip = Part(
        trace(
            (0.6 * waist, -0.1),
            [(0.6 * waist + 0.04, -0.1)],
            [(0.6 * waist + 0.05, 0.03)],
            [(0.6 * waist - 0.01, 0.03)],
        ),
        Role.HANGER,
    )
    return Part(hook, Role.METAL), bar, *both_sides(clip)


def _leg(cut: _Cut, rng: Rng) -> Points:
    """Traces a right half from waist centre round the leg to the crotch."""
    lean = cut.spread * rng.uniform(0.4, 1.3)
    middle = cut.crotch + (cut.length - cut.crotch) * 0.5
    outer, inner = lean + cut.hem * 2, lean
    return trace(
        (0, 0),
        [(cut.waist, -0.01)],
        [
            (cut.waist + 0.03, 0.1),
            (cut.hip, cut.crotch * 0.8),
            (0.5 * (cut.hip + outer), middle),
            (outer, cut.length),
        ],
        [(0.5 * (inner + outer), cut.length + 0.012), (inner, cut.length)],
        [(0.5 * inner + 0.012, middle), (0.012, cut.crotch + 0.04), (0, cut.crotch)],
    )


def _waistband(waist: float, role: Role) -> Part:
    half = trace((0, -0.005), [(waist, -0.015)], [(waist + 0.012, _BAND)], [(0, _BAND + 0.01)])
    band = np.concatenate([half, flipped(half)[::-1]])
    lower = spline([(-waist, _BAND - 0.012), (0, _BAND - 0.004), (waist, _BAND - 0.012)])
    return Part(band, role, grain=0.0, stitches=(lower,), lift=0.006)


def _opening(waist: float) -> Part:
    """The inside of the back waistband, seen over the front edge."""
    return Part(
        trace((-waist, -0.01), [(0, -0.035), (waist, -0.01)], [(0, 0.02), (-waist, -0.01)]),
        Role.LINING,
    )


def _loops(waist: float) -> tuple[Part, ...]:
    spots = (-0.75, -0.35, 0.35, 0.75)
    return tuple(Part(tube([(waist * x, -0.018), (waist * x, _BAND + 0.018)], [0.02, 0.02]), lift=0.006) for x in spots)


def _fly(cut: _Cut) -> tuple[Points, ...]:
    bottom = cut.crotch * 0.72
    return (spline([(0.05, _BAND), (0.048, bottom * 0.75), (0.03, bottom * 0.94), (0, bottom)]),)


def _pocket_lines(cut: _Cut) -> tuple[Points, ...]:
    line = spline([(cut.waist * 0.5, _BAND), (cut.waist * 0.62, 0.12), (cut.waist + 0.03, 0.17)])
    return line, flipped(line)


def _drawstring(rng: Rng) -> tuple[Part, ...]:
    drop = float(rng.uniform(0.16, 0.26))
    cord = [(0.015, 0.035), (0.03, 0.1), (0.02, drop)]
    other = [(-0.015, 0.035), (-0.04, 0.09), (-0.03, drop * 0.9)]
    return tuple(Part(tube(line, [0.014] * 2), Role.LACE, lift=0.005) for line in (cord, other))


def _trousers(cut: _Cut, rng: Rng, sporty: bool) -> Garment:
    right, left = _leg(cut, rng), flipped(_leg(cut, rng))
    centre = spline([(0, _BAND), (0.006, cut.crotch * 0.6), (0, cut.crotch)])
    hems = tuple(_hem_line(half) for half in (right, left))
    seams = (centre, *(() if sporty else _pocket_lines(cut)))
    stitches = (*hems, *(_pocket_lines(cut) if sporty else _fly(cut)))
    body = Part(np.concatenate([right, left[::-1]]), seams=seams, stitches=stitches)
    top = _waistband(cut.waist, Role.TRIM if sporty else Role.MAIN)
    detail = _drawstring(rng) if sporty else (*_loops(cut.waist), _button((0.0, _BAND / 2)))
    return Garment((_opening(cut.waist), body, top, *detail), clip_hanger(cut.waist))


def _hem_line(half: Points) -> Points:
    """Returns the hem of a traced leg, moved up the leg by the width of a turn-up."""
    lowest = np.argsort(half[:, 1])[-12:]
    hem = half[np.sort(lowest)]
    return np.asarray(
        np.stack(
            [np.linspace(hem[:, 0].min(), hem[:, 0].max(), 6), np.full(6, hem[:, 1].min() - 0.025)],
            1,
        )
    )


def _button(centre: tuple[float, float]) -> Part:
    return Part(ellipse(centre, (0.014, 0.014)), Role.METAL, lift=0.004)


def pants(rng: Rng) -> Garment:
    """Draws long trousers: jeans, slacks or joggers of varied width."""
    hip, hem = rng.uniform(0.25, 0.31), rng.uniform(0.06, 0.115)
    cut = _Cut(
        hip - 0.05,
        hip,
        rng.uniform(0.34, 0.42),
        hem,
        rng.uniform(1.15, 1.4),
        rng.uniform(0.02, 0.14),
    )
    return _trousers(cut, rng, sporty=bool(rng.random() < 0.25))


def shorts(rng: Rng) -> Garment:
    """Draws short trousers that end above the knee."""
    hip, crotch = rng.uniform(0.29, 0.34), rng.uniform(0.34, 0.42)
    length = crotch + rng.uniform(0.12, 0.34)
    cut = _Cut(hip - 0.06, hip, crotch, rng.uniform(0.14, 0.17), length, rng.uniform(0.025, 0.06))
    return _trousers(cut, rng, sporty=bool(rng.random() < 0.45))


@dataclass(frozen=True, slots=True)
class SkirtCut:
    """Half widths `top` and `hem` of a skirt at heights `start` and `end`, in garment units."""

    top: float
    start: float
    hem: float
    end: float


def _hem_edge(cut: SkirtCut, rng: Rng, pleats: int) -> Points:
    """Returns the zigzag corners of a pleated hem, or the knots of a softly waving one."""
    waves = pleats or int(rng.integers(4, 8))
    x = np.linspace(-1, 1, 2 * waves + 1)
    depth = 0.014 if pleats else min(0.016, 0.08 * (cut.hem - cut.top))
    sag = 0.1 * cut.hem * (1 - x**2) + np.where(np.arange(len(x)) % 2, depth, -depth)
    return np.stack([x * cut.hem, cut.end + sag], axis=1)


def skirt_panel(cut: SkirtCut, rng: Rng, pleats: int) -> Part:
    """Returns a skirt without its waistband; `pleats` of 0 leaves it smooth."""
    knots = _hem_edge(cut, rng, pleats)
    edge = knots if pleats else spline(knots)
    swell = cut.top + (cut.hem - cut.top) * 0.4 + 0.02
    hip = (swell, cut.start + 0.35 * (cut.end - cut.start))
    side = spline([(cut.top, cut.start), hip, (cut.hem, cut.end)])
    waist = np.linspace((-cut.top, cut.start), (cut.top, cut.start), 9)
    outline = np.concatenate([waist, side, edge[::-1], flipped(side)[::-1]])
    if pleats:
        return Part(outline, seams=ribs(waist, knots, len(knots))[1:-1:2])
    return Part(outline, stitches=(edge[1:-1] - np.array([0.0, 0.025]),))


def skirt(rng: Rng) -> Garment:
    """Draws an A-line, pleated or pencil skirt."""
    waist = float(rng.uniform(0.17, 0.23))
    kind = str(rng.choice(["flared", "pleated", "pencil"]))
    low, high = {"flared": (0.16, 0.34), "pleated": (0.12, 0.3), "pencil": (0.02, 0.06)}[kind]
    length = rng.uniform(0.6, 0.75) if kind == "pencil" else rng.uniform(0.42, 0.62)
    cut = SkirtCut(waist + 0.012, _BAND, waist + float(rng.uniform(low, high)), float(length))
    panel = skirt_panel(cut, rng, int(rng.integers(7, 13)) if kind == "pleated" else 0)
    extra = (_button((0.0, _BAND / 2)),) if rng.random() < 0.3 else ()
    band = _waistband(waist, Role.MAIN if rng.random() < 0.6 else Role.TRIM)
    return Garment((_opening(waist), panel, band, *extra), clip_hanger(waist))
