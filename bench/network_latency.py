"""Add to the table of bench/network_accuracy.py how long each file takes, in times of MobileNetV2's int8 file.

python bench/network_latency.py docs/networks.csv

Built anew with fresh weights, on which the time does not depend; the row `keras` gets that of its float32 file. All are
timed in turns in one run.
"""

import csv
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm
from turns import time_in_turns

from convert.export import to_float_tflite, to_int8_tflite
from edge_runtime.files import write_text
from edge_runtime.spec import Task
from edge_runtime.tables import format_csv
from train.networks.architectures import ARCHITECTURES, build_classifier

_KERAS = "keras"
_UNIT = "mobilenet_v2"
_COLUMN = "relative_ms"
_LABELS = tuple(f"class {number}" for number in range(10))


@click.command()
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--rounds", type=click.IntRange(2), default=100, show_default=True)
def main(table: Path, rounds: int) -> None:
    """Add a column to TABLE, or measure it anew."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sizes = {row["network"]: int(row["image_size"]) for row in rows}
    contents: dict[str, bytes] = {}
    for name, size in tqdm({**sizes, _UNIT: sizes.get(_UNIT, max(sizes.values()))}.items(), "converting", disable=None):
        contents[_key(name, _KERAS)], contents[_key(name, "int8")] = _convert(name, size)
    times = time_in_turns(contents, rounds)
    for row in rows:
        row[_COLUMN] = f"{times[_key(row['network'], row['recipe'])] / times[_key(_UNIT, 'int8')]:.2f}"
    write_text(table, format_csv(list(rows[0]), [list(row.values()) for row in rows]))


def _key(network: str, recipe: str) -> str:
    """Name a file; those of all int8 recipes have the same operations."""
    return f"{network} {_KERAS if recipe == _KERAS else 'int8'}"


def _convert(name: str, size: int) -> tuple[bytes, bytes]:
    """Return a network as float32 and as int8."""
    model = build_classifier(ARCHITECTURES[name], size, _LABELS, "none", 0.0)
    images = np.random.default_rng(0).uniform(-1, 1, (4, size, size, 3)).astype(np.float32)
    return to_float_tflite(model), to_int8_tflite(model, images, Task.CLASSIFICATION)


if __name__ == "__main__":
    main()
