"""Train networks on one split and write what each comes to, as it was trained and by each int8 recipe, and its time.

python bench/network_accuracy.py "$EDGE_GARMENT_DATA/clothing/labels.csv" splits.csv runs/ docs/networks.csv \
    --label-column class10 --group-column sender --image-size 96 --epochs 10

Networks start from their ImageNet weights; one named with `--weights NAME=none` starts fresh, one with
`--weights NAME=FILE` from that file, and its rows say so. A command that was killed goes on when it is repeated.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from tqdm import tqdm

from train.networks.catalogue import read_catalogue

_RECIPES = ("int8", "int8-corrected", "int8-qat")


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("runs", type=click.Path(path_type=Path, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label-column", default="label")
@click.option("--group-column", default="")
@click.option("--networks", multiple=True, help="Those to train.  [default: all]")
@click.option("--weights", "weights", multiple=True, metavar="NAME=FILE|imagenet|none", help="Of one network.")
@click.option("--image-size", type=int, help="Pixels.  [default: each network's own]")
@click.option("--epochs", default=8, show_default=True)
@click.option("--learning-rate", type=float, help="Of the whole network.  [default: that of edge-train classify]")
@click.option("--qat-epochs", default=1, show_default=True)
def main(
    data: Path,
    splits: Path,
    runs: Path,
    output: Path,
    label_column: str,
    group_column: str,
    networks: Sequence[str],
    weights: Sequence[str],
    image_size: int | None,
    epochs: int,
    learning_rate: float | None,
    qat_epochs: int,
) -> None:
    """Write the table of what networks come to on DATA, divided by SPLITS, to OUTPUT."""
    given = dict(each.split("=", 1) for each in weights)
    common = ["--label-column", label_column, "--splits", splits, "--epochs", epochs, "--ema", 0.99]
    common += ["--group-column", group_column] if group_column else []
    common += ["--image-size", image_size] if image_size else []
    common += ["--learning-rate", learning_rate] if learning_rate else []
    for name in tqdm(list(_choose(networks)), "networks", disable=None):
        start = given.get(name, "imagenet")
        _call("edge-train", "classify", data, *common, "--architecture", name, "--weights", start, "-o", runs / name)
        recipes = [part for recipe in _RECIPES for part in ("--recipes", recipe)]
        script = Path(__file__).with_name("recipe_accuracy.py")
        _call(sys.executable, script, output, runs / name, *recipes, "--qat-epochs", qat_epochs)
    _call(sys.executable, Path(__file__).with_name("network_latency.py"), output)


def _choose(names: Sequence[str]) -> Iterable[str]:
    return [row.name for row in read_catalogue() if not names or row.name in names]


def _call(*arguments: object) -> None:
    subprocess.run([str(argument) for argument in arguments], check=True)


if __name__ == "__main__":
    main()
