"""The `edge-train` command."""

import logging

import click

from edge_runtime.cli_errors import ErrorGroup
from train.commands.average import average
from train.commands.check import check
from train.commands.classify import classify
from train.commands.compose import compose
from train.commands.crops import crops
from train.commands.detect import detect
from train.commands.report import compare, report
from train.commands.split import split
from train.networks.catalogue import read_catalogue


@click.group(
    cls=ErrorGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n"
    "  edge-train classify photos/ -o runs/shop\n"
    "  edge-convert runs/shop -o shop.tflite\n"
    "  edge-run --model shop.tflite --camera 0",
)
@click.version_option(package_name="edge-garment")
def main() -> None:
    """Train models that recognise garments."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


@main.command(name="list")
def list_architectures() -> None:
    """List the networks that can be trained, with what each costs.

    Times are those of the int8 model, in times of mobilenet_v2 on one thread, measured in one run.
    """
    click.echo(f"{'name':<32}{'input':>6}{'M param':>9}{'M MAC':>7}{'int8 MB':>9}{'time':>7}  as int8")
    for row in read_catalogue():
        click.echo(
            f"{row.name:<32}{row.size:>6}{row.parameters / 1e6:>9.2f}{row.macs / 1e6:>7.0f}{row.int8_bytes / 1e6:>9.2f}"
            f"{row.relative_ms:>7.2f}  {row.int8}"
        )


main.add_command(classify)
main.add_command(average)
main.add_command(check)
main.add_command(compose)
main.add_command(crops)
main.add_command(detect)
main.add_command(split)
main.add_command(report)
main.add_command(compare)
