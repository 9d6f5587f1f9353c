from collections.abc import Callable

import cv2
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
