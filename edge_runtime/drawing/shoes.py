"""Outlines of a pair of shoes: sneakers, boots, heels, and shoes seen from above."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import (
    Decal,
    Garment,
    Part,
    Points,
    Role,
    ellipse,
    flipped_part,
    moved,
    rotation,
    spline,
    trace,
    tube,
)


def _laces(
    start: tuple[float, float], end: tuple[float, float], reach: tuple[float, float], count: int
) -> tuple[Part, ...]:
    """Returns lace bars of half extent `reach` at `count` spots from start to end."""
    spots, half = np.linspace(start, end, count), np.asarray(reach)
    return tuple(Part(tube(np.stack([s - half, s, s + half]), [0.028] * 2), Role.LACE, lift=0.006) for s in spots)


def _tongue(high: float) -> Part:
    top = [(0.02, -0.48 - high), (0.1, -0.52 - high)]
    return Part(trace((0.02, -0.3), top, [(0.16, -0.4 - high), (0.14, -0.25)]), Role.TRIM)


def _side_stripes(rng: Rng) -> tuple[Decal, ...]:
    first = float(rng.uniform(-0.02, 0.08))
    starts = first + 0.07 * np.arange(int(rng.integers(4)))
    return tuple(Decal(tube([(x, 0.09), (x + 0.1, -0.24)], [0.035] * 2)) for x in starts)


def _heel_patch() -> Part:
    front, back = [(0.36, -0.05), (0.42, -0.2), (0.455, -0.24)], [(0.48, 0.0), (0.472, 0.12)]
    return Part(trace((0.34, 0.12), front, back, [(0.34, 0.12)]), Role.TRIM, lift=0.006)


def _upper(rng: Rng, high: float) -> Part:
    outline = trace(
        (-0.5, 0.14),
        [(-0.52, 0.02), (-0.42, -0.09), (-0.24, -0.15)],
        [(-0.08, -0.26), (0.06, -0.4 - high)],
        [(0.2, -0.34 - high), (0.34, -0.38 - high), (0.44, -0.45 - high)],
        [(0.46, -0.25), (0.48, 0.0), (0.47, 0.14)],
        [(-0.5, 0.14)],
    )
    cap = spline([(-0.24, -0.15), (-0.2, 0.0), (-0.3, 0.12)])
    quarter = spline([(0.06, -0.38 - high), (0.12, -0.1), (-0.1, 0.12)])
    thread = (quarter + np.array([0.02, 0.0]),)
    return Part(outline, grain=0.0, seams=(cap, quarter), stitches=thread, decals=_side_stripes(rng))


def _sneaker(rng: Rng) -> tuple[Part, ...]:
    """A low or high sneaker from the side, toe to the left."""
    high = float(rng.choice([0.0, 0.0, 0.14]))
    mouth = Part(ellipse((0.26, -0.41 - high), (0.2, 0.05), -0.08), Role.LINING, lift=0.004)
    laces = _laces((-0.12, -0.2), (0.05, -0.37 - high), (0.055, 0.035), 5)
    return mouth, _tongue(high), _upper(rng, high), _heel_patch(), _rubber(rng), *laces


def _rubber(rng: Rng) -> Part:
    thick = float(rng.uniform(0.1, 0.16))
    sole = trace(
        (-0.53, 0.08),
        [(-0.3, 0.1), (0.1, 0.1), (0.5, 0.06)],
        [(0.52, thick), (0.47, 0.1 + thick)],
        [(0.0, 0.105 + thick), (-0.4, 0.1 + thick)],
        [(-0.54, 0.02 + thick), (-0.53, 0.08)],
    )
    line = spline([(-0.52, 0.07 + 0.5 * thick), (0, 0.1 + 0.5 * thick), (0.5, 0.07 + 0.5 * thick)])
    return Part(sole, Role.SOLE, grain=0.0, seams=(line,), lift=0.012)


def _boot(rng: Rng) -> tuple[Part, ...]:
    """An ankle or tall boot from the side, toe to the left."""
    top = -float(rng.uniform(0.55, 0.95))
    mouth = Part(ellipse((0.26, top), (0.2, 0.045), -0.05), Role.LINING)
    shaft = trace(
        (-0.5, 0.14),
        [
            (-0.5, 0.0),
            (-0.38, -0.1),
            (-0.18, -0.18),
            (0.02, -0.34),
            (0.06, 0.5 * top - 0.15),
            (0.06, top),
        ],
        [(0.26, top + 0.03), (0.46, top - 0.01)],
        [(0.44, 0.5 * top), (0.43, -0.2), (0.47, 0.14)],
        [(-0.5, 0.14)],
    )
    lines = (
        spline([(0.02, -0.34), (0.16, -0.2), (0.2, 0.12)]),
        spline([(0.43, -0.2), (0.34, -0.1), (0.34, 0.12)]),
    )
    loop = Part(tube([(0.42, top - 0.02), (0.43, top + 0.12)], [0.05] * 2), Role.TRIM, lift=0.006)
    ties = _laces((-0.1, -0.24), (0.1, top + 0.12), (0.05, 0.02), 7) if rng.random() < 0.6 else ()
    block = Part(trace((0.2, 0.18), [(0.49, 0.18)], [(0.49, 0.32)], [(0.22, 0.32)]), Role.SOLE)
    return mouth, Part(shaft, seams=lines), loop, block, _rubber(rng), *ties


def _heel(rise: float) -> Part:
    top, foot = (0.3, 0.13 - 0.75 * rise), [(0.46, 0.05), (0.45, 0.2)]
    back = [(0.47, 0.13 - rise)]
    return Part(trace(top, back, foot, [(0.39, 0.2)], [(0.38, 0.0), top]), Role.TRIM)


def _pump_inside(rise: float) -> Part:
    far = [(0.0, -0.02), (0.2, -0.6 * rise), (0.42, -rise - 0.14)]
    near = [(0.2, -rise - 0.02), (0.0, -0.12), (-0.28, -0.02)]
    return Part(trace((-0.28, -0.02), far, near), Role.LINING)


def _pump(rng: Rng) -> tuple[Part, ...]:
    """A heeled shoe from the side, toe to the left."""
    rise = float(rng.uniform(0.22, 0.42))
    upper = trace(
        (-0.54, 0.15),
        [(-0.46, 0.02), (-0.3, -0.03)],
        [(-0.1, 0.04), (0.12, -0.3 * rise), (0.28, -rise), (0.42, -rise - 0.16)],
        [(0.47, -rise), (0.46, 0.16 - rise)],
        [(0.26, 0.12 - 0.6 * rise), (0.02, 0.12), (-0.2, 0.17), (-0.54, 0.15)],
    )
    under = [(-0.54, 0.155), (-0.2, 0.18), (0.02, 0.135), (0.26, 0.13 - 0.6 * rise)]
    sole = Part(tube(under, [0.025, 0.03, 0.02]), Role.SOLE)
    return _pump_inside(rise), _heel(rise), sole, Part(upper, grain=0.0)


# Seen from above, toe up, the right shoe of a pair.
_OUTER = ((0.14, -0.5), (0.21, -0.28), (0.17, 0.05), (0.17, 0.35))
_INNER = ((-0.15, 0.35), (-0.13, 0.05), (-0.17, -0.28), (-0.1, -0.5))
_RIM = trace(
    (0.0, -0.55),
    [*_OUTER, (0.01, 0.5), *_INNER, (0.0, -0.55)],
)
_MOUTH = ellipse((0.0, 0.22), (0.105, 0.2))
_TONGUE = trace((-0.06, -0.26), [(0.06, -0.26)], [(0.08, 0.0), (0.06, 0.1)], [(-0.06, 0.1), (-0.08, 0.0)])


def _from_above(rng: Rng) -> tuple[Part, ...]:
    """A right shoe from above, toe up."""
    toe = spline([(-0.16, -0.28), (0, -0.36), (0.18, -0.28)])
    upper = Part(_RIM * np.array([0.9, 0.94]), seams=(toe, _MOUTH * 1.08))
    base = Part(_RIM, Role.SOLE, lift=0.03), upper, Part(_MOUTH, Role.LINING, lift=0.002)
    if rng.random() < 0.25:
        return *base, *_strap()
    laces = _laces((0, -0.24), (0, 0.03), (0.085, 0.012), 5)
    return *base, Part(_TONGUE, Role.TRIM, lift=0.008), *laces


def _strap() -> tuple[Part, ...]:
    band = Part(tube([(-0.15, -0.04), (0, -0.07), (0.17, -0.04)], [0.09] * 3), Role.TRIM, lift=0.008)
    return band, Part(tube([(-0.03, -0.07), (0.04, -0.07)], [0.04] * 2), Role.METAL, lift=0.005)


def _placed(parts: tuple[Part, ...], angle: float, offset: tuple[float, float]) -> tuple[Part, ...]:
    turn = rotation(angle)

    def move(points: Points) -> Points:
        return np.asarray(turn(points) + np.asarray(offset), dtype=np.float64)

    return tuple(moved(part, move, part.grain + angle) for part in parts)


def _longer(points: Points) -> Points:
    return np.asarray(points * np.array([1.18, 1.0]), dtype=np.float64)


def _side_pair(rng: Rng, one: tuple[Part, ...]) -> tuple[Part, ...]:
    """Stands one shoe partly behind the other, or heads it the other way below."""
    tilt = rng.normal(0, 0.06, 2)
    if rng.random() < 0.65:
        back = (float(rng.uniform(0.25, 0.55)), -float(rng.uniform(0.2, 0.36)))
        return (*_placed(one, float(tilt[0]), back), *_placed(one, float(tilt[1]), (0.0, 0.0)))
    height = max(float(np.ptp(part.outline[:, 1])) for part in one) + 0.3
    return (
        *_placed(tuple(map(flipped_part, one)), float(tilt[0]), (0.08, -height)),
        *_placed(one, float(tilt[1]), (0, 0)),
    )


def shoes(rng: Rng) -> Garment:
    """Draws a pair of sneakers, boots or heels from the side, or shoes from above."""
    if rng.random() < 0.35:
        one, spread = _from_above(rng), float(rng.uniform(0.2, 0.27))
        turns = rng.normal(0.05, 0.08, 2)
        right = _placed(one, float(turns[0]), (spread, 0.0))
        left = _placed(tuple(map(flipped_part, one)), -float(turns[1]), (-spread, float(rng.normal(0, 0.04))))
        return Garment((*left, *right))
    makers: tuple[Callable[[Rng], tuple[Part, ...]], ...] = (_sneaker, _sneaker, _boot, _pump)
    one = makers[int(rng.integers(len(makers)))](rng)
    return Garment(_side_pair(rng, tuple(moved(part, _longer, part.grain) for part in one)))
