"""Outlines of jackets and coats."""

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
    ribs,
    spline,
    trace,
    tube,
)
from edge_runtime.drawing.tops import (
    Torso,
    armholes,
    arms,
    buttons,
    collar,
    cuffs,
    long_arm,
    patch_pocket,
    sleeves,
    wooden_hanger,
)


@dataclass(frozen=True, slots=True)
class _Front:
    """The front of a jacket: half gap between the panels at neck and hem, and quilting rows."""

    gap: float
    hem_gap: float
    quilts: int


def _panel(torso: Torso, front: _Front) -> Part:
    """Returns the front panel on the right of the picture."""
    middle = torso.armpit + 0.45 * (torso.length - torso.armpit)
    outline = trace(
        (front.gap, torso.depth),
        [(0.75 * torso.neck + 0.25 * front.gap, 0.4 * torso.depth), (torso.neck, 0.0)],
        [(torso.shoulder, torso.drop)],
        [(torso.shoulder - 0.03, 0.6 * torso.armpit), (torso.chest, torso.armpit)],
        [(torso.waist, middle), (torso.hem, torso.length)],
        [(0.5 * torso.hem, torso.length + 0.014), (front.hem_gap, torso.length + 0.018)],
        [(front.gap, torso.depth)],
    )
    edge = np.linspace((front.gap + 0.022, torso.depth + 0.03), (front.hem_gap + 0.022, torso.length), 8)
    return Part(outline, seams=(armholes(torso)[0], *_quilting(torso, front)), stitches=(edge,), lift=0.02)


def _quilting(torso: Torso, front: _Front) -> tuple[Points, ...]:
    rows = np.linspace(torso.depth + 0.05, torso.length, front.quilts + 1)[:-1]
    return tuple(spline([(0.0, y), (0.5 * torso.hem, y + 0.015), (torso.hem + 0.05, y)]) for y in rows)


def _inside(torso: Torso) -> Part:
    """The lining of the back, seen between the panels."""
    half = [
        (torso.neck, 0.0),
        (0.8 * torso.chest, torso.armpit),
        (0.9 * torso.hem, torso.length - 0.02),
    ]
    left = [(-x, y) for x, y in reversed(half)]
    return Part(trace((-torso.neck, 0.0), [(0, 0.012), half[0]], half[1:], [left[0]], left[1:]), Role.LINING)


def _zip(torso: Torso, front: _Front) -> tuple[Part, ...]:
    top, bottom = (front.gap, torso.depth - 0.05), (front.hem_gap, torso.length + 0.01)
    tape = Part(
        tube([top, bottom], [0.024, 0.024]),
        Role.METAL,
        grain=1.6,
        seams=_teeth(top, bottom),
        lift=0.004,
    )
    pull = Part(
        tube([(top[0], top[1] + 0.05), (top[0] + 0.008, top[1] + 0.1)], [0.02, 0.026]),
        Role.METAL,
        lift=0.008,
    )
    return (tape, pull) if front.gap < 0.02 else (*both_sides(tape), pull)


def _teeth(top: tuple[float, float], bottom: tuple[float, float]) -> tuple[Points, ...]:
    side = np.array([0.008, 0.0])
    spots = np.linspace(top, bottom, 36)
    return tuple(np.stack([spot - side, spot + side]) for spot in spots)


def _stand_collar(torso: Torso, role: Role) -> tuple[Part, ...]:
    neck, depth = torso.neck, torso.depth
    back = Part(
        trace(
            (-neck, 0.03),
            [(-0.9 * neck, -0.06), (0, -0.07), (0.9 * neck, -0.06), (neck, 0.03)],
            [(0, 0.06), (-neck, 0.03)],
        ),
        Role.LINING,
    )
    leaf = trace(
        (0.008, depth + 0.01),
        [(0.012, depth - 0.075)],
        [(0.6 * neck, 0.0), (0.92 * neck, -0.065)],
        [(neck + 0.02, 0.015)],
        [(0.6 * neck, 0.75 * depth), (0.008, depth + 0.01)],
    )
    return back, *both_sides(Part(leaf, role, lift=0.008))


def _hood(torso: Torso) -> tuple[Part, ...]:
    neck = torso.neck
    shell = trace(
        (-neck - 0.05, 0.06),
        [
            (-neck - 0.07, -0.12),
            (-0.6 * neck, -0.27),
            (0, -0.3),
            (0.6 * neck, -0.27),
            (neck + 0.07, -0.12),
            (neck + 0.05, 0.06),
        ],
        [(0, torso.depth + 0.05), (-neck - 0.05, 0.06)],
    )
    mouth = ellipse((0.0, -0.07), (0.82 * neck, 0.155))
    return Part(shell, lift=0.02), Part(mouth, Role.LINING, seams=(mouth,), lift=0.004)


def _cords(torso: Torso) -> tuple[Part, ...]:
    cord = tube(
        [(0.05, torso.depth - 0.01), (0.06, torso.depth + 0.1), (0.052, torso.depth + 0.2)],
        [0.012] * 2,
    )
    return both_sides(Part(cord, Role.LACE, lift=0.006))


def _lapels(torso: Torso, role: Role) -> tuple[Part, ...]:
    low, neck = torso.depth, torso.neck
    leaf = trace(
        (0.0, low),
        [(0.1, 0.62 * low), (0.2, 0.4 * low)],
        [(0.15, 0.33 * low)],
        [(0.19, 0.25 * low)],
        [(neck + 0.04, 0.0), (neck - 0.01, -0.045)],
        [(0.5 * neck, 0.35 * low), (0.0, low)],
    )
    notch = spline([(0.15, 0.33 * low), (0.6 * neck, 0.26 * low)])
    return both_sides(Part(leaf, role, grain=1.2, seams=(notch,), lift=0.014))


def _hem_band(torso: Torso) -> Part:
    top, bottom = torso.length - 0.01, torso.length + 0.065
    near = spline([(-torso.hem, top), (0, top + 0.02), (torso.hem, top)])
    far = spline([(-torso.hem + 0.035, bottom), (0, bottom + 0.02), (torso.hem - 0.035, bottom)])
    return Part(
        np.concatenate([near, far[::-1]]),
        Role.TRIM,
        grain=0.0,
        seams=ribs(near, far, 40)[1:-1],
        lift=0.006,
    )


def _slant_pockets(torso: Torso) -> tuple[Part, ...]:
    y = torso.length - 0.3
    welt = tube([(0.5 * torso.hem, y + 0.12), (0.68 * torso.hem, y)], [0.026] * 2)
    return both_sides(Part(welt, Role.TRIM, grain=1.2, seams=(welt,), lift=0.005))


def _torso(rng: Rng, depth: float, length: float) -> Torso:
    chest = float(rng.uniform(0.35, 0.4))
    waist, hem = chest - float(rng.uniform(0, 0.03)), chest + float(rng.uniform(-0.01, 0.05))
    return Torso(0.125, depth, chest - 0.03, chest, waist, hem, length)


def _shell(rng: Rng, torso: Torso, front: _Front, ribbed: bool) -> tuple[Part, ...]:
    """Returns lining, sleeves, cuffs and the two front panels."""
    pair = arms(rng, long_arm(rng, 0.29))
    ends = cuffs(torso, pair, 0.06, Role.TRIM if ribbed else Role.MAIN, ribbed)
    panels = both_sides(_panel(torso, front))
    return (*sleeves(torso, pair), *ends, _inside(torso), *panels)


def _zipped(rng: Rng) -> Garment:
    torso = _torso(rng, 0.1, float(rng.uniform(0.85, 0.98)))
    is_open = rng.random() < 0.25
    front = _Front(0.05 if is_open else 0.0, 0.13 if is_open else 0.0, int(rng.choice([0, 0, 7, 9])))
    hooded, ribbed = bool(rng.random() < 0.4), bool(rng.random() < 0.6)
    shell = _shell(rng, torso, front, ribbed)
    hem = (_hem_band(torso),) if ribbed and not is_open else ()
    head = _hood(torso) if hooded else ()
    neck = _cords(torso) if hooded else _stand_collar(torso, Role.TRIM if ribbed else Role.MAIN)
    parts = (*head, *shell, *hem, *_zip(torso, front), *_slant_pockets(torso), *neck)
    return Garment(parts, wooden_hanger(torso))


def _coat(rng: Rng) -> Garment:
    torso = _torso(rng, float(rng.uniform(0.34, 0.46)), float(rng.uniform(1.1, 1.45)))
    front = _Front(0.0, float(rng.choice([0.0, 0.0, 0.07])), 0)
    columns = (-0.1, 0.1) if rng.random() < 0.5 else (0.03,)
    rows = [part for x in columns for part in buttons(x, torso.depth + 0.05, 0.72 * torso.length, 3, 0.022)]
    flaps = both_sides(patch_pocket(0.16, 0.62 * torso.length, 0.15, 0.17, flap=True)[1])
    edge = Part(
        trace(
            (0.0, torso.depth),
            [(0.0, torso.length)],
            [(0.012, torso.length)],
            [(0.012, torso.depth)],
        ),
        lift=0.008,
    )
    parts = (
        *_shell(rng, torso, front, ribbed=False),
        edge,
        *flaps,
        *rows,
        *_lapels(torso, Role.MAIN),
    )
    return Garment(parts, wooden_hanger(torso))


def _trucker(rng: Rng) -> Garment:
    torso = _torso(rng, 0.12, float(rng.uniform(0.8, 0.9)))
    shell = _shell(rng, torso, _Front(0.0, 0.0, 0), ribbed=False)
    pockets = [part for pocket in patch_pocket(0.1, 0.32, 0.16, 0.17, flap=True) for part in both_sides(pocket)]
    strip = trace((-0.03, torso.depth), [(0.03, torso.depth)], [(0.03, torso.length)], [(-0.03, torso.length)])
    placket = Part(strip, stitches=(strip,), lift=0.008)
    row = buttons(0.0, torso.depth + 0.06, torso.length - 0.06, 5, 0.018)
    parts = (*shell, _hem_band(torso), placket, *row, *pockets, *collar(torso, (0.17, 0.2)))
    return Garment(parts, wooden_hanger(torso))


def outwear(rng: Rng) -> Garment:
    """Draws a zipped jacket (hooded or not), a coat with lapels or a trucker jacket."""
    return (_zipped, _zipped, _coat, _trucker)[int(rng.integers(4))](rng)
