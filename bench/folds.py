"""Write a larger labelling of clothing-dataset and two splits of it, for two students with different held-out photos.

python bench/folds.py "$EDGE_GARMENT_DATA/clothing/labels.csv" splits.csv folds/

The ten-class subset leaves out children's garments of the same ten kinds; those of senders who are not held out in
splits.csv join the training photos. Of the senders who are, a quarter stays held out from both students; each other one
is held out from one student and trains the other. So the average of the students has learnt from nearly all photos,
every held-out photo of splits.csv is still answered by a student that saw nothing of its sender, and the average itself
is measured on those photos that neither student saw.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import click

from edge_runtime.files import hash_file, write_text
from edge_runtime.tables import format_csv
from edge_runtime.training_run import Split, SplitRow, read_split_rows, write_split_rows

_HELD_OUT_PARTS = {"first": (0, 1), "second": (0, 2)}
"""By student, of the held-out senders: part 0, a quarter of them, and half of the others."""


@click.command()
@click.argument("labels", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
def main(labels: Path, splits: Path, output: Path) -> None:
    """Read LABELS and the split file SPLITS of its ten classes; write labels.csv, first.csv, second.csv to OUTPUT."""
    known = read_split_rows(splits)
    rows = [*known, *_find_more(labels, known)]
    table = format_csv(["image", "label", "group"], ([row.image, row.label, row.group] for row in rows))
    write_text(output / "labels.csv", table)
    for name, parts in _HELD_OUT_PARTS.items():
        divided = [_divide(row, parts) for row in rows]
        write_split_rows(output / f"{name}.csv", divided)
        held_out = sum(row.split is Split.VALIDATION for row in divided)
        click.echo(f"{name}: {len(divided) - held_out} photos to train on, {held_out} held out")


def _find_more(labels: Path, known: Sequence[SplitRow]) -> Iterator[SplitRow]:
    kinds = {row.label for row in known}
    held_out = {row.group for row in known if row.split is Split.VALIDATION}
    with labels.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            label = row["label"].lower()
            if not row["class10"] and label in kinds and row["sender"] not in held_out:
                digest = hash_file(labels.parent / "images" / row["image"])
                yield SplitRow(row["image"], label, row["sender"], Split.TRAIN, digest)


def _divide(row: SplitRow, parts: Sequence[int]) -> SplitRow:
    if row.split is Split.TRAIN or _find_part(row.group) in parts:
        return row
    return replace(row, split=Split.TRAIN)


def _find_part(group: str) -> int:
    """Return 0 for a quarter of the groups, and 1 or 2 for one half of the others each."""
    number = int(sha256(group.encode()).hexdigest(), 16)
    return 0 if number % 4 == 0 else 1 + number // 4 % 2


if __name__ == "__main__":
    main()
