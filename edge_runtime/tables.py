"""Tables as text: CSV, the same in every file that the package writes, and columns for a terminal."""

import csv
import io
from collections.abc import Iterable, Sequence


def format_csv(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a header line and a line per row, each ended by a line feed; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def format_table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Return rows as columns, two spaces apart.

    Args:
        rows: The first one is the header.
        right: Columns that are set to the right, from 0.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.rjust(width) if at in right else cell.ljust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )
    return "\n".join(line.rstrip() for line in lines)
