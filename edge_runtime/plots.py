"""The look of all figures, as inline SVG, by matplotlib.

It stands here because train and convert draw alike; a device never draws a figure, so matplotlib comes with the extra
`train` only. Figures are plain objects, never registered with pyplot, so none outlives its drawing. Text stays text: it
can be searched and copied, and class names of any script are left to the browser's fonts.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.coco import RECALLS
from edge_runtime.estimates import Estimate
from edge_runtime.pages import Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# matplotlib tells of its font cache and of its folders, which is nobody's concern here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

WIDTH = 4.2
"""Inches; at the width of a phone its text is still readable."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")
"""Okabe and Ito's, which colour-blind people can tell apart."""
_LINES = ("-", "--", ":")
_STYLE: Any = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler(color={list(COLOURS)})",
    "grid.color": "#e5e5e5",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "svg.fonttype": "none",
    # The same run gives the same report, byte by byte.
    "svg.hashsalt": "edge-garment",
    # A dollar sign in a class name begins no formula.
    "text.parse_math": False,
}


@contextlib.contextmanager
def _styled() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # matplotlib lays text out with its own font; the browser, which draws it, has others.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def render(paint: Callable[[Figure], None], width: float = WIDTH, height: float = 2.7) -> Html:
    """Return an SVG element of what `paint` puts on a figure; width and height in inches."""
    from matplotlib.figure import Figure

    text = io.StringIO()
    with _styled():
        figure = Figure((width, height), layout="constrained")
        paint(figure)
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    return Html(svg[svg.index("<svg") :])


def draw_precision(curves: Mapping[str, NDArray[np.float64]]) -> Html:
    """Draw a detector's precision against its recall.

    Args:
        curves: By label, as `edge_runtime.coco.trace_curves` returns them.
    """
    from matplotlib.ticker import PercentFormatter

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (label, curve) in enumerate(curves.items()):
            line, colour = _LINES[place // len(COLOURS) % len(_LINES)], COLOURS[place % len(COLOURS)]
            axes.plot(RECALLS, np.where(curve > 0, curve, np.nan), line, color=colour, label=label)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        figure.legend(loc="outside lower center", ncols=3)

    return render(paint, height=3.2 + 0.07 * len(curves))


def plot_estimates(
    axes: Axes, estimates: Sequence[Estimate | None], rows: Sequence[float], colour: str, marker: str, name: str
) -> None:
    """Plot estimates as dots with horizontal bars, each at its row; None leaves a row empty."""
    present = [(estimate, row) for estimate, row in zip(estimates, rows, strict=True) if estimate is not None]
    axes.errorbar(
        [estimate.value for estimate, _ in present],
        [row for _, row in present],
        xerr=interval_arms([estimate for estimate, _ in present]),
        fmt=marker,
        color=colour,
        elinewidth=1,
        label=name,
    )


def interval_arms(estimates: Sequence[Estimate]) -> NDArray[np.float64]:
    """Return the (2, estimates) lengths of the bars below and above; rounding must not make one negative."""
    arms = [[estimate.value - estimate.low, estimate.high - estimate.value] for estimate in estimates]
    lengths: NDArray[np.float64] = np.reshape(np.array(arms, np.float64), (len(estimates), 2)).T
    return np.maximum(lengths, 0)
