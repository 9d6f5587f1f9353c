"""The figures of a run's report, as inline SVG."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from edge_runtime.pages import Html
from edge_runtime.plots import COLOURS, WIDTH, interval_arms, plot_estimates, render
from train.classification.epoch import EpochRecord
from train.evaluation.statistics import ClassQuality, Floats, RejectionCurve, Reliability
from train.fitting.checkpoint import Epoch

_MOST_NUMBERED_CLASSES = 25
# With more, pages become slow, and texts too small to be read.
MOST_NAMED_CLASSES = 100
_MARKERS = "osD"


def draw_loss(history: Sequence[Epoch], best: int) -> Html:
    """Draw the training loss of each epoch."""

    def paint(figure: Figure) -> None:
        axes = _epoch_axes(figure, "training loss", history, best)
        axes.plot(_epochs(history), [record.loss for record in history], "o-")
        axes.set_ylim(bottom=0)

    return render(paint)


def draw_validation(history: Sequence[EpochRecord], best: int) -> Html:
    """Draw both validation accuracies of each epoch."""
    return draw_shares(
        history,
        best,
        "validation accuracy",
        {
            "top-1": [record.validation_top1 for record in history],
            "macro": [record.validation_macro for record in history],
        },
    )


def draw_shares(history: Sequence[Epoch], best: int, quantity: str, curves: Mapping[str, Sequence[float]]) -> Html:
    """Draw curves of shares in [0, 1] over epochs, by name."""

    def paint(figure: Figure) -> None:
        axes = _epoch_axes(figure, quantity, history, best)
        for marker, (name, values) in zip(_MARKERS, curves.items(), strict=False):
            axes.plot(_epochs(history), values, f"{marker}-", label=name)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")

    return render(paint)


def draw_learning_rate(history: Sequence[Epoch], best: int) -> Html:
    """Draw the learning rate at the end of each epoch."""

    def paint(figure: Figure) -> None:
        axes = _epoch_axes(figure, "learning rate", history, best)
        axes.plot(_epochs(history), [record.learning_rate for record in history], "o-")
        axes.ticklabel_format(axis="y", scilimits=(0, 0))
        axes.set_ylim(bottom=0)

    return render(paint)


def draw_confusions(labels: Sequence[str], confusions: Sequence[Sequence[int]]) -> Html:
    """Draw a confusion matrix, shaded by share of its row; true classes in rows."""
    matrix = np.asarray(confusions)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = max(WIDTH, 1.2 + 0.42 * min(len(labels), MOST_NAMED_CLASSES))

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        # As it is, and not as an image of the size of the page, which takes minutes with hundreds of classes.
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
        axes.grid(visible=False)
        if len(labels) <= MOST_NAMED_CLASSES:
            axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(labels)), labels)
        axes.set(xlabel="given label", ylabel="true label")
        if len(labels) <= _MOST_NUMBERED_CLASSES:
            _number_cells(axes, matrix, shares)

    return render(paint, side, side - 0.3)


def _number_cells(axes: Axes, matrix: NDArray[np.int64], shares: Floats) -> None:
    for row, column in np.argwhere(matrix):
        share = shares[row, column]
        ink = "white" if share > 0.5 else "black"
        axes.text(column, row - 0.15, str(matrix[row, column]), ha="center", va="center", color=ink, fontsize=8)
        axes.text(column, row + 0.25, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=5.5)


def draw_classes(classes: Sequence[ClassQuality]) -> Html:
    """Draw precision, recall and F1 of each class with their intervals."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (name, marker) in enumerate((("precision", "o"), ("recall", "s"), ("F1", "D"))):
            shares = [getattr(quality, name.lower()) for quality in classes]
            rows = [row + (place - 1) * 0.24 for row in range(len(classes))]
            plot_estimates(axes, shares, rows, COLOURS[place], marker, name)
        axes.set_yticks(range(len(classes)), [quality.label for quality in classes])
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        figure.legend(loc="outside lower center", ncols=3)

    return render(paint, height=1.0 + 0.38 * len(classes))


def draw_reliability(reliability: Reliability) -> Html:
    """Draw how often the model is right against how sure it is, and how many photos that rests on."""

    def paint(figure: Figure) -> None:
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        values = [estimate.value for estimate in reliability.accuracy]
        axes.plot([0, 1], [0, 1], "--", color="#888888", linewidth=1, label="score = accuracy")
        arms = interval_arms(reliability.accuracy)
        axes.errorbar(reliability.confidence, values, yerr=arms, fmt="o", elinewidth=1, label="with 95 % interval")
        axes.set(ylabel="accuracy", ylim=(0, 1.02))
        axes.legend(loc="upper left")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        counts.bar(reliability.confidence, reliability.photos, width=0.04)
        counts.set(xlabel="mean score of the bin", ylabel="photos", xlim=(0, 1.02))

    return render(paint, height=4)


def draw_rejection(rejection: RejectionCurve) -> Html:
    """Draw what a rejection threshold costs in answers and gains in accuracy."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(rejection.thresholds, rejection.coverage, label="coverage: photos answered")
        axes.plot(rejection.thresholds, rejection.accuracy, label="accuracy of the answers")
        axes.set(xlabel="threshold", xlim=(0, 1), ylim=(0, 1.02))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower left")

    return render(paint, height=4)


def _epochs(history: Sequence[Epoch]) -> range:
    return range(1, len(history) + 1)


def _epoch_axes(figure: Figure, quantity: str, history: Sequence[Epoch], best: int) -> Axes:
    """Add axes over epochs, with the frozen-body epochs shaded and the epoch of the kept model marked."""
    axes = figure.add_subplot()
    axes.set(xlabel="epoch", ylabel=quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    head = sum(record.phase == "head" for record in history)
    if head:
        axes.axvspan(0.5, head + 0.5, color="#f0f0f0", zorder=0)
    axes.axvline(best + 1, color="#888888", linestyle=":", linewidth=1)
    axes.set_xlim(0.5, len(history) + 0.5)
    return axes
