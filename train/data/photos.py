"""Finding labelled photos: a folder per class, or a CSV file."""

import codecs
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from edge_runtime.errors import DataError, PictureError
from edge_runtime.files import hash_file
from edge_runtime.pictures import PICTURE_SUFFIXES, UNREAD_PHOTO_SUFFIXES, only_pictures, read_picture
from edge_runtime.training_run import Split
from train.data.detection_formats import holds_boxes
from train.data.foreign import refuse_foreign
from train.data.layouts import refuse_other_layouts
from train.data.missing import advise, is_there
from train.data.sides import find_divided_classes, lie_divided, list_folders
from train.data.table import read_columns

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a CSV file say what.

    Attributes:
        image: Path of the photo, relative to the image folder, without spaces around it.
        label: Class name; rows where it is empty are left out.
        group: What a split must not divide, without spaces around it; None, or a row where it is empty, makes a photo
            its own group.
    """

    image: str = "image"
    label: str = "label"
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled photo.

    Attributes:
        image: Path relative to the data set's image folder, with forward slashes.
        label: Class name.
        group: What a split must not divide.
        side: What it serves for, by the folder that it lies in; None where that is not named after a side.
    """

    image: str
    label: str
    group: str
    side: Split | None = None


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Labelled photos and the folder their paths start from."""

    images: Path
    photos: tuple[Photo, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, sorted; their order is the order of the model's output."""
        return tuple(sorted({photo.label for photo in self.photos}))

    @property
    def files(self) -> tuple[Path, ...]:
        """The photos' files, in their order."""
        return tuple(self.images / photo.image for photo in self.photos)

    @property
    def lies_divided(self) -> bool:
        """Whether folders say what photos serve for, of all of them or, which no training takes, of some."""
        return lie_divided(photo.side for photo in self.photos)


def read_photos(data: Path, columns: Columns, images: Path | None = None, fewest_classes: int = 2) -> PhotoSet:
    """Read a data set.

    Args:
        data: A folder with one sub-folder of photos per class, or with such folders in each of `train`, `valid` and
            `test`; or a CSV file as `read_columns` takes it, whose paths may be those of Windows.
        columns: The CSV file's columns; unused for a folder.
        images: Folder that the CSV file's paths start from; None takes its own folder, or `images` inside it.
        fewest_classes: 1 where nothing is to be told apart.

    Raises:
        DataError: Nothing is there, a column or photo is missing, a class folder has no photo, or there are fewer
            classes.
    """
    photo_set = find_photos(data, columns, images)
    if data.is_dir():
        _refuse_empty_classes(data)
        _tell_left_out(data)
    _check(photo_set, data, fewest_classes)
    return photo_set


def find_photos(data: Path, columns: Columns, images: Path | None = None) -> PhotoSet:
    """List a data set as it is, with whatever is wrong with it; arguments as for `read_photos`.

    Raises:
        DataError: Nothing is there, it is a file of another kind or holds boxes, its folders are those of a split
            without any of classes, or the file is no table with these columns.
    """
    refuse_foreign(data)
    _refuse_boxes(data)
    if data.is_dir():
        for root in _roots(data):
            refuse_other_layouts(root, list_folders(root))
        return PhotoSet(data, tuple(_photos_by_folder(data)))
    if data.is_file():
        photos = tuple(_photos_by_csv(data, columns))
        folder = _image_folder(data, images, photos)
        return PhotoSet(folder, tuple(_turn_slashes(folder, photo) for photo in photos))
    raise DataError(f"{data} does not exist; give a folder with one sub-folder per class, or a CSV file.")


def list_empty_classes(data: Path) -> tuple[str, ...]:
    """Return the class folders that no photo is taken from, each by its path in the data set."""
    folders = (folder for folder, _ in _class_folders(data) if not only_pictures(folder.iterdir()))
    return tuple(folder.relative_to(data).as_posix() for folder in folders)


def list_left_out(data: Path) -> tuple[Path, ...]:
    """Return the visible pictures under a folder of classes that are no photos of a class, from the folder on.

    They are of a format that is not read, deeper than the folder of a class, or beside it.
    """
    depth = 3 if find_divided_classes(data) else 2
    below = (path for path in data.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES | UNREAD_PHOTO_SUFFIXES)
    names = (path.relative_to(data) for path in below if path.is_file())
    visible = (name for name in names if not any(part.startswith(".") for part in name.parts))
    return tuple(
        sorted(name for name in visible if len(name.parts) != depth or name.suffix.lower() in UNREAD_PHOTO_SUFFIXES)
    )


def check_readable(files: Sequence[Path]) -> None:
    """Decode every photo once, so that a bad one ends a run before it starts rather than in the middle.

    Raises:
        DataError: Photos cannot be decoded; all are counted, the first is named.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = tqdm(pool.map(_find_fault, files), total=len(files), desc="checking", unit="photo", disable=None)
        bad = [fault for fault in faults if fault]
    if bad:
        raise DataError(f"{len(bad)} of {len(files)} photos cannot be read. The first: {bad[0]}")


def hash_files(files: Sequence[Path]) -> list[str]:
    """Return the SHA-256 of each file."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(tqdm(pool.map(hash_file, files), total=len(files), desc="hashing", unit="photo", disable=None))


def _find_fault(file: Path) -> str:
    """Return why a photo cannot be read; nothing where it can."""
    try:
        read_picture(file)
    except PictureError as error:
        return str(error)
    return ""


def _refuse_boxes(data: Path) -> None:
    if holds_boxes(data) or _is_json(data):
        raise DataError(
            f"{data} holds boxes, which edge-train detect takes, not photos with one label each; for a classifier cut "
            "its boxes out with edge-train crops first."
        )


def _is_json(data: Path) -> bool:
    try:
        with data.open("rb") as file:
            return file.read(64).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
    except OSError:
        # A folder, or what reading it as a table will tell of.
        return False


def _roots(data: Path) -> Mapping[Path, Split | None]:
    """Return the folders that hold the folders of the classes, and what the photos of each serve for."""
    return find_divided_classes(data) or {data: None}


def _class_folders(data: Path) -> list[tuple[Path, Split | None]]:
    return [(folder, side) for root, side in _roots(data).items() for folder in list_folders(root)]


def _refuse_empty_classes(data: Path) -> None:
    if empty := list_empty_classes(data):
        more = f", nor {len(empty) - 1} other class folders" if len(empty) > 1 else ""
        raise DataError(
            f"{data / empty[0]} has no photo that can be taken{more}; put JPEG or PNG files straight into it, or take "
            "it away."
        )


def _tell_left_out(data: Path) -> None:
    """Say so where pictures are left out: whoever put them there may mean them to be learnt."""
    if left_out := list_left_out(data):
        log.info(
            "left out %d pictures that are not straight in a class folder or not of a format that is read, the first "
            "%s; edge-train check says more",
            *(len(left_out), left_out[0].as_posix()),
        )


def _photos_by_folder(data: Path) -> Iterator[Photo]:
    for folder, side in _class_folders(data):
        for path in only_pictures(folder.iterdir()):
            image = path.relative_to(data).as_posix()
            yield Photo(image, folder.name, image, side)


def _photos_by_csv(data: Path, columns: Columns) -> Iterator[Photo]:
    wanted = [columns.image, columns.label] + ([columns.group] if columns.group else [])
    for line, (image, label, *group) in read_columns(data, wanted):
        if label:
            if not image:
                raise DataError(f"{data} names no photo in line {line}; fill in its path or take its label away.")
            # Photos whose group is not known have nothing in common.
            yield Photo(image, label, "".join(group) or image)


def _image_folder(data: Path, images: Path | None, photos: tuple[Photo, ...]) -> Path:
    if images is not None:
        return images
    beside = data.parent
    inside = beside / "images"
    found = photos and is_there(beside / _turn_slashes(beside, photos[0]).image)
    return inside if photos and not found and inside.is_dir() else beside


def _turn_slashes(folder: Path, photo: Photo) -> Photo:
    """Return a photo under the path that Windows means by its backslashes, unless there is a file of that name."""
    image = photo.image.replace("\\", "/")
    if image == photo.image or is_there(folder / photo.image):
        return photo
    return replace(photo, image=image, group=image if photo.group == photo.image else photo.group)


def _check(photo_set: PhotoSet, data: Path, fewest_classes: int) -> None:
    counts = Counter(photo.label for photo in photo_set.photos)
    if not counts:
        advice = "put the photos of each class into a folder of its own" if data.is_dir() else "fill in its labels"
        raise DataError(f"{data} has no class with photos; {advice}.")
    if len(counts) < fewest_classes:
        raise DataError(f"All photos of {data} are of the class {min(counts)}; at least two are needed to tell apart.")
    broken = [label for label in counts if len(label.splitlines()) != 1]
    if broken:
        raise DataError(f"{data} has the label {broken[0]!r}, which is not one line; rename it.")
    missing = [photo.image for photo in photo_set.photos if not is_there(photo_set.images / photo.image)]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(photo_set.photos)} photos are not under {photo_set.images}, the first "
            f"{missing[0]}; {advise(photo_set.images, missing[0])}."
        )
    first_of: dict[str, Photo] = {}
    for photo in photo_set.photos:
        first = first_of.setdefault(photo.image, photo)
        if first.label != photo.label:
            raise DataError(f"{photo.image} is labelled {first.label} and {photo.label}; keep one label.")
        if first.group != photo.group:
            raise DataError(f"{photo.image} is of the groups {first.group} and {photo.group}; keep one of them.")
