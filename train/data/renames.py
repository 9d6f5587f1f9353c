"""Taking the classes of a data set for others, as `--rename` says."""

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
