"""Reading columns of CSV files as spreadsheets and people write them."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from edge_runtime.errors import DataError

_SEPARATORS: Final = ",;\t"
"""Of columns; where a comma is the decimal mark, spreadsheets write semicolons."""
_TOLD: Final = re.compile(r'sep=([^\w\s"]|\t)\s*', re.IGNORECASE)
"""A first line that tells Excel what separates the columns."""
_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 10, 40
"""A file that is no table may have all of itself in one column, or in thousands."""


def read_columns(data: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Read some columns of a CSV file, without the spaces around their names and values.

    Args:
        data: The file; its columns are separated by commas, semicolons or tabs, or by what a first line `sep=` says.
            UTF-8, or UTF-16 with its mark.
        wanted: Names of columns.

    Yields:
        The line that a row ends in, and its values in the order of `wanted`, empty where it has none.

    Raises:
        DataError: The file is no table, or does not have each column once.
    """
    wanted = [name.strip() for name in wanted]
    try:
        with data.open(encoding=_find_encoding(data), newline="") as file:
            first = file.readline()
            told = _TOLD.fullmatch(first)
            header = file.readline() if told else first
            separator = told[1] if told else _find_separator(header, wanted)
            reader = _split(chain([header], file), separator)
            places = _find_columns(data, wanted, [name.strip() for name in next(reader, (0, []))[1]])
            for line, row in reader:
                yield line + bool(told), [row[place].strip() if place < len(row) else "" for place in places]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{data} cannot be read as CSV ({error}); save it as UTF-8 text with a header line.") from error


def _find_encoding(data: Path) -> str:
    """Return UTF-16 where a file begins so, as what Excel calls Unicode text does, else UTF-8."""
    with data.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _split(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, after the number of lines read so far."""
    # Else quotes after a space would be part of the value.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return ((reader.line_num, row) for row in reader if row)


def _find_separator(header: str, wanted: Iterable[str]) -> str:
    """Return what makes the columns wanted out of a header line, or else the most columns."""

    def rate(separator: str) -> tuple[int, int]:
        _, names = next(_split([header], separator), (0, []))
        return len({name.strip() for name in names}.intersection(wanted)), len(names)

    return max(_SEPARATORS, key=rate)


def _find_columns(data: Path, wanted: Sequence[str], present: Sequence[str]) -> list[int]:
    if missing := [name for name in wanted if name not in present]:
        raise DataError(
            f"{data} has no column {', '.join(missing)} (it has {_shorten_list(present)}); "
            "name them with --image-column, --label-column and --group-column."
        )
    if repeated := [name for name in wanted if present.count(name) > 1]:
        raise DataError(f"{data} has {present.count(repeated[0])} columns called {repeated[0]}; rename all but one.")
    return [present.index(name) for name in wanted]


def _shorten_list(columns: Sequence[str]) -> str:
    shown = [column[:_SHOWN_CHARACTERS] for column in columns[:_SHOWN_COLUMNS]]
    more = [f"{len(columns) - len(shown)} more"] if len(columns) > len(shown) else []
    return ", ".join(shown + more) or "none"
