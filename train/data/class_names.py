"""Reading the class names of a YOLO data set, a line each or the list in a data.yaml, and where its data.yaml leads."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from edge_runtime.errors import DataError

CLASSES = "classes.txt"
_DATA_YAML = "data.yaml"
_YAML_SUFFIXES = frozenset({".yaml", ".yml"})

_OF_YAML = re.compile(r"(train|val|valid|test|nc|names|path)\s*:")
_NUMBERED = re.compile(r"(\d+) *([:.,)\t ])\s*(\S.*)")


def read_class_names(data: Path, classes: Path | None) -> dict[str, str]:
    """Return class names by their number.

    Args:
        data: The YOLO folder.
        classes: File of names, one a line, or a .yaml file; None takes the folder's `classes.txt`, or else its
            `data.yaml`.

    Raises:
        DataError: The file is missing, cannot be read, or is no list of names.
    """
    own = (path for path in (data / CLASSES, data / _DATA_YAML) if path.is_file())
    path = classes or next(own, data / CLASSES)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is missing or no UTF-8 text; write the class names into it, one a line in the order of their "
            f"numbers, or name such a file with --classes; a {_DATA_YAML} serves, too."
        ) from error
    if path.suffix.lower() in _YAML_SUFFIXES:
        return _parse_yaml(path, text)
    lines = text.splitlines()
    _refuse_other_lines(path, lines)
    return {str(number): name.strip() for number, name in enumerate(lines) if name.strip()}


def is_data_yaml(path: Path) -> bool:
    """Tell whether a path is the `data.yaml` of a YOLO folder, by any name."""
    return path.suffix.lower() in _YAML_SUFFIXES and path.is_file()


def read_data_path(data_yaml: Path) -> str | None:
    """Return the folder that a `data.yaml` names as its `path`, as written; None where it names none that is known."""
    try:
        content = yaml.load(data_yaml.read_text(encoding="utf-8-sig"), yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        # What is wrong with it is told where the names are read.
        return None
    path = content.get("path") if isinstance(content, dict) else None
    return path if isinstance(path, str) else None


def _refuse_other_lines(path: Path, lines: Sequence[str]) -> None:
    """Refuse what would pass for names: the lines of a data.yaml under another name, and numbered ones."""
    if keys := [line for line in lines if _OF_YAML.match(line)]:
        raise DataError(
            f"{path} has the line {keys[0]!r}, which is no class name; give the names alone, one a line, or a file "
            f"that ends in .yaml as {_DATA_YAML} does."
        )
    names = [line.strip() for line in lines if line.strip()]
    if _are_numbered(names):
        raise DataError(
            f"{path} has a number before each name ({names[0]!r}); take the numbers away, as they follow from the "
            "order of the lines."
        )


def _are_numbered(names: Sequence[str]) -> bool:
    """Tell whether names follow on numbers, rather than begin with a number as `1 piece suit` does."""
    found = [match for name in names if (match := _NUMBERED.match(name))]
    if len(found) < max(len(names), 2) or len({match[3] for match in found}) < len(found):
        return False
    numbers = [int(match[1]) for match in found]
    # Few write a bare number from 1 on before a name, where YOLO counts from 0.
    starts = (0,) if any(match[2] == " " for match in found) else (0, 1)
    return any(numbers == list(range(start, start + len(found))) for start in starts)


def _parse_yaml(path: Path, text: str) -> dict[str, str]:
    """Read `names`, a list or a mapping from numbers to names."""
    try:
        # With this loader a class may be called `no` or `2`.
        content = yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise _no_names(path, " ".join(str(error).split())) from error
    if isinstance(content, dict) and "kpt_shape" in content:
        raise DataError(f"{path} is about keypoints (kpt_shape), whose labels are no boxes; export boxes.")
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise _no_names(path, "it has no names, or none in them")
    for number, name in names.items():
        if not number.isdecimal() or not isinstance(name, str) or len(name.strip().splitlines()) != 1:
            raise _no_names(path, f"the name {name!r} is not one line, or its number {number!r} no number")
    return {str(int(number)): name.strip() for number, name in names.items()}


def _no_names(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} has no list of class names that can be read ({reason}); write the names into a text file, one a line "
        "in the order of their numbers, and give that."
    )
