"""Measure a finished `.tflite` file for its model card: each class, rejection, drawings. Prints Markdown.

python bench/model_scores.py RUN MODEL.tflite --negatives negatives/

Everything goes through the runtime, as on a device. RUN is the training run, whose validation photos are asked; those
in each sub-folder of its images, such as the worn garments of `bench/worn_photos.py`, are told apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import click
import numpy as np

from edge_runtime import Recognizer
from edge_runtime.drawing import GARMENTS, draw_background, draw_clutter, draw_garment
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.training_run import Split, TrainingRun
from train.classification.negatives import find_negatives
from train.evaluation.metrics import count_confusions, measure_accuracy
from train.evaluation.statistics import measure_classes

# Training draws from seed 1,000,000 on, calibration without photos from 500,000 on.
_FIRST_DRAWING = 100_000
_DRAWN_SCENES = 200


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.argument("model", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--negatives", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--drawings", type=click.IntRange(1), default=50, show_default=True, help="Per garment.")
def main(run: Path, model: Path, negatives: Path, drawings: int) -> None:
    """Print the tables of MODEL's card."""
    recognizer = Recognizer.load(model)
    labels = recognizer.spec.heads[0].labels
    training_run = TrainingRun(run)
    rows = training_run.read_splits(Split.VALIDATION)
    images = training_run.read_image_folder()
    scores = _score(recognizer, (read_picture(images / row.image) for row in rows))
    targets = np.array([labels.index(row.label) for row in rows])
    folders = np.array([PurePosixPath(row.image).parts[0] if "/" in row.image else "photos" for row in rows])
    threshold = recognizer.spec.heads[0].threshold
    _print_stages(recognizer)
    for folder in np.unique(folders):
        _print_photos(str(folder), scores[folders == folder], targets[folders == folder], labels, threshold)
    _print_rejection(recognizer, threshold, negatives)
    _print_drawings(recognizer, labels, drawings)


def _score(recognizer: Recognizer, frames: Iterable[Image]) -> np.ndarray:
    return np.stack([recognizer.scores(frame) for frame in frames])


def _print_stages(recognizer: Recognizer) -> None:
    click.echo("\n| stage | top-1 | 95 % interval | macro | agreement |")
    click.echo("| --- | ---: | --- | ---: | ---: |")
    for stage in recognizer.spec.provenance["measured"]:
        click.echo(
            f"| {stage['stage']} | {stage['top1']:.1%} | {stage['low']:.1%} to {stage['high']:.1%} "
            f"| {stage['macro']:.1%} | {stage['agreement']:.1%} |"
        )


def _print_photos(name: str, scores: np.ndarray, targets: np.ndarray, labels: Sequence[str], threshold: float) -> None:
    answers = scores.argmax(axis=1)
    accuracy = measure_accuracy(targets, answers)
    right, kept = answers == targets, scores.max(axis=1) >= threshold
    click.echo(f"\n{name}: {len(targets)}, top-1 {accuracy.top1:.1%}, macro {accuracy.macro:.1%}")
    click.echo(
        f"kept: {kept[right].sum()} of {right.sum()} right answers, {kept[~right].sum()} of {(~right).sum()} wrong"
    )
    click.echo("\n| class | photos | recall | 95 % interval | precision |")
    click.echo("| --- | ---: | ---: | --- | ---: |")
    for each in measure_classes(labels, count_confusions(targets, answers, len(labels))):
        recall = f"{each.recall.value:.1%} | {each.recall.low:.0%} to {each.recall.high:.0%}" if each.recall else " | "
        precision = f"{each.precision.value:.1%}" if each.precision else ""
        click.echo(f"| {each.label} | {each.photos} | {recall} | {precision} |")


def _print_rejection(recognizer: Recognizer, threshold: float, negatives: Path) -> None:
    click.echo(f"\nthreshold {threshold:.3f}")
    for kind, pictures in _kinds(negatives):
        best = _score(recognizer, pictures).max(axis=1)
        click.echo(f"rejects {(best < threshold).mean():.1%} of {len(best)} {kind}")


def _kinds(negatives: Path) -> Iterator[tuple[str, Iterable[Image]]]:
    """Yield pictures that RUN did not learn from; those of files chose the threshold."""
    paths = find_negatives(negatives).held_out
    streets, worn = ([path for path in paths if path.name.startswith(prefix)] for prefix in ("ccp-", "worn-"))
    yield "photos labelled Other or Not sure", map(read_picture, sorted({*paths} - {*streets} - {*worn}))
    yield "street backgrounds", map(read_picture, streets)
    yield "bags and sunglasses", map(read_picture, worn)
    seeds = range(_FIRST_DRAWING, _FIRST_DRAWING + _DRAWN_SCENES)
    yield "drawn backgrounds", map(draw_background, seeds)
    yield "drawn backgrounds with clutter", map(draw_clutter, seeds)


def _print_drawings(recognizer: Recognizer, labels: tuple[str, ...], count: int) -> None:
    wanted = [garment for garment in GARMENTS if garment in labels]
    seeds = range(_FIRST_DRAWING, _FIRST_DRAWING + count)
    right = {
        garment: sum(labels[recognizer.scores(draw_garment(garment, seed)).argmax()] == garment for seed in seeds)
        for garment in wanted
    }
    click.echo(f"\ndrawings: {sum(right.values()) / (count * len(wanted)):.1%} of {count * len(wanted)}", nl=False)
    click.echo(f", fewest of {min(right, key=lambda garment: right[garment])}: {min(right.values())} of {count}")


if __name__ == "__main__":
    main()
