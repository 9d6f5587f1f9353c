"""The command `edge-convert verify`."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convert.run_options import model_argument
from edge_runtime.errors import BackendError, DataError
from edge_runtime.extras import require_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convert.engines.comparison import Agreement

_PYTHON = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(epilog="\b\nExample:\n  edge-convert verify shop.tflite --data photos/")
@model_argument
@click.option("--data", type=_FOLDER, help="Folder of pictures.  [default: drawn garments]")
@click.option("--images", type=click.IntRange(1), default=100, show_default=True, help="How many of them.")
@click.option("--tflite-runtime", type=_PYTHON, metavar="PYTHON", help="A Python that has tflite-runtime.")
@click.option("--mediapipe", type=_PYTHON, metavar="PYTHON", help="A Python that has mediapipe.")
@click.option("--litert-js", type=_FOLDER, metavar="FOLDER", help="A folder of npm's that has @litertjs/core.")
@click.option("--arm64", type=_FOLDER, metavar="ROOT", help="Root folder of an arm64 Linux with ai-edge-litert.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def verify(model: Path, data: Path | None, images: int, as_json: bool, **options: Any) -> None:
    """Run the same pictures through every engine that is here, and say which answer like ai-edge-litert.

    The model needs a uint8 input, as the int8 recipes of edge-convert give it. Engines that are not here are named as
    not checked.
    """
    require_extra("edge-convert verify", "train", "ai_edge_litert", "flatbuffers", "tqdm")
    from convert.engines.comparison import compare_engines
    from convert.engines.finding import EngineOptions, find_engines
    from edge_runtime.model_file import read_model

    content = read_model(model)
    inputs = _read_inputs(content, data, images)
    found = compare_engines(content, inputs, find_engines(EngineOptions(**options)))
    if as_json:
        click.echo(json.dumps({"images": len(inputs), "engines": [dataclasses.asdict(each) for each in found]}))
    else:
        click.echo(_format(found, len(inputs)))
    failed = [each.engine for each in found if each.failed]
    if failed:
        raise BackendError(f"Engines that were to run and did not: {', '.join(failed)}; the reason is in the table.")


def _read_inputs(model: bytes, data: Path | None, images: int) -> "NDArray[np.uint8]":
    import numpy as np

    from calibration_data import draw_calibration_images
    from edge_runtime.metadata.reading import read_spec
    from edge_runtime.pictures import pictures_under, read_picture
    from edge_runtime.preprocess import Preprocessor

    preprocess = Preprocessor(read_spec(model).input)
    if data is None:
        return np.stack([preprocess(frame) for frame in draw_calibration_images(images)])
    files = pictures_under(data)
    if not files:
        raise DataError(f"There is no picture in {data}; name another folder with --data.")
    # Spread over the folder, since its neighbours are often alike.
    chosen = [files[at * len(files) // images] for at in range(images)] if len(files) > images else files
    return np.stack([preprocess(read_picture(path)) for path in chosen])


def _format(found: "Sequence[Agreement]", images: int) -> str:
    from convert.inspection.listing import plain
    from edge_runtime.tables import format_table

    rows = [("engine", "version", "machine", "same bits", "largest difference", "same answers")]
    rows += [_row(each, images) for each in found if not each.missing]
    notes = [
        f"{each.engine}: {'FAILED' if each.failed else 'not checked'}; {plain(each.missing, 200)}"
        for each in found
        if each.missing
    ]
    return "\n".join([format_table(rows, right=frozenset({3, 4, 5})), *notes])


def _row(agreement: "Agreement", images: int) -> tuple[str, str, str, str, str, str]:
    identical, same = f"{agreement.identical} of {images}", f"{100 * agreement.same:.1f} %"
    return (agreement.engine, agreement.version, agreement.machine, identical, f"{agreement.largest:.2g}", same)
