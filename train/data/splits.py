"""Dividing photos into training, validation and test without dividing a group."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow
from train.data.photos import Photo, PhotoSet, hash_files
from train.data.split_repair import bring_to_both_sides

LEARNT_SIDES = (Split.TRAIN, Split.VALIDATION)
"""What a training needs photos of."""

TAKE_AWAY = "take one of them away"
"""What is done about copies, in words."""

_CANDIDATES = 500
_LEAST_GROUPS = 10
"""Validation photos should come from this many groups or more."""


def split_photos(
    photo_set: PhotoSet,
    validation_share: float,
    seed: int,
    test_share: float = 0.0,
    kept: Sequence[Split | None] | None = None,
    hashes: Sequence[str] | None = None,
) -> tuple[SplitRow, ...]:
    """Divide photos so that no group is on two sides and each class keeps about its share.

    Args:
        photo_set: Labelled photos with their groups.
        validation_share: Share of photos to choose models by, in (0, 0.5].
        seed: Which of the possible divisions.
        test_share: Share of photos for a last test, in [0, 0.5].
        kept: What each photo serves for already, whole groups and all copies of a photo alike, None where that is to be
            drawn; None draws all.
        hashes: SHA-256 of each photo's file; None reads the files.

    Returns:
        One row per photo, in the order of `photo_set.photos`.

    Raises:
        DataError: A class would be without photos of a split, or a photo is of two classes.
    """
    rows = divide_photos(photo_set, validation_share, seed, test_share, kept=kept, hashes=hashes)
    refuse_two_labels(rows)
    if kept is not None:
        check_sides(rows, photo_set.labels, retry="draw a split without --keep and --test-share")
    elif test_share:
        check_sides(rows, photo_set.labels, tuple(Split), retry="take another --test-share, or none")
    else:
        check_sides(rows, photo_set.labels, LEARNT_SIDES)
    return rows


def divide_photos(
    photo_set: PhotoSet,
    validation_share: float,
    seed: int,
    test_share: float = 0.0,
    classes: Sequence[Set[str]] | None = None,
    kept: Sequence[Split | None] | None = None,
    hashes: Sequence[str] | None = None,
) -> tuple[SplitRow, ...]:
    """Divide photos as `split_photos` does, whether or not a class is left without photos of a split.

    Args:
        photo_set: As for `split_photos`.
        validation_share: As for `split_photos`.
        seed: As for `split_photos`.
        test_share: As for `split_photos`.
        classes: All classes that each photo shows, in the order of `photo_set.photos`; None for its label alone.
        kept: As for `split_photos`.
        hashes: As for `split_photos`.
    """
    photos = photo_set.photos
    classes = [{photo.label} for photo in photos] if classes is None else classes
    hashes = hash_files(photo_set.files) if hashes is None else hashes
    groups = [photo.group for photo in photos]
    shares = validation_share, test_share
    kept = [None] * len(photos) if kept is None else kept
    sides = _choose_sides(photos, groups, classes, shares, seed, kept)
    if len(set(zip(hashes, sides, strict=True))) > len(set(hashes)):
        # Copies of a photo under other names would be learnt, and then measured on.
        sides = _choose_sides(photos, join_groups(groups, hashes), classes, shares, seed, kept)
    return tuple(
        SplitRow(image=photo.image, label=photo.label, group=photo.group, split=side, sha256=sha256)
        for photo, side, sha256 in zip(photos, sides, hashes, strict=True)
    )


def _choose_sides(
    photos: Sequence[Photo],
    groups: Sequence[str],
    classes: Sequence[Set[str]],
    shares: tuple[float, float],
    seed: int,
    kept: Sequence[Split | None],
) -> list[Split]:
    """Return what each photo serves for; shares are those of validation and test."""
    validation_share, test_share = shares
    every = range(len(photos))
    is_tested = test_share or Split.TEST in kept
    tested = _choose_tested(photos, groups, classes, test_share, seed, kept) if is_tested else frozenset()
    # The test photos go first, so that they stay the same whatever validation share is tried afterwards.
    rest = [index for index in every if index not in tested]
    share = min(validation_share * len(photos) / max(len(rest), 1), 1.0)
    held_out = _held_out(rest, photos, groups, classes, share, seed, _tell_held(kept, Split.VALIDATION))
    return [_side(index, held_out, tested) for index in every]


def _choose_tested(
    photos: Sequence[Photo],
    groups: Sequence[str],
    classes: Sequence[Set[str]],
    share: float,
    seed: int,
    kept: Sequence[Split | None],
) -> frozenset[int]:
    """Choose test photos, none anew of a group that shows a class of fewer groups than there are sides.

    Such a class could be learnt or measured no more.
    """
    groups_of: dict[str, set[str]] = {}
    for group, shown in zip(groups, classes, strict=True):
        for label in shown:
            groups_of.setdefault(label, set()).add(group)
    needed = {group for some in groups_of.values() if len(some) < len(Split) for group in some}
    free = [index for index, group in enumerate(groups) if group not in needed or kept[index] is Split.TEST]
    # The quotient first, so that a share of all photos is that very share.
    scaled = min(share * (len(photos) / max(len(free), 1)), 1.0)
    return _held_out(free, photos, groups, classes, scaled, seed, _tell_held(kept, Split.TEST))


def _tell_held(kept: Sequence[Split | None], held: Split) -> dict[int, bool]:
    """Return of each photo that keeps its side whether that is the one to hold out."""
    return {index: side is held for index, side in enumerate(kept) if side is not None}


def join_groups(groups: Sequence[str], hashes: Sequence[str]) -> list[str]:
    """Return groups that have a file in common under one name."""
    parents = {group: group for group in groups}

    def find(group: str) -> str:
        while parents[group] != group:
            group = parents[group]
        return group

    first_of: dict[str, str] = {}
    for group, sha256 in zip(groups, hashes, strict=True):
        parents[find(group)] = find(first_of.setdefault(sha256, group))
    return [find(group) for group in groups]


def refuse_two_labels(rows: Sequence[SplitRow]) -> None:
    """Refuse copies of a photo under different labels.

    Raises:
        DataError: There are such.
    """
    first_of: dict[str, SplitRow] = {}
    for row in rows:
        first = first_of.setdefault(row.sha256, row)
        if first.label != row.label:
            raise DataError(
                f"{first.image} and {row.image} are the same photo, labelled {first.label} and {row.label}; keep one."
            )


def _side(index: int, held_out: Set[int], tested: Set[int]) -> Split:
    if index in tested:
        return Split.TEST
    return Split.VALIDATION if index in held_out else Split.TRAIN


def _held_out(
    chosen: Sequence[int],
    photos: Sequence[Photo],
    groups: Sequence[str],
    classes: Sequence[Set[str]],
    share: float,
    seed: int,
    kept: Mapping[int, bool],
) -> frozenset[int]:
    """Draw many divisions of the chosen photos by group and take the one whose classes are shared out most evenly.

    Photos that are kept stay held out or not, as is told of them, and count.
    """
    if not chosen:
        return frozenset()
    members: dict[str, list[int]] = {}
    for index in chosen:
        members.setdefault(groups[index], []).append(index)
    target = share * len(chosen)
    whole = list(members.values())
    begun = [index for index in chosen if kept.get(index)]
    small = _small_groups([group for group in whole if group[0] not in kept], target, target - len(begun))
    sizes = np.array([len(group) for group in small], np.int64)
    random = np.random.default_rng(seed)
    candidates = (_draw(sizes, len(begun), target, random) for _ in range(_CANDIDATES))
    best = min(candidates, key=_judge_by([photo.label for photo in photos], chosen, small, share, kept))
    held_out = frozenset(begun).union(*(small[place] for place in best))
    return bring_to_both_sides(held_out, whole, classes, target, kept.keys())


def _small_groups(groups: list[list[int]], target: float, wanted: float) -> list[list[int]]:
    """Return the groups that may be held out: the smallest ones that leave some choice of the photos still wanted.

    A sender of hundreds of like photos teaches in training, and in validation would speak for that sender alone.
    """
    most = target / _LEAST_GROUPS
    largest = max(map(len, groups), default=0)
    while most < largest and sum(len(group) for group in groups if len(group) <= most) < 2 * wanted:
        most *= 2
    return [group for group in groups if len(group) <= most]


def _draw(sizes: NDArray[np.int64], begun: int, target: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of groups, drawn until with those begun there are as many photos as wanted."""
    places = random.permutation(len(sizes))
    drawn = sizes[places]
    return places[: np.searchsorted(begun + np.cumsum(drawn) - drawn, target)]


def _judge_by(
    labels: Sequence[str],
    chosen: Sequence[int],
    groups: Sequence[Sequence[int]],
    share: float,
    kept: Mapping[int, bool],
) -> Callable[[NDArray[np.int64]], float]:
    """Return what tells, of places of groups, how far the share held out of the worst class is from its aim.

    Args:
        labels: Of each photo.
        chosen: The photos that are divided.
        groups: Those that may be held out.
        share: To be held out.
        kept: As for `_held_out`.
    """
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels[index] for index in chosen))}

    def count(photos: Iterable[int]) -> NDArray[np.int64]:
        return np.bincount([numbers[labels[index]] for index in photos], minlength=len(numbers))

    totals = count(chosen)
    held, free = (count(index for index in chosen if kept.get(index) is side) for side in (True, False))
    # The share of each class to hold out, given what is held out already and what must not be.
    aims = np.minimum(np.maximum(share, held / totals), 1 - free / totals)
    label_of = np.array([numbers[labels[index]] for group in groups for index in group], np.int64)
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])

    def misfit(places: NDArray[np.int64]) -> float:
        is_held = np.zeros(len(groups), bool)
        is_held[places] = True
        counts = held + np.bincount(label_of[is_held[group_of]], minlength=len(numbers))
        return float(np.abs(counts / totals - aims).max())

    return misfit


def check_apart(rows: Iterable[SplitRow], advice: str) -> None:
    """Refuse photos that would be learnt and then measured on; copies under other names are known by their hash.

    Args:
        rows: The photos.
        advice: What to do about two copies, in words.

    Raises:
        DataError: Copies are on two sides.
    """
    split_of: dict[str, SplitRow] = {}
    for row in rows:
        first = split_of.setdefault(row.sha256, row)
        if first.split is not row.split:
            raise DataError(
                f"{first.image} and {row.image} are the same photo, one of the {first.split} split and one of the "
                f"{row.split} split; {advice}."
            )


def check_sides(
    rows: Sequence[SplitRow],
    labels: Sequence[str],
    sides: Sequence[Split] | None = None,
    *,
    leave_out: str = "leave the class out",
    retry: str = "try another --validation-share or --seed",
) -> None:
    """Check that each class has photos of each side.

    Args:
        rows: The photos, each as often as it has classes.
        labels: The classes.
        sides: Where each must be; None for training, validation and, if there are any photos in it, test.
        leave_out: What is done, in words, to do without a class.
        retry: What is done, in words, to have the photos divided otherwise.

    Raises:
        DataError: A class would be without photos of a split.
    """
    if sides is None:
        sides = tuple(Split) if any(row.split is Split.TEST for row in rows) else LEARNT_SIDES
    for split in sides:
        present = {row.label for row in rows if row.split is split}
        absent = [label for label in labels if label not in present]
        if absent:
            advice = _advise(rows, split, absent, leave_out, retry)
            raise DataError(f"The {split} split has no photo of {', '.join(absent)}; {advice}")


def _advise(rows: Sequence[SplitRow], split: Split, absent: Sequence[str], leave_out: str, retry: str) -> str:
    """Return what to do about classes that are absent from a side."""
    for label in absent:
        own = [row for row in rows if row.label == label]
        groups = len({row.group for row in own})
        if groups == 1:
            of = "one photo" if len(own) == 1 else f"{len(own)} photos of one group"
            return f"{label} has {of}, which cannot be on both sides: add others, or {leave_out}."
        if groups == len(LEARNT_SIDES) and split is Split.TEST:
            return f"{label} has photos of two groups, which are learnt and measured: add others, or {retry}."
    return f"add photos of more groups, or {retry}."
