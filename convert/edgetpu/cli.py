"""The commands `edge-convert preflight` and `edge-convert edgetpu`."""

import json
from pathlib import Path

import click

from convert.run_options import model_argument
from edge_runtime.errors import FindingsError
from edge_runtime.extras import require_extra


@click.command(epilog="\b\nExample:\n  edge-convert preflight shop.tflite")
@model_argument
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
def preflight(model: Path, as_json: bool) -> None:
    """Say which operations of a model a Coral Edge TPU would take.

    Goes by Coral's published table, without compiler or device. Ends with exit code 15 where an operation breaks
    delegation: the compiler leaves it, and all that follow it, to the CPU.
    """
    require_extra("edge-convert preflight", "train", "ai_edge_litert", "flatbuffers")
    from convert.edgetpu.preflight import describe_break, format_preflight, preflight_model
    from convert.inspection.reading import read_contents
    from edge_runtime.model_file import read_model

    found = preflight_model(read_contents(read_model(model)))
    click.echo(json.dumps({"file": str(model), **found.to_dict()}) if as_json else format_preflight(found))
    if found.breaks is not None:
        raise FindingsError(describe_break(found.breaks))


@click.command(epilog="\b\nExample:\n  edge-convert edgetpu shop.tflite")
@click.argument("model", type=click.Path(path_type=Path, dir_okay=False))
def edgetpu(model: Path) -> None:
    """Compile MODEL for a Coral Edge TPU, by Coral's own edgetpu_compiler.

    Writes a file beside MODEL whose name ends in _edgetpu.tflite, with the same metadata in it.
    """
    require_extra("edge-convert edgetpu", "train", "ai_edge_litert", "flatbuffers")
    from convert.edgetpu.compiler import compile_model
    from edge_runtime.tables import format_table

    output, log = compile_model(model)
    rows = [(each.kind, str(each.count), each.status) for each in log.operations]
    click.echo(format_table([("operation", "count", "status"), *rows], right=frozenset({1})))
    click.echo(
        f"{output}: {log.mapped} of {log.total} operations on the Edge TPU, {log.streamed} of weights sent for every "
        f"frame, compiler {log.version}"
    )
