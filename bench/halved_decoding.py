"""How far the answers about halved Motion JPEG are from those about whole pictures. Prints Markdown.

python bench/halved_decoding.py "$EDGE_GARMENT_DATA/clothing/images" splits.csv

Each validation photo is stretched to 640 x 480 pixels and encoded as a camera would; the JPEG is then decoded whole,
and halved as the frame loop has it decoded.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime import Recognizer
from edge_runtime.bundled import CLASSIFIER
from edge_runtime.pictures import read_picture
from edge_runtime.training_run import Split, read_split_rows

_WIDTH, _HEIGHT = 640, 480


@click.command()
@click.argument("images", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--model", default=CLASSIFIER, show_default=True)
@click.option("--quality", type=click.IntRange(1, 100), multiple=True, default=(95, 75, 50), show_default=True)
def main(images: Path, splits: Path, model: str, quality: tuple[int, ...]) -> None:
    """Print, for each JPEG quality, how often the best label stays and how far scores move."""
    recognizer = Recognizer.load(model)
    rows = [row for row in read_split_rows(splits) if row.split is Split.VALIDATION]
    photos = [cv2.resize(read_picture(images / row.image), (_WIDTH, _HEIGHT)) for row in rows]
    targets = np.array([recognizer.spec.labels.index(row.label) for row in rows])
    click.echo("| JPEG quality | right, whole | right, halved | same label | mean drift of a score |")
    click.echo("| ---: | ---: | ---: | ---: | ---: |")
    for each in quality:
        jpegs = [cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, each])[1] for photo in photos]
        whole, half = (_scores(recognizer, jpegs, how) for how in (cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2))
        shares = [
            np.mean(answers == others) * 100
            for answers, others in itertools.combinations((targets, whole.argmax(1), half.argmax(1)), 2)
        ]
        figures = " | ".join(f"{share:.1f} %" for share in shares)
        click.echo(f"| {each} | {figures} | {np.abs(whole - half).mean():.4f} |")


def _scores(recognizer: Recognizer, jpegs: Sequence[NDArray[np.uint8]], how: int) -> NDArray[np.float32]:
    decoded = (np.asarray(cv2.imdecode(jpeg, how), np.uint8) for jpeg in tqdm(jpegs, disable=None))
    return np.array([recognizer.scores(picture) for picture in decoded])


if __name__ == "__main__":
    main()
