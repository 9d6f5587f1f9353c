"""Measure every network of the registry as a ten-class int8 model, and write the table that `edge-train list` shows.

python bench/architectures.py train/networks/architectures.csv --rounds 100

Weights are fresh, so this says what a network costs and nothing of how well it learns. Latencies are taken in turns in
one run, so they are fair as ratios whatever else the machine does.
"""

from dataclasses import astuple
from pathlib import Path

import click
import keras
import numpy as np
from tqdm import tqdm
from turns import time_in_turns

from convert.export import to_int8_tflite
from convert.model_tree import pack_tree, read_tree
from edge_runtime.files import write_text
from edge_runtime.spec import Task
from edge_runtime.tables import format_csv
from train.networks.architectures import ARCHITECTURES, Architecture, build_classifier
from train.networks.catalogue import CatalogueRow

_LABELS = tuple(f"class {index}" for index in range(10))


def count_macs(model: keras.Model) -> int:
    """Count multiplications with addition for one image: each weight of a layer times the places it is used at."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += count_macs(layer)
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            _, height, width, _ = layer.output.shape
            total += height * width * int(np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


def _convert(architecture: Architecture) -> tuple[keras.Model, bytes]:
    model = build_classifier(architecture, architecture.size, _LABELS, "none", 0.0)
    images = np.random.default_rng(0).uniform(-1, 1, (4, architecture.size, architecture.size, 3)).astype(np.float32)
    return model, to_int8_tflite(model, images, Task.CLASSIFICATION)


@click.command()
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rounds", type=click.IntRange(2), default=100, show_default=True)
def main(output: Path, rounds: int) -> None:
    """Write the table to OUTPUT."""
    models = {each.name: _convert(each) for each in tqdm(ARCHITECTURES.values(), "converting", disable=None)}
    contents = {name: content for name, (_, content) in models.items()}
    times = time_in_turns(contents, rounds)
    rows = [
        CatalogueRow(
            name=name,
            size=architecture.size,
            weights=architecture.imagenet,
            license=architecture.weights_license,
            parameters=models[name][0].count_params(),
            macs=count_macs(models[name][0]),
            # As it would be packed with its description.
            int8_bytes=len(pack_tree(read_tree(contents[name]))),
            relative_ms=round(times[name] / times["mobilenet_v2"], 2),
            int8=architecture.int8,
        )
        for name, architecture in ARCHITECTURES.items()
    ]
    write_text(output, format_csv(list(CatalogueRow.__dataclass_fields__), map(astuple, rows)))


if __name__ == "__main__":
    main()
