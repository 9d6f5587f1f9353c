"""Measure what each recipe makes of trained networks. Writes a CSV file and prints Markdown.

python bench/recipe_accuracy.py accuracy.csv runs/mobilenet_v2 runs/efficientnet_lite0

Each run's validation photos are asked through the runtime, as on a device. Nothing is written into the runs. A command
that was killed goes on when it is repeated, and rows of other runs in the CSV file stay.
"""

import csv
import logging
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import click

from calibration_data import choose_photos
from convert.calibration import load_sample
from convert.evaluation import StageAccuracy
from convert.metadata_writer import add_metadata
from convert.network import find_images, finish_network, load_network
from convert.parity.measurement import KERAS_STAGE, StageAnswers, Subject, ask_file, ask_keras, compare_answers
from convert.qat.lessons import read_lessons
from convert.recipe import RECIPES
from convert.recipes.building import Material, build_network
from edge_runtime.files import write_text
from edge_runtime.tables import format_csv
from edge_runtime.training_run import TrainingRun

_KERAS = "keras"


@dataclass(frozen=True, slots=True)
class Row:
    """One recipe on one network.

    Attributes:
        network: Name of the run directory.
        image_size: Input height and width in pixels.
        weights: What the run began with: `imagenet`, `none`, or the name of a file.
        epochs: Of the whole network.
        recipe: Of the file; `keras` for the model itself.
        score: A classifier's top-1, a detector's COCO mAP, in [0, 1].
        second: A classifier's macro accuracy, a detector's mAP50.
        agreement: With the Keras model, in [0, 1]; 0 where neither reports a box.
        size: Bytes of the file, described but for its provenance; of the Keras file for `keras`.
        seconds: What making it took.
    """

    network: str
    image_size: int
    weights: str
    epochs: int
    recipe: str
    score: float
    second: float
    agreement: float
    size: int
    seconds: float


@click.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("runs", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
@click.option("--recipes", multiple=True, type=click.Choice(list(RECIPES)), help="Those to try.  [default: all]")
@click.option("--calibration-images", default=200, show_default=True)
@click.option("--qat-epochs", default=3, show_default=True)
def main(output: Path, runs: Sequence[Path], recipes: Sequence[str], calibration_images: int, qat_epochs: int) -> None:
    """Write the table of what recipes make of RUNS to OUTPUT."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    rows = _read(output)
    for path in runs:
        done = {row.recipe for row in rows if row.network == path.name}
        wanted = [name for name in recipes or RECIPES if name not in done]
        if wanted:
            bench = _Bench(TrainingRun(path), calibration_images, qat_epochs)
            rows += [] if _KERAS in done else [bench.measure_keras()]
        for name in wanted:
            logging.info("%s: %s", path.name, name)
            rows.append(bench.measure(name))
            write_text(output, format_csv([field.name for field in fields(Row)], map(astuple, rows)))
    _print(rows)


class _Bench:
    """One run's model, its photos and the Keras model's answers."""

    def __init__(self, run: TrainingRun, calibration_images: int, epochs: int) -> None:
        spec, arguments = run.read_spec(), run.read_arguments()
        images = find_images(run, spec, None)
        self._start = (arguments["image_size"], Path(arguments["weights"]).name, arguments["schedule"]["epochs"])
        self._subject = Subject(run, load_network(run, spec), spec, images, {})
        sample = choose_photos(run.read_splits(), images, calibration_images, seed=0)
        self._material = Material(
            self._subject.model,
            spec.task,
            load_sample(sample, spec.input),
            lambda: read_lessons(run.read_splits(), images, spec, epochs),
        )
        self._keras = ask_keras(self._subject)

    def measure_keras(self) -> Row:
        return self._row(_KERAS, self._keras, self._subject.run.model_path.stat().st_size, 0.0)

    def measure(self, recipe: str) -> Row:
        start = time.monotonic()
        network = build_network(RECIPES[recipe], self._material)
        seconds = time.monotonic() - start
        content = finish_network(self._subject.run, network, self._subject.spec)
        described = add_metadata(content, self._subject.spec)
        return self._row(recipe, ask_file(self._subject, recipe, described), len(described), seconds)

    def _row(self, recipe: str, answers: StageAnswers, size: int, seconds: float) -> Row:
        stage = compare_answers(self._subject, {KERAS_STAGE: self._keras, recipe: answers}).stages[-1]
        score, second = (stage.top1, stage.macro) if isinstance(stage, StageAccuracy) else (stage.map, stage.map50)
        image_size, weights, epochs = self._start
        return Row(
            network=self._subject.run.path.name,
            image_size=image_size,
            weights=weights,
            epochs=epochs,
            recipe=recipe,
            score=round(score, 4),
            second=round(second, 4),
            agreement=round(stage.agreement or 0.0, 4),
            size=size,
            seconds=float(round(seconds)),
        )


def _read(output: Path) -> list[Row]:
    if not output.exists():
        return []
    with output.open(encoding="utf-8", newline="") as file:
        return [
            Row(
                row["network"],
                int(row["image_size"]),
                row["weights"],
                int(row["epochs"]),
                row["recipe"],
                float(row["score"]),
                float(row["second"]),
                float(row["agreement"]),
                int(row["size"]),
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


def _print(rows: Sequence[Row]) -> None:
    click.echo("| network | pixels | weights | recipe | top-1 or mAP | macro or mAP50 | agreement | MB | s |")
    click.echo("| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        shares = " | ".join(f"{100 * share:.1f} %" for share in (row.score, row.second, row.agreement))
        start = f"{row.network} | {row.image_size} | {row.weights}"
        click.echo(f"| {start} | {row.recipe} | {shares} | {row.size / 1e6:.2f} | {row.seconds:.0f} |")


if __name__ == "__main__":
    main()
