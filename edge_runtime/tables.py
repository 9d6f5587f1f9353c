"""Tables as CSV text, the same in every file that the package writes."""

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
