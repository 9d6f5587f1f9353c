"""What is known of each network without building it, so that the command line can name them all at once."""

import csv
from dataclasses import dataclass
from importlib import resources

CATALOGUE = "architectures.csv"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One network with ten classes, as `bench/architectures.py` measured it.

    Attributes:
        name: Key of `train.networks.architectures.ARCHITECTURES`.
        size: Default input height and width in pixels.
        weights: Where ImageNet weights come from: a value of `train.networks.architectures.WeightsSource`.
        license: Terms of those weights.
        parameters: Numbers that are trained or measured.
        macs: Multiplications with addition for one image.
        int8_bytes: Size of the full-int8 file.
        relative_ms: Median int8 inference time on one thread, in times of `mobilenet_v2`'s in the same run.
        int8: How it fares as int8 on a CPU.
    """

    name: str
    size: int
    weights: str
    license: str
    parameters: int
    macs: int
    int8_bytes: int
    relative_ms: float
    int8: str


def read_catalogue() -> tuple[CatalogueRow, ...]:
    """Read the table that comes with the package."""
    text = resources.files("train.networks").joinpath(CATALOGUE).read_text(encoding="utf-8")
    return tuple(_parse(row) for row in csv.DictReader(text.splitlines()))


def _parse(row: dict[str, str]) -> CatalogueRow:
    return CatalogueRow(
        name=row["name"],
        size=int(row["size"]),
        weights=row["weights"],
        license=row["license"],
        parameters=int(row["parameters"]),
        macs=int(row["macs"]),
        int8_bytes=int(row["int8_bytes"]),
        relative_ms=float(row["relative_ms"]),
        int8=row["int8"],
    )
