from collections.abc import Iterator

import pytest

from train.check.classes import find_class_problems, find_same_groups
from train.check.findings import Finding, Kind, Severity, sort_findings
from train.data.photos import Photo


def photos_of(label: str, count: int, group: str | None = None) -> list[Photo]:
    return [Photo(f"{label}/{index}", label, group or f"{label}{index}") for index in range(count)]


def sentences(*photos: list[Photo]) -> list[tuple[Severity, str]]:
    return [(each.severity, each.message) for each in find_class_problems([photo for of in photos for photo in of])]


def test_even_classes_are_clean() -> None:
    assert sentences(photos_of("hat", 60), photos_of("t shirt", 500)) == []


@pytest.mark.parametrize(("count", "what"), [(1, "a single photo"), (60, "a single group of 60 photos")])
def test_a_class_that_cannot_be_divided_is_an_error(count: int, what: str) -> None:
    (found,) = sentences(photos_of("hat", count, "one"), photos_of("shoes", 60))[:1]
    assert found[0] is Severity.ERROR
    assert found[1].startswith(f"hat has {what}")


def test_small_and_uneven_classes_are_warnings() -> None:
    small, uneven = sentences(photos_of("hat", 20), photos_of("shoes", 201))
    assert small == (Severity.WARNING, "hat has 20 photos; below 50 its accuracy is hardly known.")
    assert uneven[1].startswith("shoes has 201 photos and hat 20")


@pytest.mark.parametrize("twin", ["T-Shirt", "t shirt", "t_shirt", "tshirt ", "\uff54-shirt"])
def test_names_that_differ_in_spelling_only_are_named_together(twin: str) -> None:
    ((severity, message),) = sentences(photos_of("t-shirt", 60), photos_of(twin, 60))
    assert severity is Severity.WARNING
    assert repr(twin) in message


def test_both_unicode_forms_of_an_umlaut_are_one_name() -> None:
    ((_, message),) = sentences(photos_of("r\u00f6cke", 60), photos_of("ro\u0308cke", 60))
    assert "differ in case, spaces or Unicode form" in message


def test_a_space_at_the_end_is_shown() -> None:
    ((_, message),) = sentences(photos_of("hat ", 60), photos_of("shoes", 60))
    assert message.startswith("'hat ' begins or ends with a space")


def test_one_class_or_none_is_an_error() -> None:
    assert sentences(photos_of("hat", 60)) == [
        (Severity.ERROR, "There are 1 classes with photos; at least two are needed to tell apart.")
    ]
    assert len(sentences([])) == 1


def test_more_classes_take_no_more_passes_over_the_photos() -> None:
    """Or thousands of classes would take minutes."""

    class Counting(list[Photo]):
        passes = 0

        def __iter__(self) -> Iterator[Photo]:
            self.passes += 1
            return super().__iter__()

    few, many = (Counting([Photo(str(at), str(at % classes), str(at)) for at in range(200)]) for classes in (2, 100))
    for photos in (few, many):
        list(find_class_problems(photos))
    assert few.passes == many.passes


def test_groups_that_differ_in_case_or_spaces_only_are_named_together() -> None:
    names = ["Anna", "anna", "ann a", "1-11", "11-1", "A  B", "a b"]
    photos = [Photo(f"{at}.jpg", "hat", name) for at, name in enumerate(names)]
    found = list(find_same_groups([*photos, *photos]))
    assert [each.values["groups"] for each in found] == [["Anna", "anna"], ["A  B", "a b"]]
    assert {(each.kind, each.severity) for each in found} == {(Kind.GROUP_NAMES, Severity.WARNING)}
    assert found[0].message.startswith("The groups 'Anna', 'anna' differ in case, spaces")


def test_photos_of_no_known_group_are_none_that_is_written_otherwise() -> None:
    assert list(find_same_groups([Photo("A.jpg", "hat", "A.jpg"), Photo("a.jpg", "hat", "a.jpg")])) == []


def test_the_worst_of_a_kind_is_told_first() -> None:
    warning = Finding(Kind.CLASSES, Severity.WARNING, "few")
    error = Finding(Kind.CLASSES, Severity.ERROR, "none")
    leak = Finding(Kind.LEAK, Severity.ERROR, "leak")
    assert sort_findings([warning, error, leak]) == (leak, error, warning)
