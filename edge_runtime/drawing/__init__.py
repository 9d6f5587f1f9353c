"""A small seeded renderer of garments, for demos, tests and calibration pictures."""

from edge_runtime.drawing.scene import GARMENTS, draw_background, draw_clutter, draw_garment

__all__ = ["GARMENTS", "draw_background", "draw_clutter", "draw_garment"]
