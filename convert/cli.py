"""The `edge-convert` command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convert.edgetpu.cli import edgetpu, preflight
from convert.engines.cli import verify
from convert.inspection.cli import inspect
from convert.parity.cli import calibration, parity, prepare
from convert.recipe import DEFAULT_RECIPE, RECIPES
from convert.recipes.cli import check_choice, recipes
from convert.run_options import images_option, run_argument
from edge_runtime.cli_errors import ErrorGroup
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.quiet import quiet_stderr
from edge_runtime.training_run import TrainingRun

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from convert.conversion import Conversion

_DEFAULT_COMMAND = "convert"


class _ConvertGroup(ErrorGroup):
    """Takes arguments that do not begin with a command's name as those of the default command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {*self.commands, *(name for option in self.get_params(ctx) for name in option.opts)}
        return super().parse_args(ctx, [_DEFAULT_COMMAND, *args] if args and args[0] not in own else args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="dir"), *super().shell_complete(ctx, incomplete)]


@click.group(
    cls=_ConvertGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  edge-convert runs/shop -o shop.tflite",
)
@click.version_option(package_name="edge-garment")
def main() -> None:
    """Turn training runs into .tflite files, and examine such files.

    Without the name of a command, RUN and its options are taken as those of `convert`.
    """


@main.command(epilog="\b\nExample:\n  edge-convert runs/shop -o shop.tflite")
@run_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    callback=lambda _context, _option, output: _check_suffix(output),
    help="The .tflite file to write.",
)
@click.option(
    "--recipe",
    type=click.Choice(list(RECIPES)),
    metavar="NAME",
    help=f"How to make it; `edge-convert recipes` lists all.  [default: {DEFAULT_RECIPE}]",
)
@click.option(
    "--max-drop",
    type=FiniteRange(0, 1),
    metavar="SHARE",
    help="Try int8, int8-corrected and int8-qat until one loses no more than this of the Keras model's top-1 or mAP, "
    "and holds --min-parity where that is given.",
)
@images_option
@click.option("--drawn", is_flag=True, help="Calibrate on drawn garments, without photos; nothing is measured then.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of photos to measure int8 ranges on, a sub-folder per class or none.  [default: training photos]",
)
@click.option(
    "--calibration-images",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="How many of them, equal shares of each class.",
)
@click.option(
    "--qat-epochs",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="How often the recipe int8-qat shows the network each training photo.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which of the possible calibration samples.")
@click.option("--license", default="", help="Terms of the model, written into the file.")
@click.option(
    "--model-version", default="1", show_default=True, help="What to call this version, written into the file."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for parity.json, parity.html and calibration.json.  [default: OUTPUT with the suffix .parity]",
)
@click.option(
    "--min-parity",
    type=FiniteRange(0, 1),
    help="Write no file, and fail, where fewer of its answers than this share are the Keras model's: of photos for a "
    "classifier, of boxes for a detector.",
)
def convert(run: Path, report: Path | None, recipe: str | None, **arguments: Any) -> None:
    """Make the model of RUN, a directory made by edge-train, a .tflite file: full int8 unless --recipe says otherwise.

    Prints what it measured on the run's validation photos at each stage: a classifier's accuracy with its 95 %
    interval, or a detector's average precision; agreement with the Keras model; and size. The report shows where
    answers differ, with pictures, and which layers lose most.
    """
    if arguments["drawn"] and arguments["calibration"] is not None:
        raise click.UsageError("--drawn calibrates on drawings, --calibration on photos; give one of them.")
    if arguments["drawn"] and (report is not None or arguments["min_parity"] is not None):
        raise click.UsageError("--drawn measures nothing, so it goes with neither --report nor --min-parity.")
    check_choice(recipe, arguments["max_drop"], drawn=arguments["drawn"])
    prepare("edge-convert")
    # Whoever names another folder is told so before TensorFlow is loaded.
    TrainingRun(run).read_spec()
    # TensorFlow takes seconds to import, so only a real conversion pays for it; it greets with a page of notices.
    with quiet_stderr():
        from convert.conversion import ConversionOptions, convert_run

    output: Path = arguments["output"]
    chosen = RECIPES[recipe or DEFAULT_RECIPE]
    options = ConversionOptions(recipe=chosen, report=report or output.with_suffix(".parity"), **arguments)
    _print(convert_run(TrainingRun(run), options), options.output)


def _check_suffix(output: Path) -> Path:
    """Refuse another kind of file, such as the run's own model.keras, which would be replaced."""
    if output.suffix != ".tflite":
        raise click.BadParameter(f"{output} is not named as a .tflite file; give it that suffix.")
    return output


for _command in (recipes, parity, calibration, inspect, verify, preflight, edgetpu):
    main.add_command(_command)


def _print(conversion: "Conversion", output: Path) -> None:
    from convert.recipes.attempts import format_attempts
    from convert.stage_tables import format_stages

    if len(conversion.attempts) > 0:
        click.echo(format_attempts(conversion.attempts))
    measured = "not measured"
    if conversion.measurement is not None:
        for line in format_stages(conversion.measurement.stages):
            click.echo(line)
        measured = f"measured on {conversion.measurement.photos} validation photos"
    click.echo(f"{output}: {conversion.size / 1e6:.2f} MB, sha256 {conversion.sha256[:12]}, {measured}")
