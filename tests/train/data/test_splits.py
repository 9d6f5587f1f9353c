import hashlib
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.data.photos import Photo, PhotoSet
from train.data.splits import divide_photos, split_photos


def make_set(folder: Path, group_sizes: list[int], labels: tuple[str, ...] = ("hat", "shirt", "shoes")) -> PhotoSet:
    photos = []
    for group, size in enumerate(group_sizes):
        for index in range(size):
            name = f"{group}_{index}.jpg"
            (folder / name).write_text(name)
            photos.append(Photo(name, labels[(group + index) % len(labels)], str(group)))
    return PhotoSet(folder, tuple(photos))


def groups_of(rows: tuple[SplitRow, ...], split: Split) -> set[str]:
    return {row.group for row in rows if row.split is split}


def test_no_group_is_divided_and_the_share_is_met(tmp_path: Path) -> None:
    photo_set = make_set(tmp_path, [1, 2, 3, 4, 5] * 12)
    rows = split_photos(photo_set, 0.2, seed=0)
    assert not groups_of(rows, Split.TRAIN) & groups_of(rows, Split.VALIDATION)
    share = sum(row.split is Split.VALIDATION for row in rows) / len(rows)
    assert share == pytest.approx(0.2, abs=0.03)


def test_each_class_keeps_about_its_share(tmp_path: Path) -> None:
    rows = split_photos(make_set(tmp_path, [3] * 60), 0.2, seed=1)
    for label in ("hat", "shirt", "shoes"):
        of_label = [row for row in rows if row.label == label]
        held = sum(row.split is Split.VALIDATION for row in of_label)
        assert held / len(of_label) == pytest.approx(0.2, abs=0.05)


def test_a_sender_of_very_many_photos_stays_in_training(tmp_path: Path) -> None:
    rows = split_photos(make_set(tmp_path, [60, *[3] * 40]), 0.2, seed=0)
    assert "0" in groups_of(rows, Split.TRAIN)


def test_same_seed_same_split_and_other_seed_other_split(tmp_path: Path) -> None:
    photo_set = make_set(tmp_path, [2] * 50)
    assert split_photos(photo_set, 0.2, seed=3) == split_photos(photo_set, 0.2, seed=3)
    assert split_photos(photo_set, 0.2, seed=3) != split_photos(photo_set, 0.2, seed=4)


def test_test_photos_are_of_groups_of_their_own(tmp_path: Path) -> None:
    rows = split_photos(make_set(tmp_path, [1, 2, 3, 4, 5] * 12), 0.2, seed=0, test_share=0.15)
    sides = [groups_of(rows, split) for split in Split]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 60
    for split, share in ((Split.TEST, 0.15), (Split.VALIDATION, 0.2)):
        assert sum(row.split is split for row in rows) / len(rows) == pytest.approx(share, abs=0.03)


def test_test_photos_stay_when_another_validation_share_is_drawn(tmp_path: Path) -> None:
    photo_set = make_set(tmp_path, [2] * 50)
    first, second = (split_photos(photo_set, share, seed=0, test_share=0.2) for share in (0.1, 0.3))
    assert groups_of(first, Split.TEST) == groups_of(second, Split.TEST)


def test_a_class_of_one_group_cannot_be_on_both_sides(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="split has no photo of"):
        split_photos(make_set(tmp_path, [2, 2]), 0.5, seed=0)


def test_all_photos_of_one_group_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="split has no photo of"):
        split_photos(make_set(tmp_path, [9]), 0.2, seed=0)


def test_a_class_of_two_groups_cannot_be_tested_as_well(tmp_path: Path) -> None:
    photos = put_photos(tmp_path, {"hat": 12, "shirt": 2})
    with pytest.raises(DataError, match=r"shirt has photos of two groups.*take another --test-share, or none"):
        split_photos(photos, 0.25, seed=0, test_share=0.25)
    photos = PhotoSet(photos.images, photos.photos[-4:])
    with pytest.raises(DataError, match="test split has no photo of hat, shirt"):
        split_photos(photos, 0.25, seed=0, test_share=0.25)


def test_split_file_round_trip_keeps_hashes(tmp_path: Path) -> None:
    rows = split_photos(make_set(tmp_path, [2] * 30), 0.2, seed=0)
    run = TrainingRun(tmp_path / "run")
    run.write_splits(rows)
    assert run.read_splits() == rows
    assert run.read_splits(Split.TRAIN) == tuple(row for row in rows if row.split is Split.TRAIN)
    assert rows[0].sha256 == hashlib.sha256(b"0_0.jpg").hexdigest()


def test_test_photos_that_leave_none_to_train_on_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train split has no photo of"):
        split_photos(make_set(tmp_path, [9]), 0.2, seed=0, test_share=0.5)


def test_a_class_that_cannot_be_on_both_sides_is_told(tmp_path: Path) -> None:
    photos = put_photos(tmp_path, {"hat": 8, "shoes": 8, "shirt": 1})
    with pytest.raises(DataError, match=r"shirt has one photo, which cannot be on both sides: add others"):
        split_photos(photos, 0.25, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_few_photos_is_on_both_sides(tmp_path: Path, seed: int) -> None:
    """With a share of 0.15, none of three photos is nearer to the share than one of them."""
    rows = split_photos(put_photos(tmp_path, {"hat": 40, "shoes": 40, "shirt": 3, "scarf": 2}), 0.15, seed)
    held_out = Counter(row.label for row in rows if row.split is Split.VALIDATION)
    assert (held_out["shirt"], held_out["scarf"]) == (1, 1)
    assert held_out.total() == pytest.approx(0.15 * 85, abs=3)


def test_classes_that_share_photos_are_all_on_both_sides(tmp_path: Path) -> None:
    photos = put_photos(tmp_path, {"hat": 30})
    # Of four rare classes, three have two photos, of which they share one.
    classes = [frozenset({"hat"})] * 30
    for label, places in {"a": (0, 1), "b": (1, 2), "c": (2, 3), "d": (4, 5, 6)}.items():
        for place in places:
            classes[place] |= {label}
    rows = divide_photos(photos, 0.1, 0, classes=classes)
    for split in (Split.TRAIN, Split.VALIDATION):
        seen = [labels for row, labels in zip(rows, classes, strict=True) if row.split is split]
        assert frozenset().union(*seen) == {"hat", *"abcd"}


def test_a_photo_of_two_classes_is_refused(tmp_path: Path) -> None:
    photos = put_photos(tmp_path, {"hat": 8, "shoes": 8})
    shutil.copy(tmp_path / "hat" / "0.jpg", tmp_path / "shoes" / "3.jpg")
    with pytest.raises(DataError, match=r"hat/0\.jpg and shoes/3\.jpg are the same photo, labelled hat and shoes"):
        split_photos(photos, 0.25, 0)


def put_photos(folder: Path, counts: dict[str, int]) -> PhotoSet:
    """Write files that differ, so many of each class."""
    photos = []
    for label, count in counts.items():
        (folder / label).mkdir()
        for number in range(count):
            (folder / label / f"{number}.jpg").write_text(f"{label} {number}")
            photos.append(Photo(f"{label}/{number}.jpg", label, f"{label}/{number}.jpg"))
    return PhotoSet(folder, tuple(photos))


@pytest.mark.parametrize("seed", range(4))
def test_copies_under_other_names_are_on_one_side(tmp_path: Path, seed: int) -> None:
    """They would be learnt, and then measured on."""
    photo_set = make_set(tmp_path, [1] * 60)
    copies = []
    for photo in photo_set.photos[::3]:
        shutil.copy(tmp_path / photo.image, tmp_path / f"copy of {photo.image}")
        copies.append(Photo(f"copy of {photo.image}", photo.label, f"copy of {photo.group}"))
    rows = split_photos(PhotoSet(tmp_path, (*photo_set.photos, *copies)), 0.2, seed)
    side_of = {row.image: row.split for row in rows}
    assert all(side_of[f"copy of {photo.image}"] is side_of[photo.image] for photo in photo_set.photos[::3])
    assert sum(row.split is Split.VALIDATION for row in rows) == pytest.approx(16, abs=2)


def test_hundreds_of_classes_of_few_photos_are_divided_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.data.photos.hash_file", str)
    photos = tuple(
        Photo(f"{kind}/{number}.jpg", f"kind {kind}", f"{kind}/{number}") for kind in range(400) for number in range(5)
    )
    start_s = time.process_time()
    rows = split_photos(PhotoSet(tmp_path, photos), 0.15, seed=0)
    assert time.process_time() - start_s < 20
    held = Counter(row.label for row in rows if row.split is Split.VALIDATION)
    assert len(held) == 400
    assert max(held.values()) < 5


class _CountedLabel(str):
    """A class name that counts how often it is looked up."""

    __slots__ = ()
    lookups = 0

    def __hash__(self) -> int:
        type(self).lookups += 1
        return super().__hash__()


def test_labels_are_not_looked_up_for_each_division_that_is_tried(tmp_path: Path) -> None:
    photo_set = make_set(tmp_path, [1] * 200, labels=(_CountedLabel("hat"), _CountedLabel("shirt")))
    _CountedLabel.lookups = 0
    split_photos(photo_set, 0.2, seed=0)
    assert _CountedLabel.lookups < 40 * 200


def test_a_seed_draws_the_same_split_from_version_to_version(tmp_path: Path) -> None:
    rows = split_photos(make_set(tmp_path, [1, 2, 3, 4] * 10), 0.2, seed=5, test_share=0.1)
    sides = ",".join(row.split.value for row in rows)
    assert hashlib.sha256(sides.encode()).hexdigest()[:16] == "4a059abd98285e10"
