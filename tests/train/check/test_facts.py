from pathlib import Path

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from train.check.facts import Facts, gather_facts
from train.check.findings import Kind, Severity
from train.check.readability import find_left_out, find_unreadable
from train.check.shapes import find_odd_modes, find_odd_shapes
from train.data.photos import Photo, PhotoSet

_RED = (200, 40, 10)


def facts_of(folder: Path, *names: str) -> tuple[Facts, ...]:
    facts, unreadable = gather_facts(PhotoSet(folder, tuple(Photo(name, "hat", name) for name in names)))
    assert not unreadable
    return facts


@pytest.fixture
def picture() -> PIL.Image.Image:
    return PIL.Image.new("RGB", (60, 40), _RED)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_noted(suffix: str, picture: PIL.Image.Image, tmp_path: Path) -> None:
    picture.convert("CMYK").save(tmp_path / f"a.{suffix}")
    (finding,) = find_odd_modes(facts_of(tmp_path, f"a.{suffix}"))
    assert (finding.severity, finding.values["mode"]) == (Severity.NOTE, "CMYK")


def test_sixteen_bit_is_noted(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.full((40, 60), 5000, np.uint16)).save(tmp_path / "a.png")
    (finding,) = find_odd_modes(facts_of(tmp_path, "a.png"))
    assert "I;16" in finding.message


def test_sixteen_bit_colour_is_noted(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 60, 3), 5000, np.uint16))
    (finding,) = find_odd_modes(facts_of(tmp_path, "a.png"))
    assert ";16" in finding.message


def test_a_photo_turned_by_exif_is_noted_with_its_upright_size(picture: PIL.Image.Image, tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    (facts,) = facts_of(tmp_path, "a.jpg")
    assert (facts.width, facts.height) == (40, 60)
    assert [finding.values["turned"] for finding in find_odd_modes([facts])] == [True]


@pytest.mark.parametrize(("suffix", "orientation", "turned"), [("tif", 6, True), ("tif", 1, False), ("png", 8, True)])
def test_whatever_the_format_exif_tells_of_a_turn(
    suffix: str, orientation: int, turned: bool, picture: PIL.Image.Image, tmp_path: Path
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / f"a.{suffix}", exif=exif)
    (facts,) = facts_of(tmp_path, f"a.{suffix}")
    assert (facts.turned, facts.width) == (turned, 40 if turned else 60)


def test_xmp_turns_no_photo(picture: PIL.Image.Image, tmp_path: Path) -> None:
    """Pillow would believe it, and OpenCV does not read it."""
    picture.save(tmp_path / "a.jpg", xmp=b'<rdf:Description tiff:Orientation="6"/>')
    (facts,) = facts_of(tmp_path, "a.jpg")
    assert (facts.turned, facts.width) == (False, 60)


def test_transparency_is_a_warning_where_something_shows_through(picture: PIL.Image.Image, tmp_path: Path) -> None:
    picture.putalpha(255)
    picture.save(tmp_path / "opaque.png")
    picture.putpixel((0, 0), (*_RED, 0))
    picture.save(tmp_path / "clear.png")
    (finding,) = find_odd_modes(facts_of(tmp_path, "opaque.png", "clear.png"))
    assert (finding.severity, finding.photos[0].image) == (Severity.WARNING, "clear.png")


def test_plain_photos_are_not_odd(picture: PIL.Image.Image, tmp_path: Path) -> None:
    for mode in ("RGB", "L", "P"):
        picture.convert(mode).save(tmp_path / f"{mode}.png")
    facts = facts_of(tmp_path, "RGB.png", "L.png", "P.png")
    assert [*find_odd_modes(facts), *find_odd_shapes(facts, 40)] == []


def test_small_and_long_photos_are_found(picture: PIL.Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "small.png")
    picture.resize((330, 100)).save(tmp_path / "long.png")
    small, long = find_odd_shapes(facts_of(tmp_path, "small.png", "long.png"), 100)
    assert small.message == "60 x 40 pixels are enlarged to 100 x 100."
    assert long.message == "330 x 100 pixels are 3.3 times as long as wide; crop it."


def test_each_photo_that_cannot_be_read_is_an_error(picture: PIL.Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "good.png")
    (tmp_path / "bad.jpg").write_text("no picture")
    photos = tuple(Photo(name, "hat", name) for name in ("good.png", "bad.jpg", "gone.jpg"))
    facts, unreadable = gather_facts(PhotoSet(tmp_path, photos))
    assert [each.photo.image for each in facts] == ["good.png"]
    bad, gone = find_unreadable(unreadable)
    assert (bad.severity, gone.photos[0].image) == (Severity.ERROR, "gone.jpg")


def test_pictures_of_unread_formats_are_counted(tmp_path: Path) -> None:
    (tmp_path / "hat").mkdir()
    for name in ("a.HEIC", "b.heic", "notes.txt", "c.jpg"):
        (tmp_path / "hat" / name).touch()
    (finding,) = find_left_out(tmp_path)
    assert (finding.kind, finding.message[:27]) == (Kind.LEFT_OUT, "2 .heic files are left out;")
    assert list(find_left_out(tmp_path / "labels.csv")) == []


def test_folders_in_class_folders_and_what_they_hold_are_named(tmp_path: Path) -> None:
    for name in ("hat/a.jpg", "hat/2024/b.jpg", "skirt/2024/c.jpg", "skirt/.cache/d.jpg", "e.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    empty, misplaced = find_left_out(tmp_path)
    assert (empty.kind, empty.severity) == (Kind.CLASSES, Severity.ERROR)
    assert empty.message.startswith("The folder skirt has no photo")
    assert (misplaced.kind, misplaced.values["files"]) == (Kind.LEFT_OUT, 3)
    assert "the first e.jpg" in misplaced.message
