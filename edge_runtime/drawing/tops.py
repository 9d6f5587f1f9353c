"""Outlines of garments with a torso: T-shirt, longsleeve and shirt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import (
    Garment,
    Pair,
    Part,
    Points,
    Role,
    both_sides,
    ellipse,
    flipped,
    flipped_part,
    mirrored,
    ribs,
    spline,
    trace,
    tube,
)
from edge_runtime.drawing.prints import chest_print


@dataclass(frozen=True, slots=True)
class Torso:
    """Half widths and depths of a torso in garment units; y is 0 at the side of the neck."""

    neck: float
    depth: float
    shoulder: float
    chest: float
    waist: float
    hem: float
    length: float
    drop: float = 0.07
    armpit: float = 0.33
    vee: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """A sleeve: length along its top edge, widths, and angle below horizontal in radians."""

    length: float
    width: float
    cuff: float
    angle: float
    bend: float = 0.0


def wooden_hanger(torso: Torso) -> tuple[Part, ...]:
    """Returns a coat hanger that fits the torso's shoulders."""
    reach = torso.shoulder * 0.9
    arm = Part(
        tube([(0, -0.035), (0.4 * reach, 0.0), (reach, torso.drop + 0.02)], [0.045, 0.05, 0.035]),
        Role.HANGER,
    )
    hook = tube([(0, -0.03), (0, -0.1), (0.045, -0.145), (0.03, -0.2), (-0.03, -0.19)], [0.014] * 3)
    return Part(hook, Role.METAL), *both_sides(arm)


def neckline(torso: Torso, inset: float = 0.0) -> Points:
    """Traces the front neck edge from left to right, `inset` lower and wider."""
    side, low = torso.neck + inset * 0.7, torso.depth + inset
    if torso.vee:
        return trace(
            (-side, 0.0),
            [(-0.4 * side, 0.62 * low), (0, low)],
            [(0.4 * side, 0.62 * low), (side, 0.0)],
        )
    return spline([(-side, 0.0), (-0.72 * side, 0.66 * low), (0, low), (0.72 * side, 0.66 * low), (side, 0.0)])


def torso_outline(torso: Torso) -> Points:
    """Traces the front of a torso."""
    edge = neckline(torso)
    front = edge[len(edge) // 2 :]
    middle = torso.armpit + 0.45 * (torso.length - torso.armpit)
    side = trace(
        (torso.neck, 0.0),
        [(torso.shoulder, torso.drop)],
        [(torso.shoulder - 0.035, 0.6 * torso.armpit), (torso.chest, torso.armpit)],
        [(torso.waist, middle), (torso.hem, torso.length)],
        [(0.5 * torso.hem, torso.length + 0.016), (0, torso.length + 0.02)],
    )
    return mirrored(np.concatenate([front, side]))


def hem_line(torso: Torso, above: float = 0.03) -> Points:
    """Returns the stitching line `above` the hem."""
    y = torso.length - above
    return spline(
        [
            (-torso.hem, y),
            (-0.5 * torso.hem, y + 0.016),
            (0, y + 0.02),
            (0.5 * torso.hem, y + 0.016),
            (torso.hem, y),
        ]
    )


def back_neck(torso: Torso, role: Role = Role.LINING) -> tuple[Part, ...]:
    """Returns the inside of the back, seen through the neck opening, and its label."""
    inside = trace(
        (-torso.neck - 0.02, 0.01),
        [
            (-0.5 * torso.neck, 0.012),
            (0, 0.02),
            (0.5 * torso.neck, 0.012),
            (torso.neck + 0.02, 0.01),
        ],
        [(torso.neck, torso.depth + 0.03)],
        [(-torso.neck, torso.depth + 0.03)],
    )
    label = Part(
        trace((-0.03, 0.03), [(0.03, 0.03)], [(0.03, 0.065)], [(-0.03, 0.065)]),
        Role.LACE,
        lift=0.003,
    )
    return Part(inside, role, lift=0.004), label


def _along(start: Pair, angle: float, distance: float) -> Pair:
    return start[0] + distance * float(np.cos(angle)), start[1] + distance * float(np.sin(angle))


def sleeve(torso: Torso, arm: Arm, role: Role = Role.MAIN) -> Part:
    """Returns the sleeve on the right of the picture; it starts under the torso."""
    shoulder: Pair = (torso.shoulder, torso.drop)
    lower = arm.angle + arm.bend
    elbow = _along(shoulder, arm.angle, arm.length * 0.5)
    wrist = _along(elbow, lower, arm.length * 0.5)
    under_elbow = _along(elbow, arm.angle + np.pi / 2 + 0.5 * arm.bend, 0.5 * (arm.width + arm.cuff))
    under_wrist = _along(wrist, lower + np.pi / 2, arm.cuff)
    outline = trace(
        (torso.shoulder - 0.06, torso.drop - 0.012),
        [shoulder],
        [elbow, wrist],
        [under_wrist],
        [under_elbow, (torso.chest, torso.armpit)],
        [(torso.chest - 0.1, torso.armpit)],
        [(torso.shoulder - 0.06, torso.drop - 0.012)],
    )
    back = lower + np.pi
    stitch = spline([_along(wrist, back, 0.03), _along(under_wrist, back, 0.03)])
    return Part(outline, role, grain=arm.angle + 0.5 * arm.bend, stitches=(stitch,))


def cuff(torso: Torso, arm: Arm, depth: float, role: Role, ribbed: bool) -> Part:
    """Returns the band at the end of a sleeve on the right of the picture."""
    lower = arm.angle + arm.bend
    wrist = _along(_along((torso.shoulder, torso.drop), arm.angle, arm.length * 0.5), lower, arm.length * 0.5)
    top = _along(wrist, lower + np.pi / 2, -0.004)
    bottom = _along(top, lower + np.pi / 2, arm.cuff + 0.008)
    near, far = (
        np.linspace(top, bottom, 8),
        np.linspace(_along(top, lower, depth), _along(bottom, lower, depth), 8),
    )
    lines = ribs(near, far, 10)[1:-1] if ribbed else ()
    return Part(np.concatenate([near, far[::-1]]), role, grain=lower, seams=lines, lift=0.006)


def arms(rng: Rng, arm: Arm) -> tuple[Arm, Arm]:
    """Returns a right and a left arm that differ a little in pose."""
    turns, bends = rng.normal(0, 0.07, 2), rng.normal(0, 0.1, 2)
    right, left = (
        replace(arm, angle=arm.angle + turn, bend=arm.bend + bend) for turn, bend in zip(turns, bends, strict=True)
    )
    return right, left


def sleeves(torso: Torso, pair: tuple[Arm, Arm], role: Role = Role.MAIN) -> tuple[Part, Part]:
    """Returns both sleeves."""
    return sleeve(torso, pair[0], role), flipped_part(sleeve(torso, pair[1], role))


def cuffs(torso: Torso, pair: tuple[Arm, Arm], depth: float, role: Role, ribbed: bool) -> tuple[Part, Part]:
    """Returns the bands of both sleeves."""
    return cuff(torso, pair[0], depth, role, ribbed), flipped_part(cuff(torso, pair[1], depth, role, ribbed))


def long_arm(rng: Rng, width: float) -> Arm:
    """Picks a long sleeve, from spread wide to hanging beside the torso."""
    angle = float(rng.uniform(0.75, 1.35))
    bend = float(rng.uniform(-0.1, 0.45)) if angle < 1.1 else float(rng.uniform(0, 0.25))
    return Arm(float(rng.uniform(0.82, 0.95)), width, width * 0.52, angle, bend)


def armholes(torso: Torso) -> tuple[Points, Points]:
    """Returns the seams where the sleeves are set in."""
    line = spline(
        [
            (torso.shoulder - 0.012, torso.drop + 0.01),
            (torso.shoulder - 0.045, 0.6 * torso.armpit),
            (torso.chest - 0.012, torso.armpit),
        ]
    )
    return line, flipped(line)


def neck_band(torso: Torso, role: Role, width: float = 0.03) -> Part:
    """Returns the ribbed band sewn around the front neck edge."""
    outer, inner = neckline(torso, width), neckline(torso, -0.004)
    return Part(np.concatenate([inner, outer[::-1]]), role, seams=(outer,), lift=0.004)


def _jersey(rng: Rng, torso: Torso, arm: Arm, trim: Role) -> tuple[Part, ...]:
    pair = arms(rng, arm)
    body = Part(
        torso_outline(torso),
        seams=armholes(torso),
        stitches=(hem_line(torso),),
        decals=chest_print(rng) if rng.random() < 0.55 else (),
    )
    return (*back_neck(torso), *sleeves(torso, pair), body, neck_band(torso, trim))


def _loose_torso(rng: Rng) -> Torso:
    chest = float(rng.uniform(0.31, 0.38))
    return Torso(
        neck=float(rng.uniform(0.11, 0.14)),
        depth=float(rng.uniform(0.09, 0.15)),
        shoulder=chest - 0.02,
        chest=chest,
        waist=chest - float(rng.uniform(0.0, 0.03)),
        hem=chest + float(rng.uniform(-0.01, 0.03)),
        length=float(rng.uniform(0.88, 1.05)),
        vee=bool(rng.random() < 0.2),
    )


def tshirt(rng: Rng) -> Garment:
    """Draws a short-sleeved top with a crew or V neck, plain or with a chest print."""
    torso = _loose_torso(rng)
    arm = Arm(
        float(rng.uniform(0.2, 0.3)),
        0.26,
        float(rng.uniform(0.2, 0.24)),
        float(rng.uniform(0.35, 0.95)),
    )
    parts = _jersey(rng, torso, arm, Role.TRIM if rng.random() < 0.4 else Role.MAIN)
    return Garment(parts, wooden_hanger(torso))


def longsleeve(rng: Rng) -> Garment:
    """Draws a long-sleeved top with a crew or V neck and no collar."""
    torso = _loose_torso(rng)
    arm = long_arm(rng, 0.24)
    trim = Role.TRIM if rng.random() < 0.5 else Role.MAIN
    return Garment(_jersey(rng, torso, arm, trim), wooden_hanger(torso))


def buttons(x: float, top: float, bottom: float, count: int, radius: float = 0.013) -> tuple[Part, ...]:
    """Returns a vertical row of buttons."""
    return tuple(
        Part(ellipse((x, float(y)), (radius, radius)), Role.BUTTON, lift=0.005) for y in np.linspace(top, bottom, count)
    )


def collar(torso: Torso, point: Pair, role: Role = Role.MAIN) -> tuple[Part, Part]:
    """Returns the two leaves of a turned-down collar with tips at +-`point`."""
    neck = torso.neck
    leaf = trace(
        (0.0, torso.depth),
        [point],
        [(neck + 0.045, 0.03)],
        [(neck + 0.012, -0.045), (neck * 0.8, -0.05)],
        [(0.45 * neck, 0.4 * torso.depth), (0.0, torso.depth)],
    )
    edge = trace((0.02, torso.depth + 0.01), [(point[0] - 0.002, point[1] - 0.018)], [(neck + 0.03, 0.03)])
    return both_sides(Part(leaf, role, grain=0.9, stitches=(edge,), lift=0.012))


def patch_pocket(left: float, top: float, width: float, depth: float, flap: bool) -> tuple[Part, ...]:
    """Returns a sewn-on pocket, with a flap over it if asked."""
    right, bottom = left + width, top + depth
    middle = left + width / 2
    bag = trace(
        (left, top),
        [(right, top)],
        [(right, bottom - 0.025)],
        [(middle, bottom)],
        [(left, bottom - 0.025)],
        [(left, top)],
    )
    rim = np.linspace((left, top + 0.025), (right, top + 0.025), 5)
    lid = trace(
        (left - 0.006, top - 0.01),
        [(right + 0.006, top - 0.01)],
        [(right + 0.006, top + 0.04)],
        [(middle, top + 0.06)],
        [(left - 0.006, top + 0.04)],
    )
    pocket = Part(bag, stitches=(bag,), seams=() if flap else (rim,), lift=0.004)
    return (pocket, Part(lid, stitches=(lid,), lift=0.008)) if flap else (pocket,)


def _placket(torso: Torso, bottom: float) -> tuple[Part, ...]:
    top = torso.depth
    strip = trace((-0.026, top), [(0.026, top)], [(0.026, bottom)], [(-0.026, bottom)])
    edges = tuple(np.linspace((x, top), (x, bottom), 8) for x in (-0.018, 0.018))
    return (Part(strip, stitches=edges, lift=0.005), *buttons(0.0, top + 0.05, bottom - 0.08, 7))


def shirt(rng: Rng) -> Garment:
    """Draws a shirt with collar, button placket and long or short sleeves."""
    torso = replace(_loose_torso(rng), vee=True, depth=float(rng.uniform(0.1, 0.14)), neck=0.11)
    long = bool(rng.random() < 0.6)
    arm = long_arm(rng, 0.25) if long else Arm(0.3, 0.27, 0.23, float(rng.uniform(0.5, 0.95)))
    pair = arms(rng, arm)
    body = Part(torso_outline(torso), seams=armholes(torso), stitches=(hem_line(torso, 0.02),))
    ends = cuffs(torso, pair, 0.07, Role.MAIN, ribbed=False) if long else ()
    pocket = patch_pocket(0.09, 0.3, 0.14, 0.16, flap=bool(rng.random() < 0.3)) if rng.random() < 0.65 else ()
    tip = (float(rng.uniform(0.11, 0.15)), torso.depth + float(rng.uniform(0.06, 0.1)))
    front = (*_placket(torso, torso.length + 0.015), *pocket, *collar(torso, tip))
    return Garment((*back_neck(torso), *sleeves(torso, pair), *ends, body, *front), wooden_hanger(torso))
