"""The same photo more than once: in one class, in two, on both sides of a split."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from edge_runtime.training_run import Split
from train.check.facts import Facts, of_photos
from train.check.findings import Finding, Kind, Severity
from train.check.hashing import find_near_pairs, group_around
from train.data.photos import Photo

NO_SPLITS = "Leaks across a split are not looked for; give --splits FILE to have it done."
"""What is said where `find_leaks` has no split."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Photos that are the same.

    Attributes:
        photos: Two or more; the others are like the first one, if not like each other.
        exact: Whether their files are the same, byte by byte.
    """

    photos: tuple[Photo, ...]
    exact: bool


def find_near_duplicates(facts: Sequence[Facts]) -> NDArray[np.int64]:
    """Return (pairs, 2) indices of photos that are the same or nearly so.

    Copies of a file are each paired with the first one alone, as all pairs of many would be too many.
    """
    first_of: dict[str, int] = {}
    firsts = [first_of.setdefault(each.sha256, at) for at, each in enumerate(facts)]
    exact = np.array([(first, at) for at, first in enumerate(firsts) if first != at], np.int64).reshape(-1, 2)
    single = np.array(list(first_of.values()), np.int64)
    hashes, thumbnails = (np.array([getattr(facts[at], name) for at in single]) for name in ("hash", "thumbnail"))
    return np.concatenate([exact, single[find_near_pairs(hashes, thumbnails)]])


def gather_copies(facts: Sequence[Facts], near_pairs: NDArray[np.int64]) -> tuple[Copies, ...]:
    """Group photos that are the same: any two near ones are in a group, each of which is near to its first.

    Copies of a file go together; where only some of a group are exact copies, it is not exact.
    """
    numbers: dict[str, int] = {}
    file_of = np.array([numbers.setdefault(each.sha256, len(numbers)) for each in facts], np.int64)
    members: list[list[int]] = [[] for _ in numbers]
    for at, file in enumerate(file_of):
        members[file].append(at)
    pairs = file_of[near_pairs]
    near = group_around(len(members), pairs[pairs[:, 0] != pairs[:, 1]])
    joined = set(chain.from_iterable(near))
    exact = [[file] for file, same in enumerate(members) if len(same) > 1 and file not in joined]
    return tuple(
        Copies(of_photos([facts[at] for file in files for at in members[file]]), exact=len(files) == 1)
        for files in sorted((*near, *exact), key=min)
    )


def find_duplicates(copies: Iterable[Copies]) -> Iterator[Finding]:
    """Tell copies with one label from those whose labels contradict each other."""
    for each in copies:
        labels = sorted({photo.label for photo in each.photos})
        alike = "the same file" if each.exact else "nearly the same picture"
        values = {"exact": each.exact, "labels": labels}
        if len(labels) > 1:
            message = f"{len(each.photos)} photos are {alike} with different labels: {', '.join(labels)}."
            yield Finding(Kind.CONFLICT, Severity.ERROR, message, each.photos, values)
        else:
            kind = Kind.DUPLICATE if each.exact else Kind.NEAR_DUPLICATE
            message = f"{len(each.photos)} photos of {labels[0]} are {alike}."
            yield Finding(kind, Severity.WARNING, message, each.photos, values)


def find_copies_across_groups(copies: Iterable[Copies]) -> Iterator[Finding]:
    """Find copies that the next split may divide, since they are of different groups."""
    for each in copies:
        groups = sorted({photo.group for photo in each.photos})
        if len(groups) > 1:
            message = f"{len(each.photos)} copies are of {len(groups)} groups, so a split may divide them."
            yield Finding(Kind.ACROSS_GROUPS, Severity.WARNING, message, each.photos, {"groups": groups})


def gather_sides(photos: Iterable[Photo]) -> dict[str, Split]:
    """Return what each image of data that lie divided serves for; those of no side are learnt from."""
    return {photo.image: photo.side or Split.TRAIN for photo in photos}


def find_leaks(copies: Iterable[Copies], photos: Iterable[Photo], sides: Mapping[str, Split]) -> Iterator[Finding]:
    """Find what is on both sides of a split: copies, and groups.

    Args:
        copies: Photos that are the same.
        photos: All photos, with the groups that must not be divided.
        sides: The split of each image.
    """
    for each in copies:
        if len({sides[photo.image] for photo in each.photos}) > 1:
            yield _leak(f"{len(each.photos)} copies are on both sides of the split.", each.photos, sides, "copies")
    groups: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        groups[photo.group].append(photo)
    for name, members in groups.items():
        if len({sides[photo.image] for photo in members}) > 1:
            message = f"The {len(members)} photos of group {name} are on both sides of the split."
            yield _leak(message, tuple(members), sides, "group")


def _leak(message: str, photos: tuple[Photo, ...], sides: Mapping[str, Split], by: str) -> Finding:
    splits = [sides[photo.image].value for photo in photos]
    return Finding(Kind.LEAK, Severity.ERROR, message, photos, {"by": by, "splits": splits})
