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
from train.commands.evaluate import evaluate
from train.commands.networks import list_architectures
from train.commands.report import compare, report
from train.commands.split import split


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


main.add_command(list_architectures)
main.add_command(classify)
main.add_command(average)
main.add_command(check)
main.add_command(compose)
main.add_command(crops)
main.add_command(detect)
main.add_command(evaluate)
main.add_command(split)
main.add_command(report)
main.add_command(compare)
