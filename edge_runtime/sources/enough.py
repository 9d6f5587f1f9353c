"""How large pictures have to be for whoever looks at them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Enough:
    """Written by the frame loop, read where pictures are decoded, which is in other threads.

    Attributes:
        size: Height and width in pixels; pictures may come halved, as often as leaves both at least so large. None asks
            for whole ones.
    """

    size: tuple[int, int] | None = None
