"""The comparison of several runs: a single HTML page."""

from collections.abc import Sequence
from itertools import cycle, product

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from edge_runtime import pages
from edge_runtime.pages import Html
from edge_runtime.plots import COLOURS, plot_estimates, render
from train.report.comparison import ComparedRun, Comparison, find_incomparable

_LINES = ("-", "--", ":")


def build_comparison(comparison: Comparison) -> str:
    """Return the comparison as one HTML page; the first run is what the others are held against."""
    runs, headline = comparison.runs, comparison.headline
    return pages.build_page(
        f"{len(runs)} training runs",
        f"Each run is held against the first, {runs[0].name}.",
        _table(comparison),
        pages.section(headline, pages.figure(_draw_headlines(comparison), f"{headline}; bars are 95 % intervals.")),
        *([_curves(comparison)] if any(each.run.history for each in runs) else []),
        _arguments(runs),
    )


def _table(comparison: Comparison) -> Html:
    return pages.section(
        "Results",
        *(pages.paragraph(sentence, "alert") for sentence in find_incomparable(comparison)),
        pages.table(comparison.header[:-1], [row[:-1] for row in comparison.rows], numbers=True),
        pages.paragraph(comparison.note, "note"),
    )


def _curves(comparison: Comparison) -> Html:
    figures = [
        pages.figure(_draw_curves(comparison, quantity), caption) for quantity, caption in comparison.curves.items()
    ]
    return pages.section("Learning curves", pages.figures(*figures))


def _arguments(compared: Sequence[ComparedRun]) -> Html:
    names = ["architecture", "weights", *dict.fromkeys(name for each in compared for name in each.differences)]
    rows = [(name, *(each.run.arguments.get(name, "-") for each in compared)) for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    if not differing:
        return pages.section("Arguments", pages.paragraph("All runs have the same arguments."))
    return pages.section(
        "Arguments that differ", pages.table(("argument", *(each.name for each in compared)), differing)
    )


def _draw_headlines(comparison: Comparison) -> Html:
    compared = comparison.runs

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for row, each in enumerate(compared):
            plot_estimates(axes, [each.worth.headline], [row], COLOURS[row % len(COLOURS)], "o", each.name)
        axes.set_yticks(range(len(compared)), [each.title for each in compared])
        axes.set_ylim(len(compared) - 0.5, -0.5)
        if comparison.percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))

    return render(paint, height=0.7 + 0.3 * len(compared))


def _draw_curves(comparison: Comparison, quantity: str) -> Html:
    compared = comparison.runs

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        looks = cycle(product(_LINES, COLOURS))
        for each, (line, colour) in zip(compared, looks, strict=False):
            if not each.run.history:
                # An average of runs has learnt nothing itself.
                continue
            values = [getattr(record, quantity) for record in each.run.history]
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, line, color=colour, marker="o", markersize=2.5, label=each.title)
        axes.set(xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if comparison.percent and quantity != "loss":
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        figure.legend(loc="outside lower center", ncols=2)

    return render(paint, height=2.6 + 0.1 * len(compared))
