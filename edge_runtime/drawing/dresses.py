"""Outlines of dresses."""

from __future__ import annotations

from edge_runtime.drawing.bottoms import SkirtCut, skirt_panel
from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import (
    Garment,
    Part,
    Points,
    Role,
    both_sides,
    mirrored,
    trace,
    tube,
)
from edge_runtime.drawing.tops import (
    Arm,
    Torso,
    armholes,
    arms,
    back_neck,
    long_arm,
    neck_band,
    sleeves,
    torso_outline,
    wooden_hanger,
)


def _straps(torso: Torso) -> tuple[Part, ...]:
    x = torso.neck + 0.015
    return both_sides(Part(tube([(x - 0.02, 0.0), (x, 0.13), (x + 0.01, 0.25)], [0.03] * 3), lift=0.004))


def _bodice(torso: Torso, strappy: bool) -> Points:
    if not strappy:
        return torso_outline(torso)
    half = trace(
        (0, 0.24),
        [(0.5 * torso.neck, 0.22), (torso.neck + 0.03, 0.2)],
        [(torso.chest - 0.02, 0.27), (torso.chest, torso.armpit)],
        [(0.5 * (torso.chest + torso.waist), 0.42), (torso.waist, torso.length)],
        [(0, torso.length + 0.01)],
    )
    return mirrored(half)


def _dress_sleeves(rng: Rng, torso: Torso, kind: str) -> tuple[Part, ...]:
    if kind == "short":
        return sleeves(torso, arms(rng, Arm(0.2, 0.22, 0.18, float(rng.uniform(0.5, 1.0)))))
    if kind == "long":
        return sleeves(torso, arms(rng, long_arm(rng, 0.2)))
    return ()


def _dress_torso(rng: Rng) -> Torso:
    waist = float(rng.uniform(0.17, 0.21))
    return Torso(
        neck=0.12,
        depth=float(rng.uniform(0.1, 0.18)),
        shoulder=0.23,
        chest=waist + 0.045,
        waist=waist + 0.01,
        hem=waist,
        length=float(rng.uniform(0.48, 0.56)),
        drop=0.05,
        armpit=0.28,
        vee=bool(rng.random() < 0.3),
    )


def _dress_skirt(rng: Rng, torso: Torso) -> Part:
    cut = SkirtCut(
        top=torso.hem,
        start=torso.length - 0.01,
        hem=torso.hem + float(rng.uniform(0.08, 0.36)),
        end=float(rng.uniform(1.05, 1.4)),
    )
    return skirt_panel(cut, rng, int(rng.integers(8, 13)) if rng.random() < 0.2 else 0)


def _belt(torso: Torso) -> Part:
    y = torso.length
    line = tube([(-torso.hem, y), (0, y + 0.012), (torso.hem, y)], [0.05] * 3)
    return Part(line, Role.TRIM, grain=0.0, lift=0.006)


def dress(rng: Rng) -> Garment:
    """Draws a dress: fitted bodice, waist and a straight, flared or pleated skirt."""
    torso = _dress_torso(rng)
    kind = str(rng.choice(["strap", "sleeveless", "short", "long"]))
    strappy = kind == "strap"
    skirt = _dress_skirt(rng, torso)
    bodice = Part(_bodice(torso, strappy), seams=() if strappy else armholes(torso))
    top = _straps(torso) if strappy else back_neck(torso)
    edge = () if strappy else (neck_band(torso, Role.MAIN, 0.015),)
    belt = (_belt(torso),) if rng.random() < 0.6 else ()
    parts = (*top, *_dress_sleeves(rng, torso, kind), skirt, bodice, *edge, *belt)
    return Garment(parts, wooden_hanger(torso))
