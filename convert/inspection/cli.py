"""The command `edge-convert inspect`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convert.run_options import model_argument
from edge_runtime.errors import EdgeGarmentError
from edge_runtime.extras import require_extra

if TYPE_CHECKING:
    from edge_runtime.spec import ModelSpec


@click.command(epilog="\b\nExample:\n  edge-convert inspect shop.tflite")
@model_argument
@click.option("--json", "as_json", is_flag=True, help="Print all of it, each tensor too, as one JSON object.")
def inspect(model: Path, as_json: bool) -> None:
    """Show what any .tflite file, or a bundled model, is made of.

    Prints its metadata, licence, hash, size, inputs, outputs, operations and quantisation. The file is only read,
    never run.
    """
    require_extra("edge-convert inspect", "train", "ai_edge_litert", "flatbuffers")
    from convert.inspection.listing import format_contents
    from convert.inspection.reading import read_contents
    from edge_runtime.model_file import read_model

    content = read_model(model)
    contents = read_contents(content)
    spec, refusal = _described(content)
    if as_json:
        described = None if spec is None else spec.to_dict()
        click.echo(json.dumps({"file": str(model), **contents.to_dict(), "edge_run": described, "refusal": refusal}))
    else:
        click.echo(format_contents(contents, spec, refusal))


def _described(model: bytes) -> "tuple[ModelSpec | None, str | None]":
    """Return what edge-run would read from the file, or the sentence with which it would refuse it."""
    from edge_runtime.metadata.reading import read_spec

    try:
        return read_spec(model), None
    except EdgeGarmentError as error:
        return None, str(error)
