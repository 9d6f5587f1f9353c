"""Taking classes for others: of a data set, as `--rename` says, and of a model, as `--against-rename` does."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edge_runtime.errors import DataError


def check_renames(data: Path, classes: Iterable[str], renames: Mapping[str, str]) -> None:
    """Raise a `DataError` where a class to rename is not among those of the data."""
    there = sorted(set(classes))
    if unknown := sorted(renames.keys() - set(there)):
        raise DataError(f"{data} has no class {', '.join(unknown)} (it has {', '.join(there)}); correct --rename.")


def match_classes(
    data: Path, classes: Iterable[str], renames: Mapping[str, str], labels: Sequence[str]
) -> dict[str, str]:
    """Return what a model calls each class of a data set, nothing for one that is to be left out.

    Args:
        data: Where the classes are from, for the errors.
        classes: Those of the data.
        renames: Label by class; empty for classes to leave out. Other classes have the name of their label.
        labels: All that the model has.

    Raises:
        DataError: A class to rename is not there, or one is none of the model's.
    """
    there = sorted(set(classes))
    check_renames(data, there, renames)
    matched = {each: renames.get(each, each) for each in there}
    if strange := sorted(set(matched.values()) - {"", *labels}):
        raise DataError(
            f"{data} has classes that the model lacks: {', '.join(strange)} (the model has {', '.join(labels)}); "
            "give each the model's name with --rename OLD=NEW, or leave it out with --rename OLD=."
        )
    return matched


def rename_labels(labels: Sequence[str], renames: Mapping[str, str], own: Sequence[str]) -> tuple[str, ...]:
    """Return what a model calls the labels of another one, OLD, which it is held against.

    Args:
        labels: Those of OLD.
        renames: Label of OLD by the model's own; other labels have the same name in both.
        own: All labels of the model.

    Raises:
        DataError: A label to rename is not there.
    """
    for name, there, named in (("MODEL", own, renames.keys()), ("OLD", labels, renames.values())):
        if unknown := sorted(set(named) - set(there)):
            classes = ", ".join(map(repr, unknown))
            raise DataError(f"{name} has no class {classes} (it has {', '.join(there)}); correct --against-rename.")
    names = {old: new for new, old in renames.items()}
    # Where OLD means something else by a name that one of its other labels now has, they must not be mixed up.
    return tuple(names.get(each) or (f"{each} (OLD)" if each in renames else each) for each in labels)


def refuse_strangers(data: Path, classes: Iterable[str], labels: Sequence[str]) -> None:
    """Refuse to hold a model against another one, OLD, that knows nothing of what it is asked: any would be better.

    Args:
        data: Where photos are from, for the error.
        classes: What the photos show.
        labels: Those of OLD.

    Raises:
        DataError: OLD knows none of the classes.
    """
    there = sorted(set(classes))
    if there and not set(there) & set(labels):
        raise DataError(
            f"OLD lacks every class of {data}: {', '.join(there)} (it has {', '.join(labels)}); say what it calls them "
            "with --against-rename NAME=OLDNAME."
        )
