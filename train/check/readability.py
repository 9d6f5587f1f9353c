"""Photos that cannot be read, or that nobody reads."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_runtime.pictures import PICTURE_SUFFIXES, UNREAD_PHOTO_SUFFIXES
from train.check.facts import Unreadable
from train.check.findings import Finding, Kind, Severity
from train.data.photos import list_empty_classes, list_left_out


def find_unreadable(unreadable: Sequence[Unreadable]) -> Iterator[Finding]:
    """Name each photo that cannot be read."""
    for each in unreadable:
        yield Finding(Kind.UNREADABLE, Severity.ERROR, each.reason, (each.photo,))


def find_left_out(data: Path) -> Iterator[Finding]:
    """Name the class folders without a photo, and count the pictures that no command reads or takes."""
    if not data.is_dir():
        return
    for label in list_empty_classes(data):
        message = f"The folder {label} has no photo straight in it that is read, so training refuses it."
        yield Finding(Kind.CLASSES, Severity.ERROR, message, values={"label": label})
    left_out = list_left_out(data)
    suffixes = Counter(path.suffix.lower() for path in left_out)
    for suffix in sorted(suffixes.keys() & UNREAD_PHOTO_SUFFIXES):
        message = (
            f"{suffixes[suffix]} {suffix} files are left out; save them as JPEG "
            f"(read are {', '.join(sorted(PICTURE_SUFFIXES))})."
        )
        yield Finding(Kind.LEFT_OUT, Severity.WARNING, message, values={"suffix": suffix, "files": suffixes[suffix]})
    yield from _find_misplaced([path for path in left_out if path.suffix.lower() in PICTURE_SUFFIXES])


def _find_misplaced(paths: Sequence[Path]) -> Iterator[Finding]:
    if paths:
        message = (
            f"{len(paths)} pictures are not straight in a class folder and left out, the first {paths[0].as_posix()}; "
            "move them into the folder of their class."
        )
        yield Finding(Kind.LEFT_OUT, Severity.WARNING, message, values={"files": len(paths)})
