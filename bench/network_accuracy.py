"""Train and convert networks on one split, and write what each comes to as float and as int8.

python bench/network_accuracy.py "$EDGE_GARMENT_DATA/clothing/labels.csv" splits.csv runs/ accuracy.csv \
    --label-column class10 --group-column sender --networks mobilenet_v2 --networks efficientnet_lite0 \
    --weights mobilenet_v2=mobilenet_v2_folded.npz --weights efficientnet_lite0=efficientnet_lite0_folded.npz

Networks that Keras has ImageNet weights of fetch them; a network named with `--weights NAME=none` starts fresh, and
its row says so. A command that was killed goes on when it is repeated.
"""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import click
from tqdm import tqdm

from edge_runtime.files import write_text
from edge_runtime.metadata.reading import read_spec
from edge_runtime.tables import format_csv
from train.catalogue import CatalogueRow, read_catalogue


@dataclass(frozen=True, slots=True)
class Row:
    """One network: shares in [0, 1] of the validation photos, size of the int8 file, its time in MobileNetV2's."""

    network: str
    weights: str
    epochs: int
    keras_top1: float
    keras_macro: float
    int8_top1: float
    int8_macro: float
    agreement: float
    int8_bytes: int
    relative_ms: float


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("runs", type=click.Path(path_type=Path, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label-column", default="label")
@click.option("--group-column", default="")
@click.option("--networks", multiple=True, help="Those to train.  [default: all]")
@click.option("--weights", "weights", multiple=True, metavar="NAME=FILE|imagenet|none", help="Of one network.")
@click.option("--epochs", default=8, show_default=True)
def main(
    data: Path,
    splits: Path,
    runs: Path,
    output: Path,
    label_column: str,
    group_column: str,
    networks: Sequence[str],
    weights: Sequence[str],
    epochs: int,
) -> None:
    """Write the table of what networks come to on DATA, divided by SPLITS, to OUTPUT."""
    given = dict(each.split("=", 1) for each in weights)
    columns = ["--label-column", label_column, *(["--group-column", group_column] if group_column else [])]
    rows: list[Row] = []
    for network in tqdm(_choose(networks), "networks", disable=None):
        start = given.get(network.name, "imagenet")
        run = runs / network.name
        _call(
            *("edge-train", "classify", data, *columns, "--splits", splits, "--architecture", network.name),
            *("--weights", start, "--epochs", epochs, "--ema", 0.99, "-o", run),
        )
        _call("edge-convert", run, "-o", run / "int8.tflite")
        rows.append(_read(network, start, epochs, run / "int8.tflite"))
        write_text(output, format_csv([field.name for field in fields(Row)], map(astuple, rows)))


def _choose(names: Sequence[str]) -> Iterable[CatalogueRow]:
    return [row for row in read_catalogue() if not names or row.name in names]


def _call(*arguments: object) -> None:
    subprocess.run([str(argument) for argument in arguments], check=True)


def _read(network: CatalogueRow, weights: str, epochs: int, model: Path) -> Row:
    content = model.read_bytes()
    measured = {stage["stage"]: stage for stage in read_spec(content).provenance["measured"]}
    before, after = measured["keras float32"], measured["tflite int8"]
    return Row(
        network=network.name,
        weights=weights if weights in ("imagenet", "none") else Path(weights).name,
        epochs=epochs,
        keras_top1=round(before["top1"], 4),
        keras_macro=round(before["macro"], 4),
        int8_top1=round(after["top1"], 4),
        int8_macro=round(after["macro"], 4),
        agreement=round(after["agreement"], 4),
        int8_bytes=len(content),
        relative_ms=network.relative_ms,
    )


if __name__ == "__main__":
    main()
