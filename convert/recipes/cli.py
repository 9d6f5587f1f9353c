"""The command `edge-convert recipes`, and what a conversion's choice of recipe asks for."""

import json

import click
from click.core import ParameterSource

from convert.qat.toolkit import check_toolkit
from convert.recipe import DEFAULT_RECIPE, RECIPES, Recipe


@click.command(epilog="\b\nExample:\n  edge-convert runs/shop -o shop.tflite --recipe float16")
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON list.")
def recipes(as_json: bool) -> None:
    """List the recipes that `edge-convert convert --recipe` takes."""
    from edge_runtime.tables import format_table

    if as_json:
        click.echo(json.dumps([recipe.to_dict() for recipe in RECIPES.values()]))
        return
    header = ("recipe", "weights", "activations", "input", "needs", "runs on", "what it does")
    click.echo(format_table([header, *map(_row, RECIPES.values())]))


def check_choice(recipe: str | None, max_drop: float | None, *, drawn: bool) -> None:
    """Check that the options of a conversion go together, before any work.

    Raises:
        UsageError: They do not.
        ExtraMissingError: The recipe needs a package that is not installed.
    """
    if max_drop is not None:
        if recipe is not None or drawn:
            raise click.UsageError("--max-drop tries recipes on photos, so it goes with neither --recipe nor --drawn.")
        return
    chosen = RECIPES[recipe or DEFAULT_RECIPE]
    _refuse_idle(chosen)
    if not chosen.needs_training:
        return
    if drawn:
        raise click.UsageError(f"The recipe {chosen.name} trains on the run's photos, so it does not go with --drawn.")
    check_toolkit()


def _refuse_idle(recipe: Recipe) -> None:
    """Refuse options of the command line that would do nothing to the recipe."""
    idle = [] if recipe.needs_training else ["qat_epochs"]
    idle += [] if recipe.needs_photos else ["calibration", "calibration_images", "seed"]
    source = click.get_current_context().get_parameter_source
    given = [f"--{name.replace('_', '-')}" for name in idle if source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"The recipe {recipe.name} makes nothing of {' and '.join(given)}; leave it away.")


def _row(recipe: Recipe) -> tuple[str, ...]:
    needs = "photos, training" if recipe.needs_training else "photos" if recipe.needs_photos else "-"
    return (
        recipe.name,
        recipe.weights,
        recipe.activations,
        recipe.interface,
        needs,
        ", ".join(recipe.runs_on),
        recipe.summary,
    )
