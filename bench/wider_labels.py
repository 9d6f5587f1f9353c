"""Write a wider labelling of clothing-dataset, to train a body on before the ten classes.

python bench/wider_labels.py "$EDGE_GARMENT_DATA/clothing/labels.csv" RUN/splits.csv wider/

The ten-class subset leaves out children's garments and seven kinds such as polo shirts and blazers: 760 photos from
which a body can learn all the same. Who is held out in RUN stays held out, with every photo of theirs.
"""

import csv
from pathlib import Path

import click

from edge_runtime.files import hash_file, write_text
from edge_runtime.tables import format_csv
from edge_runtime.training_run import Split, SplitRow, read_split_rows, write_split_rows

_NO_KIND = ("Not sure", "Other")


@click.command()
@click.argument("labels", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
def main(labels: Path, splits: Path, output: Path) -> None:
    """Read LABELS and the split file SPLITS of a ten-class run, write labels.csv and splits.csv into OUTPUT."""
    held_out = {row.group for row in read_split_rows(splits) if row.split is Split.VALIDATION}
    rows = [_widen(row, held_out, labels.parent / "images") for row in _read(labels)]
    table = format_csv(["image", "label", "group"], ([row.image, row.label, row.group] for row in rows))
    write_text(output / "labels.csv", table)
    write_split_rows(output / "splits.csv", rows)
    training = sum(row.split is Split.TRAIN for row in rows)
    click.echo(f"{len({row.label for row in rows})} kinds: {training} photos to train, {len(rows) - training} held out")


def _read(labels: Path) -> list[dict[str, str]]:
    with labels.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["class10"] or row["label"] not in _NO_KIND]


def _widen(row: dict[str, str], held_out: set[str], images: Path) -> SplitRow:
    return SplitRow(
        image=row["image"],
        label=row["class10"] or row["label"].lower(),
        group=row["sender"],
        split=Split.VALIDATION if row["sender"] in held_out else Split.TRAIN,
        sha256=hash_file(images / row["image"]),
    )


if __name__ == "__main__":
    main()
