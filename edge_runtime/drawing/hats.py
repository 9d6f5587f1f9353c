"""Outlines of hats: cap, brimmed hat, beanie and bucket hat."""

from __future__ import annotations

import numpy as np

from edge_runtime.drawing.fabric import Rng
from edge_runtime.drawing.geometry import (
    Garment,
    Part,
    Points,
    Role,
    ellipse,
    flipped_part,
    mirrored,
    ribs,
    spline,
    trace,
    tube,
)
from edge_runtime.drawing.prints import emblem


def _visor() -> Part:
    """The visor of a cap seen from the side."""
    outline = trace(
        (-0.41, 0.06),
        [(-0.62, 0.08), (-0.86, 0.19), (-0.93, 0.28)],
        [(-0.9, 0.32), (-0.7, 0.29), (-0.45, 0.27), (-0.14, 0.22)],
        [(-0.12, 0.17)],
        [(-0.3, 0.15), (-0.41, 0.06)],
    )
    row = spline([(-0.42, 0.12), (-0.6, 0.17), (-0.66, 0.26)])
    rows = tuple(row - np.array([shift, 0.0]) for shift in (0.02, 0.09, 0.16))
    return Part(outline, Role.TRIM, grain=0.3, stitches=rows, lift=0.03)


def _dome(rng: Rng, tall: float) -> Part:
    """The crown of a cap seen from the side."""
    front = [(-0.42, -0.1), (-0.3, -0.76 * tall), (0.0, -tall)]
    back = [(0.28, -0.8 * tall), (0.44, -0.1), (0.44, 0.14)]
    outline = trace((-0.4, 0.12), [*front, *back], [(0.2, 0.2), (-0.1, 0.2), (-0.4, 0.12)])
    panels = ([(-0.16, -0.2), (-0.14, 0.19)], [(0.24, -0.2), (0.28, 0.19)])
    seams = tuple(spline([(0.02, 0.01 - tall), *panel]) for panel in panels)
    sweatband = spline([(-0.38, 0.09), (-0.1, 0.165), (0.2, 0.165), (0.43, 0.1)])
    badge = emblem(rng, -0.26, -0.08, 0.08) if rng.random() < 0.7 else ()
    return Part(outline, seams=seams, stitches=(sweatband,), decals=badge, lift=0.03)


def _cap(rng: Rng) -> Garment:
    """A baseball cap seen from the side, visor to the left or right."""
    tall = float(rng.uniform(0.38, 0.5))
    eyelets = [Part(ellipse((x, -0.17), (0.014, 0.018)), Role.LINING, lift=0.002) for x in (0.05, 0.32)]
    button = Part(ellipse((0.02, 0.01 - tall), (0.035, 0.02)), Role.TRIM, lift=0.005)
    parts = (_dome(rng, tall), *eyelets, _visor(), button)
    return Garment(parts if rng.random() < 0.5 else tuple(map(flipped_part, parts)))


def _front_cap(rng: Rng) -> Garment:
    """A baseball cap seen from the front."""
    tall = float(rng.uniform(0.46, 0.56))
    dome = mirrored(trace((0, -tall), [(0.24, -0.9 * tall), (0.42, -0.2), (0.45, 0.1)], [(0, 0.16)]))
    visor = mirrored(trace((0, 0.0), [(0.28, 0.03), (0.46, 0.1)], [(0.44, 0.22), (0.24, 0.31), (0, 0.34)]))
    side = spline([(0, -tall), (0.25, -0.3), (0.27, 0.08)])
    seams = (side, side * np.array([-1.0, 1.0]), np.linspace((0, -tall), (0, 0), 5))
    arcs = tuple(spline([(-0.42, 0.12 + d), (0, 0.03 + 2 * d), (0.42, 0.12 + d)]) for d in (0.03, 0.06, 0.09))
    crown = Part(
        dome,
        seams=seams,
        decals=emblem(rng, 0.0, -0.2, 0.12) if rng.random() < 0.8 else (),
        lift=0.03,
    )
    return Garment(
        (
            crown,
            Part(visor, Role.TRIM, grain=0.0, stitches=arcs, lift=0.035),
            Part(ellipse((0, -tall), (0.035, 0.018)), Role.TRIM),
        )
    )


def _brim(rng: Rng) -> Part:
    wide, tilt = float(rng.uniform(0.52, 0.68)), float(rng.uniform(0.13, 0.21))
    far = [(-0.6 * wide, -0.75 * tilt), (0, -tilt), (0.6 * wide, -0.75 * tilt), (wide, 0.0)]
    near = [(0.62 * wide, 0.8 * tilt), (0, 1.1 * tilt), (-0.62 * wide, 0.8 * tilt), (-wide, 0.0)]
    outline = trace((-wide, 0.0), far, near)
    rings = tuple(outline * share for share in (0.94, 0.8)) if rng.random() < 0.7 else ()
    return Part(outline, grain=0.0, stitches=rings, lift=0.04)


def _brimmed(rng: Rng) -> Garment:
    """A fedora or a sun hat with a ribbon."""
    tall, pinch = float(rng.uniform(0.28, 0.4)), float(rng.uniform(0.0, 0.05))
    left = [(-0.31, -0.6 * tall), (-0.22, -tall), (0, pinch - tall)]
    right = [(0.22, -tall), (0.31, -0.6 * tall), (0.33, 0.02)]
    base = [(0.2, 0.085), (0, 0.1), (-0.2, 0.085), (-0.33, 0.02)]
    dent = spline([(-0.05, 0.04 - tall), (0, -0.7 * tall), (0.02, -0.55 * tall)])
    outline = trace((-0.33, 0.02), [*left, *right], base)
    crown = Part(outline, seams=(dent,) if pinch > 0.02 else (), lift=0.02)
    band = tube([(-0.325, -0.02), (0, 0.06), (0.325, -0.02)], [0.08, 0.085, 0.08])
    return Garment((_brim(rng), crown, Part(band, Role.PRINT, grain=0.0, lift=0.006)))


def _beanie(rng: Rng) -> Garment:
    """A ribbed knit hat with a turned-up cuff and sometimes a pompom."""
    tall, fold = float(rng.uniform(0.45, 0.6)), float(rng.uniform(0.14, 0.2))
    dome = mirrored(trace((0, -tall), [(0.22, -0.92 * tall), (0.38, -0.4 * tall), (0.4, 0.1)], [(0, 0.14)]))
    top, base = (
        spline([(-0.12, -0.97 * tall), (0, -tall), (0.12, -0.97 * tall)]),
        spline([(-0.4, 0.1), (0, 0.14), (0.4, 0.1)]),
    )
    arcs = tuple(_bulged(line) for line in ribs(top, base, 17)[1:-1])
    near, far = (
        spline([(-0.415, 0.04), (0, 0.07), (0.415, 0.04)]),
        spline([(-0.41, 0.04 + fold), (0, 0.075 + fold), (0.41, 0.04 + fold)]),
    )
    cuff = Part(np.concatenate([near, far[::-1]]), Role.TRIM, seams=ribs(near, far, 24)[1:-1], lift=0.02)
    pompom = (Part(ellipse((0, -tall - 0.05), (0.12, 0.115)), Role.TRIM, lift=0.02),) if rng.random() < 0.5 else ()
    return Garment((*pompom, Part(dome, seams=arcs, lift=0.03), cuff))


def _bulged(line: Points) -> Points:
    """Bows a rib outwards, as it runs over a round head."""
    t = np.linspace(0, 1, len(line))
    bow = 0.55 * line[-1, 0] * np.sin(np.pi * t) * (1 - 0.4 * t)
    return np.stack([line[:, 0] + bow, line[:, 1]], axis=1)


def _bucket(rng: Rng) -> Garment:
    """A bucket hat with a stitched, sloping brim."""
    tall, flare = float(rng.uniform(0.3, 0.38)), float(rng.uniform(0.5, 0.6))
    crown = mirrored(
        trace(
            (0, -tall),
            [(0.2, -tall + 0.01), (0.27, -tall + 0.06)],
            [(0.33, 0.0), (0.34, 0.06)],
            [(0, 0.12)],
        )
    )
    brim = mirrored(
        trace(
            (0, 0.05),
            [(0.2, 0.03), (0.335, -0.02)],
            [(flare, 0.2)],
            [(0.6 * flare, 0.29), (0, 0.32)],
        )
    )
    rows = tuple(
        spline([(-x, y - 0.06), (0, y + 0.03), (x, y - 0.06)])
        for x, y in ((0.37, 0.09), (0.42, 0.14), (0.46, 0.19), (0.5, 0.24))
    )
    rim = spline([(-0.27, -tall + 0.06), (0, -tall + 0.1), (0.27, -tall + 0.06)])
    return Garment((Part(crown, seams=(rim,), lift=0.02), Part(brim, grain=0.0, stitches=rows, lift=0.03)))


def hat(rng: Rng) -> Garment:
    """Draws a baseball cap, a brimmed hat, a beanie or a bucket hat."""
    kinds = (_cap, _cap, _front_cap, _brimmed, _brimmed, _beanie, _bucket)
    return kinds[int(rng.integers(len(kinds)))](rng)
