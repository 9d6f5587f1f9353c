"""Numbers on a command line."""

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A float range without `nan`, which no bound keeps out, and `inf`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail with a message."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number
