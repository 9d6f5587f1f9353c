"""Splits that are kept while photos come and go."""

import logging
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split, SplitRow, read_split_rows, write_split_rows
from train.cli import main
from train.data.kept_split import KeptSplit, keep_split
from train.data.photos import Photo, PhotoSet
from train.data.splits import divide_photos, split_photos


def make_photos(folder: Path, label: str, count: int, first: int = 0) -> list[Photo]:
    """Write files that differ, two of a group each."""
    photos = []
    for number in range(first, first + count):
        name = f"{label}_{number}.jpg"
        (folder / name).write_text(name)
        photos.append(Photo(name, label, f"{label} {number // 2}"))
    return photos


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    return [*make_photos(tmp_path, "hat", 40), *make_photos(tmp_path, "shoes", 40)]


@pytest.fixture
def rows(photos: list[Photo], tmp_path: Path) -> tuple[SplitRow, ...]:
    return split_photos(PhotoSet(tmp_path, tuple(photos)), 0.2, seed=0, test_share=0.2)


def keep(rows: Sequence[SplitRow], photos: Sequence[Photo], folder: Path) -> KeptSplit:
    write_split_rows(folder / "old.csv", rows)
    return keep_split(folder / "old.csv", PhotoSet(folder, tuple(photos)))


def divide(rows: Sequence[SplitRow], photos: Sequence[Photo], folder: Path, share: float = 0.2) -> dict[str, Split]:
    kept = keep(rows, photos, folder)
    divided = split_photos(kept.photo_set, share, seed=1, test_share=share, kept=kept.sides)
    return {row.image: row.split for row in divided}


def test_known_photos_stay_and_new_ones_bring_the_shares_nearer(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scarves = make_photos(tmp_path, "scarf", 30)
    with caplog.at_level(logging.INFO):
        sides = divide(rows, [*photos[8:], *scarves], tmp_path)
    assert caplog.messages == [
        f"{tmp_path / 'old.csv'}: 72 photos keep their side, 0 new ones follow their group or copies, 30 are drawn, "
        "8 are gone"
    ]
    assert all(sides[row.image] is row.split for row in rows[8:])
    counts = Counter(sides.values())
    assert all(counts[split] == pytest.approx(0.2 * 102, abs=2) for split in (Split.VALIDATION, Split.TEST))
    for group in {photo.group for photo in scarves}:
        assert len({sides[photo.image] for photo in scarves if photo.group == group}) == 1


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_shares_other_than_those_of_before_are_come_near_to_by_new_photos(
    share: float, rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    sides = divide(rows, [*photos, *make_photos(tmp_path, "hat", 80, first=40)], tmp_path, share)
    assert all(sides[row.image] is row.split for row in rows)
    assert Counter(sides.values())[Split.TEST] == pytest.approx(share * 160, abs=2)


def test_a_new_class_is_on_each_side_though_no_share_is_left(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    kept = keep(rows, [*photos, *make_photos(tmp_path, "scarf", 6)], tmp_path)
    divided = split_photos(kept.photo_set, 0.01, seed=0, kept=kept.sides)
    assert {row.split for row in divided if row.label == "scarf"} == set(Split)


def test_a_new_class_that_cannot_be_tested_is_refused(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    """As a training would, which is to measure each class."""
    kept = keep(rows, [*photos, *make_photos(tmp_path, "scarf", 4)], tmp_path)
    with pytest.raises(DataError, match=r"scarf has photos of two groups.* draw a split without --keep"):
        split_photos(kept.photo_set, 0.2, seed=0, kept=kept.sides)


def test_groups_and_copies_are_followed(rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path) -> None:
    tested = [row for row in rows if row.split is Split.TEST]
    for name in ("of_group", "of_gone", "of_copy"):
        (tmp_path / name).write_text(name)
    shutil.copy(tmp_path / tested[0].image, tmp_path / "copy")
    gone = tested[2].group
    left = [photo for photo in photos if photo.group != gone]
    new = [
        Photo("of_group", "hat", tested[0].group),
        Photo("of_gone", "hat", gone),
        Photo("copy", tested[0].label, "new"),
        Photo("of_copy", "hat", "new"),
    ]
    assert keep(rows, [*left, *new], tmp_path).sides[len(left) :] == (Split.TEST,) * 4


def test_photos_are_known_under_other_names_and_saved_again(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    """The name of the first passes to a photo that is new."""
    (tmp_path / photos[0].image).rename(tmp_path / "moved.jpg")
    (tmp_path / photos[0].image).write_text("another photo")
    (tmp_path / photos[2].image).write_text("saved again")
    groupless = [replace(photo, group=photo.image) for photo in (photos[0], replace(photos[0], image="moved.jpg"))]
    found = keep(rows, [*groupless, *photos[1:]], tmp_path)
    assert found.sides == (None, *(row.split for row in rows))


def test_a_split_without_hashes_goes_by_the_paths(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    by_hand = [replace(row, sha256="", group="") for row in rows]
    assert keep(by_hand, photos, tmp_path).sides == tuple(row.split for row in rows)


def test_groups_that_the_split_alone_knows_stay(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    groupless = [replace(photo, group=photo.image) for photo in [*photos, *make_photos(tmp_path, "hat", 2, first=40)]]
    kept = keep(rows, groupless, tmp_path)
    assert [photo.group for photo in kept.photo_set.photos[:80]] == [photo.group for photo in photos]
    assert kept.photo_set.photos[80:] == tuple(groupless[80:])


def test_groups_and_copies_on_two_sides_are_refused(
    rows: tuple[SplitRow, ...], photos: list[Photo], tmp_path: Path
) -> None:
    one, other = (next(row for row in rows if row.split is side) for side in (Split.TRAIN, Split.TEST))
    shop = [replace(photo, group="shop") for photo in photos]
    with pytest.raises(DataError, match=r"divides the group shop; give all of its photos the same split in .*old\.csv"):
        keep(rows, shop, tmp_path)
    with pytest.raises(DataError, match=f"divides the group {one.group}; give all"):
        keep([replace(row, split=Split.TEST) if row is one else row for row in rows], photos, tmp_path)
    with pytest.raises(DataError, match=r"are the same photo, one of the .* give both the same split in .*old\.csv"):
        keep([replace(row, sha256=one.sha256) if row is other else row for row in rows], photos, tmp_path)
    for row in (one, other):
        (tmp_path / f"new {row.image}").write_text("new")
    copies = [Photo(f"new {row.image}", row.label, row.group) for row in (one, other)]
    with pytest.raises(DataError, match=r"are the same photo, one of the .* take one of them away"):
        keep(rows, [*photos, *copies], tmp_path)


def test_a_split_of_other_photos_is_refused(rows: tuple[SplitRow, ...], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"knows none of the photos in .*; name the split that was drawn of them"):
        keep(rows, make_photos(tmp_path, "scarf", 4), tmp_path)


def split(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["split", *map(str, arguments)])


def test_the_command_keeps_a_split_of_photos_with_other_labels_in_its_own_file(
    drawn_photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos, path = Path(shutil.copytree(drawn_photos, tmp_path / "photos")), tmp_path / "splits.csv"
    assert split(photos, "-o", path, "--seed", 3).exit_code == 0
    before = {row.sha256: row.split for row in read_split_rows(path)}
    (photos / "hat" / "0.png").unlink()
    (photos / "hat" / "1.png").rename(photos / "shoes" / "moved.png")
    with caplog.at_level(logging.INFO):
        result = split(photos, "--keep", path, "-o", path)
    assert result.exit_code == 0, result.output
    assert "47 photos keep their side, 0 new ones follow their group or copies, 0 are drawn, 1 are gone" in caplog.text
    after = {row.sha256: row for row in read_split_rows(path)}
    assert len(after) == 47
    assert all(row.split is before[sha256] for sha256, row in after.items())
    assert [row.label for row in after.values() if row.image == "shoes/moved.png"] == ["shoes"]


@pytest.mark.parametrize("seed", range(30))
def test_no_photo_moves_whatever_comes_and_goes(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    photos = [photo for label in ("hat", "pants", "shoes") for photo in make_photos(tmp_path, label, 12)]
    rows = split_photos(PhotoSet(tmp_path, tuple(photos)), 0.2, seed, random.choice([0.0, 0.2]))
    later = _change(photos, tmp_path, random) + make_photos(tmp_path, "scarf", 12)
    kept = keep(rows, later, tmp_path)
    # As training divides, but for a side that lacks a class in the end.
    divided = divide_photos(kept.photo_set, 0.2, seed, random.choice([0.0, 0.3]), kept=kept.sides)
    before = {row.sha256: row.split for row in rows}
    assert all(before.get(row.sha256, row.split) is row.split for row in divided)


def _change(photos: Sequence[Photo], folder: Path, random: Random) -> list[Photo]:
    """Take photos away, give others a new name or another label, of which a class may lose all on a side."""
    left = []
    for photo in (each for each in photos if random.random() > 0.1):
        label = "hat" if photo.label == "pants" and random.random() < 0.7 else photo.label
        name = f"new_{photo.image}" if random.random() < 0.2 else photo.image
        (folder / photo.image).rename(folder / name)
        left.append(replace(photo, image=name, label=label))
    random.shuffle(left)
    return left
