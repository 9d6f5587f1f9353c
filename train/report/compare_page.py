"""The comparison of several runs: a single HTML page."""

from collections.abc import Sequence
from itertools import cycle, product

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from edge_runtime import pages
from edge_runtime.pages import Html
from edge_runtime.plots import COLOURS, plot_estimates, render
from train.report.compare import HEADER, ComparedRun, find_incomparable, make_rows

_LINES = ("-", "--", ":")


def build_comparison(compared: Sequence[ComparedRun]) -> str:
    """Return the comparison as one HTML page; the first run is what the others are held against."""
    first = compared[0]
    return pages.build_page(
        f"{len(compared)} training runs",
        f"Each run is held against the first, {first.name}.",
        _table(compared),
        pages.section("Accuracy", pages.figure(_draw_accuracies(compared), "Top-1 accuracy with 95 % intervals.")),
        _curves(compared),
        _arguments(compared),
    )


def _table(compared: Sequence[ComparedRun]) -> Html:
    return pages.section(
        "Results",
        *(pages.paragraph(sentence, "alert") for sentence in find_incomparable(compared)),
        pages.table(HEADER[:-1], [row[:-1] for row in make_rows(compared)], numbers=True),
        pages.paragraph(
            "Won: photos that the run answers rightly and the first run wrongly; lost: the other way round. p: of the "
            "exact McNemar test on these photos, how likely a difference as large would be between equally good runs. "
            "It speaks for these two trainings, not for their recipes: another seed may turn it. With many runs, "
            "some come below 0.05 by chance. The intervals are Wilson ones, of each run alone; where two overlap, "
            "the paired test may still tell the runs apart. All take photos as independent.",
            "note",
        ),
    )


def _curves(compared: Sequence[ComparedRun]) -> Html:
    return pages.section(
        "Learning curves",
        pages.figures(
            pages.figure(_draw_curves(compared, "validation_top1"), "Top-1 accuracy on validation photos."),
            pages.figure(_draw_curves(compared, "validation_macro"), "Macro accuracy on validation photos."),
            pages.figure(_draw_curves(compared, "loss"), "Loss on training photos; losses of different augmentation "
                         "or smoothing do not compare."),
        ),
    )  # fmt: skip


def _arguments(compared: Sequence[ComparedRun]) -> Html:
    names = ["architecture", "weights", *dict.fromkeys(name for each in compared for name in each.differences)]
    rows = [(name, *(each.run.arguments.get(name, "-") for each in compared)) for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    if not differing:
        return pages.section("Arguments", pages.paragraph("All runs have the same arguments."))
    return pages.section(
        "Arguments that differ", pages.table(("argument", *(each.name for each in compared)), differing)
    )


def _draw_accuracies(compared: Sequence[ComparedRun]) -> Html:
    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for row, each in enumerate(compared):
            plot_estimates(axes, [each.top1], [row], COLOURS[row % len(COLOURS)], "o", each.name)
        axes.set_yticks(range(len(compared)), [each.title for each in compared])
        axes.set_ylim(len(compared) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(1))

    return render(paint, height=0.7 + 0.3 * len(compared))


def _draw_curves(compared: Sequence[ComparedRun], quantity: str) -> Html:
    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        looks = cycle(product(_LINES, COLOURS))
        for each, (line, colour) in zip(compared, looks, strict=False):
            values = [getattr(record, quantity) for record in each.run.history]
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, line, color=colour, marker="o", markersize=2.5, label=each.title)
        axes.set(xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if quantity != "loss":
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        figure.legend(loc="outside lower center", ncols=2)

    return render(paint, height=2.6 + 0.1 * len(compared))
