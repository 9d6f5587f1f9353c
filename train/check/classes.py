"""Whether each class can be learnt, and whether names of classes and groups are one name."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from edge_runtime.training_run import Split
from train.check.findings import Finding, Kind, Severity
from train.data.kept_sides import list_absent
from train.data.photos import Photo

_FEW_PHOTOS = 50
_UNEVEN = 10
"""The largest class may have this many times the photos of the smallest."""


def find_class_problems(photos: Sequence[Photo], alone: bool = False) -> Iterator[Finding]:
    """Find classes too small to be learnt or split, uneven ones, and names that differ in their spelling only.

    Args:
        photos: The photos, each as often as it has classes.
        alone: Whether one class is enough, as for a detector, which also tells something from nothing.
    """
    counts = Counter(photo.label for photo in photos)
    if len(counts) < 2 and not alone:
        message = f"There are {len(counts)} classes with photos; at least two are needed to tell apart."
        yield Finding(Kind.CLASSES, Severity.ERROR, message)
    groups_of: dict[str, set[str]] = defaultdict(set)
    for photo in photos:
        groups_of[photo.label].add(photo.group)
    for label in sorted(counts):
        yield from _find_small(label, counts[label], groups_of[label])
    yield from _find_uneven(counts)
    yield from _find_same_names(sorted(counts))


def find_side_faults(photos: Sequence[Photo], shown: Sequence[Photo], sides: Sequence[Split]) -> Iterator[Finding]:
    """Find why no training takes data as they lie divided.

    Args:
        photos: All photos.
        shown: The photos, each as often as it has classes.
        sides: Where each class must be, if any photo is.
    """
    if strays := tuple(photo for photo in photos if photo.side is None):
        message = f"{len(strays)} photos lie in none of the folders train, valid and test that others lie in."
        yield Finding(Kind.CLASSES, Severity.ERROR, message, strays)
    for side, labels in list_absent(shown, sides).items():
        message = f"The {side} side has no photo of {', '.join(labels)}, so training refuses the data."
        yield Finding(Kind.CLASSES, Severity.ERROR, message, values={"split": side.value, "labels": labels})
    if not any(photo.side is Split.VALIDATION for photo in photos):
        yield from _find_lone([photo for photo in shown if photo.side is Split.TRAIN])


def _find_lone(learnt: Sequence[Photo]) -> Iterator[Finding]:
    """Find classes of which none can be held out where a share of what is learnt from is."""
    counts = Counter(photo.label for photo in learnt)
    for label in sorted(label for label, count in counts.items() if count == 1):
        message = f"{label} has one photo to learn from, so none can be held out to validate on."
        yield Finding(Kind.CLASSES, Severity.ERROR, message, values={"label": label})


def find_same_groups(photos: Sequence[Photo]) -> Iterator[Finding]:
    """Find groups whose names differ in their spelling only, which a split takes for different ones."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for photo in photos:
        # A photo of no known group goes by its own name.
        if photo.group != photo.image:
            spellings[" ".join(unicodedata.normalize("NFKC", photo.group).casefold().split())].add(photo.group)
    for same in map(sorted, spellings.values()):
        if len(same) > 1:
            names = ", ".join(map(repr, same))
            message = f"The groups {names} differ in case, spaces or Unicode form only; write them alike."
            yield Finding(Kind.GROUP_NAMES, Severity.WARNING, message, values={"groups": same})


def _find_small(label: str, photos: int, groups: set[str]) -> Iterator[Finding]:
    values = {"label": label, "photos": photos, "groups": len(groups)}
    if len(groups) == 1:
        of = "photo" if photos == 1 else f"group of {photos} photos"
        message = f"{label} has a single {of}, so it cannot be both trained and validated; add others or leave it out."
        yield Finding(Kind.CLASSES, Severity.ERROR, message, values=values)
    elif photos < _FEW_PHOTOS:
        message = f"{label} has {photos} photos; below {_FEW_PHOTOS} its accuracy is hardly known."
        yield Finding(Kind.CLASSES, Severity.WARNING, message, values=values)


def _find_uneven(counts: Counter[str]) -> Iterator[Finding]:
    if not counts:
        return
    ranked = counts.most_common()
    (most, photos), (least, fewest) = ranked[0], ranked[-1]
    if photos > _UNEVEN * fewest:
        message = f"{most} has {photos} photos and {least} {fewest}: the rare class will be guessed seldom."
        yield Finding(Kind.CLASSES, Severity.WARNING, message, values={"most": most, "least": least})


def _find_same_names(labels: Sequence[str]) -> Iterator[Finding]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        spellings[_fold(label)].append(label)
    for same in spellings.values():
        if len(same) > 1:
            message = f"{', '.join(map(repr, same))} differ in case, spaces or Unicode form only; write them alike."
            yield Finding(Kind.CLASSES, Severity.WARNING, message, values={"labels": same})
        elif same[0] != same[0].strip():
            message = f"{same[0]!r} begins or ends with a space, which will be part of the model's label."
            yield Finding(Kind.CLASSES, Severity.WARNING, message, values={"labels": same})


def _fold(label: str) -> str:
    words = unicodedata.normalize("NFKC", label).casefold().replace("_", " ").replace("-", " ").split()
    return "".join(words)
