"""How large pictures have to be for whoever looks at them."""

from dataclasses import dataclass

from edge_runtime.preprocess import count_halvings


@dataclass(slots=True)
class Enough:
    """Written by the frame loop, read where pictures are decoded, which is in other threads.

    Attributes:
        size: Height and width in pixels; pictures may come halved, as often as leaves both at least so large. None asks
            for whole ones.
    """

    size: tuple[int, int] | None = None

    def count_halvings(self, size: tuple[int, int]) -> int:
        """Return how often a picture of a height and width may be halved without a row or column being cut."""
        # Read once: the frame loop may change it meanwhile.
        enough = self.size
        halvings = 0 if enough is None else count_halvings(size, enough)
        while any(side % (1 << halvings) for side in size):
            halvings -= 1
        return halvings
