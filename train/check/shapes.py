"""Photos of odd size, shape or colour mode."""

from collections.abc import Iterator, Sequence

from train.check.facts import Facts
from train.check.findings import Finding, Kind, Severity

_MOST_STRETCH = 3.0
_USUAL = frozenset({"RGB", "RGBA", "L", "LA", "P", "PA", "1", "YCbCr", ""})


def find_odd_shapes(facts: Sequence[Facts], size: int) -> Iterator[Finding]:
    """Find photos that are too small or too long.

    Args:
        facts: The photos.
        size: Input height and width of the model in pixels.
    """
    for each in facts:
        short, long = sorted((each.height, each.width))
        values = {"width": each.width, "height": each.height}
        if short < size:
            message = f"{each.width} x {each.height} pixels are enlarged to {size} x {size}."
            yield Finding(Kind.SIZE, Severity.WARNING, message, (each.photo,), values)
        if long > _MOST_STRETCH * short:
            message = f"{each.width} x {each.height} pixels are {long / short:.1f} times as long as wide; crop it."
            yield Finding(Kind.SIZE, Severity.WARNING, message, (each.photo,), values)


def find_odd_modes(facts: Sequence[Facts]) -> Iterator[Finding]:
    """Find photos that other programs may show otherwise than the runtime reads them."""
    for each in facts:
        values = {"mode": each.mode, "turned": each.turned, "transparent": each.transparent}
        if each.turned:
            message = "EXIF says to turn it, and it is read upright; tools without EXIF show it lying."
            yield Finding(Kind.MODE, Severity.NOTE, message, (each.photo,), values)
        if each.transparent:
            message = "It is transparent; what its hidden pixels hold is seen by the model."
            yield Finding(Kind.MODE, Severity.WARNING, message, (each.photo,), values)
        if each.mode not in _USUAL:
            message = f"Its colours are stored as {each.mode}; they are read as 8-bit RGB."
            yield Finding(Kind.MODE, Severity.NOTE, message, (each.photo,), values)
