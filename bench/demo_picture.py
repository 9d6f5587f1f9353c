"""Make the README's picture: the annotated pictures of `edge-run --demo`, side by side.

edge-run --demo --save demo/
python bench/demo_picture.py demo/ docs/demo.jpg
"""

from pathlib import Path

import click
import cv2
import numpy as np

from edge_runtime.pictures import read_picture

_COLUMNS = 5
_WIDTH = 240


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def main(folder: Path, output: Path) -> None:
    """Tile the pictures of FOLDER into OUTPUT, five in a row."""
    pictures = [read_picture(path) for path in sorted(folder.glob("*.jpg"))]
    tiles = [
        cv2.resize(p, (_WIDTH, round(p.shape[0] * _WIDTH / p.shape[1])), interpolation=cv2.INTER_AREA) for p in pictures
    ]
    rows = [np.hstack(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
    cv2.imwrite(str(output), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
