"""Tell how often bootstrap intervals of mAP hold the truth, by the number of photos. Prints Markdown.

python bench/interval_coverage.py

Simulated: one to three boxes of five classes a photo, the first class the commonest, three of four found, about in
place, and now and then a box of nothing. The truth is the mAP of 1,500 such photos.
"""

from collections.abc import Sequence

import click
import numpy as np

from edge_runtime.coco import TrueBox, measure_coco, resample_map
from edge_runtime.estimates import resample_photos
from edge_runtime.results import Detection

_LABELS = tuple("abcde")
_Photo = tuple[list[TrueBox], list[Detection]]


@click.command()
@click.option("--runs", type=click.IntRange(1), default=100, show_default=True)
def main(runs: int) -> None:
    """Print the table, a line for each number of photos, of RUNS simulations each."""
    whole = _simulate(1500, np.random.default_rng(0))
    truth = measure_coco(*_divide(whole), _LABELS).map
    click.echo(f"Truth: mAP {truth:.3f}\n\n| photos | intervals that hold it |\n| ---: | ---: |")
    for photos in (5, 10, 20, 60):
        held = [_holds(truth, _simulate(photos, np.random.default_rng((photos, run)))) for run in range(runs)]
        click.echo(f"| {photos} | {np.mean(held):.0%} |")


def _holds(truth: float, photos: Sequence[_Photo]) -> bool:
    # Without the bound on their number that `estimate_by_bootstrap` has.
    resampled = resample_map(*_divide(photos), _LABELS, resample_photos(len(photos)))
    low, high = np.nanpercentile(resampled, (2.5, 97.5))
    return bool(low <= truth <= high)


def _divide(photos: Sequence[_Photo]) -> tuple[list[list[TrueBox]], list[list[Detection]]]:
    return [truth for truth, _ in photos], [found for _, found in photos]


def _simulate(photos: int, random: np.random.Generator) -> list[_Photo]:
    return [_simulate_photo(random) for _ in range(photos)]


def _simulate_photo(random: np.random.Generator) -> _Photo:
    truth, found = [], []
    for _ in range(random.integers(1, 4)):
        label = _LABELS[min(int(random.exponential(len(_LABELS) / 3)), len(_LABELS) - 1)]
        corner, side = random.uniform(0, 300, 2), random.uniform(40, 120, 2)
        box = np.concatenate([corner, corner + side])
        truth.append(TrueBox(label, tuple(box)))
        if random.random() < 0.75:
            moved = box + random.normal(0, 0.06, 4) * np.tile(side, 2)
            found.append(Detection(label, float(random.beta(5, 2)), tuple(moved)))
    if random.random() < 0.5:
        left, top = random.uniform(0, 300, 2)
        label = _LABELS[random.integers(len(_LABELS))]
        found.append(Detection(label, float(random.beta(2, 4)), (left, top, left + 70, top + 70)))
    return truth, sorted(found, key=lambda box: -box.score)


if __name__ == "__main__":
    main()
