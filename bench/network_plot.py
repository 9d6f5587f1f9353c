"""Draw what int8 recipes change of networks' answers, from the table of bench/network_accuracy.py.

python bench/network_plot.py docs/networks.csv docs/networks.svg
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_runtime.files import write_text
from edge_runtime.plots import COLOURS, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scores = Mapping[str, Mapping[str, tuple[float, float]]]
"""Score and agreement, both in percent, by network and recipe."""

_REFERENCE = "keras"
_MARKS = {"int8": "o", "int8-corrected": "s", "int8-qat": "^"}


@click.command()
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def main(table: Path, output: Path) -> None:
    """Draw TABLE, a CSV file, to OUTPUT, an SVG file."""
    scores = _read(table)
    names = sorted(scores, key=lambda name: scores[name][_REFERENCE])
    write_text(output, render(lambda figure: _paint(figure, scores, names), width=8, height=1.2 + 0.3 * len(names)))


def _read(table: Path) -> Scores:
    scores: dict[str, dict[str, tuple[float, float]]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            shares = 100 * float(row["score"]), 100 * float(row["agreement"])
            scores.setdefault(row["network"], {})[row["recipe"]] = shares
    return scores


def _paint(figure: "Figure", scores: Scores, names: Sequence[str]) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    changes = {name: {recipe: of[recipe][0] - of[_REFERENCE][0] for recipe in _MARKS} for name, of in scores.items()}
    agreements = {name: {recipe: of[recipe][1] for recipe in _MARKS} for name, of in scores.items()}
    _dot(left, changes, names, "change of top-1, points")
    left.axvline(0, color="#888888", linewidth=0.8)
    _dot(right, agreements, names, "same answer as Keras, %")
    left.set_yticks(range(len(names)), [f"{name}  {scores[name][_REFERENCE][0]:.1f} %" for name in names])
    figure.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=len(_MARKS))


def _dot(axes: "Axes", values: Mapping[str, Mapping[str, float]], names: Sequence[str], label: str) -> None:
    for place, name in enumerate(names):
        axes.plot([min(values[name].values()), max(values[name].values())], [place, place], color="#cccccc", zorder=1)
    for (recipe, mark), colour in zip(_MARKS.items(), COLOURS, strict=False):
        points = [values[name][recipe] for name in names]
        axes.scatter(points, range(len(names)), 22, colour, marker=mark, label=recipe, zorder=2)
    axes.set_xlabel(label)


if __name__ == "__main__":
    main()
