from collections.abc import Callable

import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.pictures import read_picture
from edge_runtime.training_run import Split
from train.check.duplicates import (
    Copies,
    find_copies_across_groups,
    find_duplicates,
    find_leaks,
    find_near_duplicates,
    gather_copies,
)
from train.check.facts import gather_facts
from train.check.findings import Kind, Severity
from train.data.photos import Photo, PhotoSet

MakePhotos = Callable[..., PhotoSet]


def copies_in(photo_set: PhotoSet) -> tuple[Copies, ...]:
    facts, _ = gather_facts(photo_set)
    return gather_copies(facts, find_near_duplicates(facts))


def test_the_same_file_in_one_class_is_a_warning(make_photos: MakePhotos) -> None:
    (finding,) = find_duplicates(copies_in(make_photos(("hat", "a", 1), ("hat", "a", 1), ("hat", "a", 2))))
    assert (finding.kind, finding.severity) == (Kind.DUPLICATE, Severity.WARNING)
    assert [photo.image for photo in finding.photos] == ["hat/0.png", "hat/1.png"]


def test_many_copies_are_not_compared_each_with_each(make_photos: MakePhotos) -> None:
    facts, _ = gather_facts(make_photos(*[("hat", "a", 1)] * 30, ("hat", "a", 2)))
    pairs = find_near_duplicates(facts)
    assert sorted(map(tuple, pairs.tolist())) == [(0, other) for other in range(1, 30)]


def test_the_same_file_in_two_classes_is_an_error(make_photos: MakePhotos) -> None:
    (finding,) = find_duplicates(copies_in(make_photos(("hat", "a", 1), ("röcke, lang", "b", 1))))
    assert (finding.kind, finding.severity) == (Kind.CONFLICT, Severity.ERROR)
    assert finding.message == "2 photos are the same file with different labels: hat, röcke, lang."


def test_a_smaller_copy_is_near_and_not_exact(make_photos: MakePhotos) -> None:
    photo_set = make_photos(("hat", "a", 1), ("hat", "a", 1), ("hat", "a", 1))
    path = photo_set.images / "hat/2.png"
    cv2.imwrite(str(path), cv2.resize(read_picture(path), (24, 32), interpolation=cv2.INTER_AREA))
    (finding,) = find_duplicates(copies_in(photo_set))
    assert finding.kind is Kind.NEAR_DUPLICATE
    assert len(finding.photos) == 3


def test_only_photos_that_are_near_each_other_contradict_each_other(make_photos: MakePhotos) -> None:
    """Each photo is near to the next one only, as frames of one camera may be."""
    photo_set = make_photos(*((label, label, 1) for label in ("cap", "hat", "hat", "hat")))
    image = read_picture(photo_set.images / "cap/0.png")
    for step, photo in enumerate(photo_set.photos):
        darker = np.clip(image.astype(int) - 5 * step, 0, 255).astype(np.uint8)
        cv2.imwrite(str(photo_set.images / photo.image), darker)
    conflict, near = find_duplicates(copies_in(photo_set))
    assert conflict.kind is Kind.CONFLICT
    assert [photo.image for photo in conflict.photos] == ["hat/1.png", "cap/0.png", "hat/2.png"]
    assert near.kind is Kind.NEAR_DUPLICATE
    assert [photo.image for photo in near.photos] == ["hat/2.png", "hat/3.png"]


def test_copies_of_a_file_are_near_to_whatever_one_of_them_is(make_photos: MakePhotos) -> None:
    photo_set = make_photos(("hat", "a", 1), ("hat", "a", 2), ("hat", "a", 2), ("hat", "a", 3), ("hat", "a", 3))
    path = photo_set.images / "hat/0.png"
    small = cv2.resize(read_picture(photo_set.images / "hat/1.png"), (24, 32), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small)
    near, exact = copies_in(photo_set)
    assert ([photo.image for photo in near.photos], near.exact) == (["hat/0.png", "hat/1.png", "hat/2.png"], False)
    assert ([photo.image for photo in exact.photos], exact.exact) == (["hat/3.png", "hat/4.png"], True)


def test_copies_of_different_groups_may_be_divided(make_photos: MakePhotos) -> None:
    photo_set = make_photos(("hat", "a", 1), ("hat", "b", 1), ("hat", "c", 2), ("hat", "c", 2))
    (finding,) = find_copies_across_groups(copies_in(photo_set))
    assert finding.values["groups"] == ["a", "b"]


def test_copies_and_groups_on_both_sides_are_leaks() -> None:
    photos = [Photo(f"{index}.png", "hat", group) for index, group in enumerate("abcc")]
    copies = [Copies(tuple(photos[:2]), exact=True), Copies(tuple(photos[2:]), exact=False)]
    sides = {photo.image: Split.TRAIN for photo in photos} | {"1.png": Split.VALIDATION}
    (by_copy,) = find_leaks(copies, photos, sides)
    assert (by_copy.severity, by_copy.values["by"]) == (Severity.ERROR, "copies")
    assert by_copy.values["splits"] == ["train", "validation"]
    sides["3.png"] = Split.VALIDATION
    assert [finding.values["by"] for finding in find_leaks(copies, photos, sides)] == ["copies", "copies", "group"]
