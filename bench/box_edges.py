"""Tell how far the edges of found boxes are from those of the true ones, by label: shifted, or scattered?

python bench/box_edges.py runs/cfpd

Boxes of a run's validation photos that overlap a true one by half or more. A mean far from 0 is a fault of the detector
or of its preprocessing; a spread that is as wide for small classes as for large ones hints at loose labels.
"""

from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from edge_runtime.coco import TrueBox
from edge_runtime.results import Detection
from train.detection.coding import intersect_over_union
from train.detection.judging import judge_photo
from train.report.detector_run import FinishedDetectorRun, read_detector_run

_Box = tuple[float, float, float, float]
_EDGES = ("left", "top", "right", "bottom")


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(run: Path) -> None:
    """Print mean and standard deviation of found minus true edges of RUN, in pixels of the photos."""
    click.echo("| label | boxes | width, height | " + " | ".join(_EDGES) + " |")
    click.echo("| --- | ---: | ---: |" + " ---: |" * len(_EDGES))
    for label, pairs in sorted(_pair(read_detector_run(run)).items()):
        found, true = (np.array(boxes) for boxes in zip(*pairs, strict=True))
        width, height = (true[:, 2:] - true[:, :2]).mean(axis=0)
        errors = found - true
        cells = (f"{mean:+.1f} ± {spread:.1f}" for mean, spread in zip(errors.mean(0), errors.std(0), strict=True))
        click.echo(f"| {label} | {len(pairs)} | {width:.0f}, {height:.0f} | " + " | ".join(cells) + " |")


def _pair(run: FinishedDetectorRun) -> dict[str, list[tuple[_Box, _Box]]]:
    """Return found and true boxes, (x_min, y_min, x_max, y_max), by label."""
    pairs = defaultdict(list)
    for found, truth in zip(run.found, run.truth, strict=True):
        for hit in judge_photo(found, truth).hits:
            pairs[hit.label].append((hit.box, _find_partner(hit, truth).box))
    return pairs


def _find_partner(hit: Detection, truth: tuple[TrueBox, ...]) -> TrueBox:
    candidates = [each for each in truth if each.label == hit.label]
    boxes = np.array([each.box for each in candidates], np.float32)
    return candidates[int(intersect_over_union(np.array([hit.box], np.float32), boxes)[0].argmax())]


if __name__ == "__main__":
    main()
