"""The command-line options that say where photos and their labels are, the same in every command that takes DATA."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from edge_runtime.errors import DataError
from edge_runtime.options.numbers import FiniteRange

if TYPE_CHECKING:
    from train.data.photos import Columns

_Command = TypeVar("_Command", bound=Callable[..., Any])

_DATA = (
    click.argument("data", type=click.Path(path_type=Path)),
    click.option(
        "--images",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder that a CSV file's paths start from.  [default: its own, or images/ beside it]",
    ),
)

_COLUMNS = (
    click.option("--image-column", default="image", show_default=True, help="CSV column with the photo's path."),
    click.option(
        "--label-column",
        default="label",
        show_default=True,
        help="CSV column with the class name; rows where it is empty are left out.",
    ),
    click.option("--group-column", help="CSV column with what a split must never divide, for example the sender."),
)

COLUMN_OPTIONS = ("image_column", "label_column", "group_column")
"""Names of these options among a command's arguments."""


# Only click 8.5 and later can subscript it.
class _Rename(click.ParamType):  # type: ignore[type-arg]
    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the two names."""
        old, equals, new = value.partition("=")
        if not (old and equals):
            self.fail(f"{value!r} is not of the form {self.name}", param, ctx)
        return old, new


def _join_renames(
    _context: click.Context, _parameter: click.Parameter, renames: Sequence[tuple[str, str]]
) -> dict[str, str]:
    return dict(renames)


def _pair_names(
    _context: click.Context, _parameter: click.Parameter, renames: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Refuse what would have to be two classes at once, or one of two."""
    pairs = set(renames)
    if any(len({pair[place] for pair in pairs}) < len(pairs) for place in (0, 1)):
        raise click.BadParameter("a class is named in two pairs; one class of MODEL is one of OLD.")
    return dict(renames)


def _split_labels(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(label.strip() for label in text.split(",") if label.strip())


box_images_option = click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a COCO file's photos.  [default: images/ beside it, or its own]",
)

classes_option = click.option(
    "--classes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YOLO data set's class names, one a line, or its data.yaml.  [default: its classes.txt or data.yaml]",
)

labels_option = click.option(
    "--labels",
    default="",
    callback=_split_labels,
    metavar="NAME,NAME...",
    help="All classes; boxes of others are left out.  [default: those of the first DATA]",
)

rename_option = click.option(
    "--rename",
    "renames",
    type=_Rename("OLD=NEW"),
    multiple=True,
    callback=_join_renames,
    help="A class of DATA and what to take it for; nothing for NEW leaves it out.",
)

against_rename_option = click.option(
    "--against-rename",
    "against_renames",
    type=_Rename("NAME=OLDNAME"),
    multiple=True,
    callback=_pair_names,
    help="A class of MODEL and what OLD calls it.",
)

validation_share_option = click.option(
    "--validation-share",
    type=FiniteRange(0, 0.5, min_open=True),
    default=0.15,
    show_default=True,
    help="Share of photos held out, whole groups at a time.",
)

splits_option = click.option(
    "--splits",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Split file of edge-train split, or the splits.csv of a run over the same photos.",
)

seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True)

image_size_option = click.option(
    "--image-size",
    type=click.IntRange(32, 1024),
    help="Pixels of the model that is to learn.  [default: 224, or 320 of boxes]",
)


def data_options(command: _Command) -> _Command:
    """Give a command the argument DATA and the options that say how to read it."""
    for decorate in reversed((*_DATA, *_COLUMNS)):
        command = decorate(command)
    return command


def label_options(command: _Command) -> _Command:
    """Give a command the same, but for groups: nothing is divided."""
    for decorate in reversed((*_DATA, *_COLUMNS[:-1])):
        command = decorate(command)
    return command


def column_options(command: _Command) -> _Command:
    """Give a command the options that say what a CSV file's columns are."""
    for decorate in reversed(_COLUMNS):
        command = decorate(command)
    return command


def take_columns(arguments: dict[str, Any]) -> "Columns":
    """Take the columns out of a command's keyword arguments."""
    from train.data.photos import Columns

    return Columns(*(arguments.pop(name) for name in COLUMN_OPTIONS if name in arguments))


def refuse_options(data: Path, kind: str, names: tuple[str, ...]) -> None:
    """Refuse options that belong to another kind of data.

    Raises:
        click.UsageError: One of them was given.
    """
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) not in (ParameterSource.DEFAULT, None):
            raise click.UsageError(f"--{name.replace('_', '-')} belongs to {kind}, and {data} is none; leave it away.")


def refuse_absent(paths: Iterable[Path]) -> None:
    """Say at once where there is nothing: what trains takes ten seconds to load.

    Raises:
        DataError: Nothing is at one of the paths.
    """
    if absent := next((path for path in paths if not path.exists()), None):
        raise DataError(f"{absent} does not exist; check the path.")


def refuse_idle_share(data: Iterable[Path], splits: Path | None, validation: Sequence[Path] = ()) -> None:
    """Refuse a share to hold out where it is known already which photos are.

    Args:
        data: Where photos are learnt from.
        splits: Split file; None where there is none.
        validation: Data to measure on.

    Raises:
        click.UsageError: A share was given beside a split file or data to measure on, or of data that lie divided.
    """
    if click.get_current_context().get_parameter_source("validation_share") is ParameterSource.DEFAULT:
        return
    from train.data.layouts import keeps_validation

    if splits is not None or validation:
        option = "--validation" if splits is None else "--splits"
        raise click.UsageError(f"{option} says which photos are held out; leave --validation-share away.")
    if divided := next(filter(keeps_validation, data), None):
        raise click.UsageError(
            f"The folders of {divided} say which photos are held out; leave --validation-share away, or draw a split "
            "with edge-train split and give it with --splits."
        )
