"""The figures of a parity report, as inline SVG."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy
from convert.parity.calibration_curve import CalibrationPoint
from convert.parity.report import LayerNoise
from edge_runtime.estimates import BootstrapEstimate
from edge_runtime.pages import Html
from edge_runtime.plots import COLOURS, plot_estimates, render

_MOST_SHOWN = 60.0
"""dB; more exact layers are drawn here."""


def draw_stages(stages: Sequence[StageAccuracy | StagePrecision]) -> Html:
    """Draw the accuracy or precision of each stage with its interval."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for row, stage in enumerate(stages):
            value = stage.top1 if isinstance(stage, StageAccuracy) else stage.map
            estimate = BootstrapEstimate(value, stage.low, stage.high).drawn
            plot_estimates(axes, [estimate], [row], COLOURS[row % len(COLOURS)], "o", stage.stage)
        axes.set_yticks(range(len(stages)), [stage.stage for stage in stages])
        axes.set_ylim(len(stages) - 0.5, -0.5)
        if isinstance(stages[0], StageAccuracy):
            axes.set(xlabel="top-1 accuracy")
            axes.xaxis.set_major_formatter(PercentFormatter(1))
        else:
            axes.set(xlabel="mAP")

    return render(paint, height=0.9 + 0.3 * len(stages))


def draw_scores(scores: NDArray[np.float64], first: str, last: str) -> Html:
    """Draw the last stage's scores against those of the first for the same answers, (answers, 2)."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], "--", color="#888888", linewidth=1)
        axes.plot(scores[:, 0], scores[:, 1], "o", markersize=2.5, alpha=0.4, markeredgewidth=0)
        axes.set(xlabel=f"score, {first}", ylabel=f"score, {last}", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_aspect("equal")

    return render(paint, height=3.9)


def draw_overlaps(overlaps: NDArray[np.float64]) -> Html:
    """Draw how many (boxes,) pairs of boxes have which IoU."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.hist(overlaps, bins=np.linspace(0.5, 1, 26).tolist())
        axes.set(xlabel="IoU of the two boxes", ylabel="boxes", xlim=(0.5, 1))

    return render(paint, height=3.9)


def draw_layers(layers: Sequence[LayerNoise], worst: Sequence[LayerNoise]) -> Html:
    """Draw both ratios of each layer along the graph, and number the worst."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = {layer.index: place for place, layer in enumerate(layers)}
        axes.plot(list(places.values()), [_shown(layer.own) for layer in layers], "o", label="the layer's own")
        axes.plot(
            list(places.values()), [_shown(layer.sqnr) for layer in layers], "-", label="gathered up to the layer"
        )
        for rank, layer in enumerate(worst, start=1):
            place = (layers.index(layer), _shown(layer.own))
            axes.annotate(str(rank), place, (0, -11), textcoords="offset points", ha="center", fontsize=8)
        axes.set(xlabel="layer, from the input to the answer", ylabel="SQNR, dB (more is better)")
        axes.margins(y=0.12)
        figure.legend(loc="outside lower center", ncols=2)

    return render(paint, width=6.5, height=3.2)


def draw_calibration(points: Sequence[CalibrationPoint], quantity: str) -> Html:
    """Draw quality and drift over the number of images, a line for each choice of them.

    Args:
        points: Of the Keras model first, whose interval, where it has one, is the grey band.
        quantity: What the quality is called.
    """
    keras, *rest = points

    def paint(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        label = "Keras"
        if keras.low is not None and keras.high is not None:
            upper.axhspan(keras.low, keras.high, color="#eeeeee", zorder=0)
            label = "Keras, 95 % interval"
        upper.axhline(keras.quality, color="#888888", linestyle="--", linewidth=1, label=label)
        for colour, choice in zip(COLOURS, dict.fromkeys(point.choice for point in rest), strict=False):
            chosen = [point for point in rest if point.choice == choice]
            _plot_choice(upper, chosen, [point.quality for point in chosen], colour)
            _plot_choice(lower, chosen, [math.nan if point.drift is None else point.drift for point in chosen], colour)
        upper.set(xscale="log", ylabel=quantity)
        upper.yaxis.set_major_formatter(PercentFormatter(1))
        lower.set(xlabel="images to calibrate on", ylabel="mean score drift")
        lower.set_ylim(bottom=0)
        counts = sorted({point.images for point in rest})
        lower.set_xticks(counts, list(map(str, counts)), minor=False)
        lower.set_xticks([], minor=True)
        figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=2)

    return render(paint, width=5.5, height=5)


def _plot_choice(axes: Axes, points: Sequence[CalibrationPoint], values: Sequence[float], colour: str) -> None:
    """Plot each seed as a dot, and a line through the means."""
    counts = [point.images for point in points]
    means = {
        count: np.mean([value for value, each in zip(values, counts, strict=True) if each == count]) for count in counts
    }
    axes.plot(counts, values, "o", color=colour, alpha=0.6)
    axes.plot(list(means), [float(mean) for mean in means.values()], "-", color=colour, label=points[0].choice)


def _shown(decibels: float | None) -> float:
    return _MOST_SHOWN if decibels is None else min(decibels, _MOST_SHOWN)
