"""Shares in words."""

from typing import Final

# Of a float no more tell anything.
_MOST_DIGITS: Final = 14


def format_below(share: float, bound: float) -> tuple[str, str]:
    """Return a share and the bound in percent, with as many digits as tell them apart where the share is below it."""
    for digits in range(1, _MOST_DIGITS):
        shown, wanted = (f"{100 * each:.{digits}f} %" for each in (share, bound))
        if shown != wanted or share >= bound:
            break
    return shown, wanted
