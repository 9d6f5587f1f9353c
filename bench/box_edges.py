"""Tell how far the edges of found boxes are from those of the true ones, by label: shifted, or scattered?

python bench/box_edges.py runs/cfpd
python bench/box_edges.py runs/cfpd runs/cfpd-seed1

Boxes of a run's validation photos that overlap a true one by half or more. A mean far from 0 is a fault of the detector
or of its preprocessing; a spread that is as wide for small classes as for large ones hints at loose labels. A second
run over the same photos, of another seed, tells how much of the spread is chance: where both put an edge off by the
same pixels, with a correlation near 1, more seeds will not mend it.
"""

from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection
from train.detection.coding import intersect_over_union
from train.detection.judging import judge_photo
from train.report.detector_run import FinishedDetectorRun, read_detector_run

_Box = tuple[float, float, float, float]
_Place = tuple[str, _Box]
"""A photo, and a true box on it."""
_FEWEST = 3
"""Boxes of a label that a spread, or a correlation, is told of."""
_EDGES = ("left", "top", "right", "bottom")


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("beside", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(run: Path, beside: Path | None) -> None:
    """Print mean and standard deviation of found minus true edges of RUN, in pixels of the photos.

    With a second run, print of the boxes that both found how their errors correlate, too.
    """
    first = _pair(read_detector_run(run))
    second = _pair(read_detector_run(beside)) if beside else None
    click.echo("| label | boxes | width, height | " + " | ".join(_EDGES) + (" | alike |" if second else " |"))
    click.echo("| --- | ---: | ---: |" + " ---: |" * (len(_EDGES) + bool(second)))
    for label, found_at in sorted(first.items()):
        places = [place for place in found_at if second is None or place in second[label]]
        if len(places) < _FEWEST:
            continue
        errors = _measure(found_at, places)
        width, height = np.mean([(box[2] - box[0], box[3] - box[1]) for _, box in places], axis=0)
        cells = [f"{mean:+.1f} ± {spread:.1f}" for mean, spread in zip(errors.mean(0), errors.std(0), strict=True)]
        if second is not None:
            cells.append(f"{_correlate(errors, _measure(second[label], places)):.2f}")
        click.echo(f"| {label} | {len(places)} | {width:.0f}, {height:.0f} | " + " | ".join(cells) + " |")


def _pair(run: FinishedDetectorRun) -> dict[str, dict[_Place, _Box]]:
    """Return the found box, (x_min, y_min, x_max, y_max), of each true one that is found, by label."""
    pairs: dict[str, dict[_Place, _Box]] = defaultdict(dict)
    for photo, found, truth in zip(run.photos, run.found, run.truth, strict=True):
        for hit in judge_photo(found, truth).hits:
            pairs[hit.label][photo, _find_partner(hit, truth).box] = hit.box
    return pairs


def _find_partner(hit: Detection, truth: tuple[TrueBox, ...]) -> TrueBox:
    candidates = [each for each in truth if each.label == hit.label]
    boxes = np.array([each.box for each in candidates], np.float32)
    return candidates[int(intersect_over_union(np.array([hit.box], np.float32), boxes)[0].argmax())]


def _measure(found_at: dict[_Place, _Box], places: list[_Place]) -> NDArray[np.float64]:
    """Return the (n, 4) errors of edges, found minus true, in pixels."""
    return np.array([np.subtract(found_at[place], place[1]) for place in places])


def _correlate(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the mean over edges of the correlation of two runs' errors."""
    return float(np.mean([np.corrcoef(first[:, edge], second[:, edge])[0, 1] for edge in range(len(_EDGES))]))


if __name__ == "__main__":
    main()
