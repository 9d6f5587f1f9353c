"""Photos that cannot be read, or that nobody reads."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_runtime.pictures import PICTURE_SUFFIXES, UNREAD_PICTURE_SUFFIXES
from train.check.facts import Unreadable
from train.check.findings import Finding, Kind, Severity

_LEFT_OUT = UNREAD_PICTURE_SUFFIXES | {".gif"}


def find_unreadable(unreadable: Sequence[Unreadable]) -> Iterator[Finding]:
    """Name each photo that cannot be read."""
    for each in unreadable:
        yield Finding(Kind.UNREADABLE, Severity.ERROR, each.reason, (each.photo,))


def find_left_out(data: Path) -> Iterator[Finding]:
    """Count the pictures in class folders that are of a format no command reads."""
    if not data.is_dir():
        return
    suffixes = Counter(path.suffix.lower() for path in data.glob("*/*") if path.is_file())
    for suffix in sorted(suffixes.keys() & _LEFT_OUT):
        message = (
            f"{suffixes[suffix]} {suffix} files are left out; save them as JPEG "
            f"(read are {', '.join(sorted(PICTURE_SUFFIXES))})."
        )
        yield Finding(Kind.LEFT_OUT, Severity.WARNING, message, values={"suffix": suffix, "files": suffixes[suffix]})
