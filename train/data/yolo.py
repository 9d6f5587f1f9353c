"""Reading boxes from YOLO folders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from edge_runtime.errors import DataError
from edge_runtime.pictures import UNREAD_PHOTO_SUFFIXES, pictures_under
from edge_runtime.training_run import Split
from train.data.annotations import Refuse, by_stem, files_under, keep_right, name_class, parse_number, tell_progress
from train.data.boxes import Box, BoxedPhoto, BoxSet, make_box, measure_photo
from train.data.class_names import CLASSES, read_data_path
from train.data.sides import find_side, list_folders

_IMAGES, _LABELS = "images", "labels"


@dataclass(frozen=True, slots=True)
class _Files:
    """What lies in one `images` and one `labels`, by path without suffix.

    Attributes:
        root: The folder of both.
        photos: Pictures of a format that is read.
        labels: Text files.
        unread: Pictures of other formats, where no photo has their name.
    """

    root: Path
    photos: Mapping[Path, Sequence[Path]]
    labels: Mapping[Path, Sequence[Path]]
    unread: Mapping[Path, Sequence[Path]]


def find_yolo_roots(data: Path) -> list[Path]:
    """Return the folders that have `images` and `labels`, among a folder and those in it."""
    inside = list_folders(data) if data.is_dir() else []
    return [root for root in (data, *inside) if (root / _IMAGES).is_dir() and (root / _LABELS).is_dir()]


def find_yolo_folder(data_yaml: Path) -> Path | None:
    """Return the YOLO folder that a `data.yaml` is about: the one that its `path` names, or else its own, if it is one.

    A `path` that is not absolute starts from the file's own folder.
    """
    own = data_yaml.parent
    folders = (own / (read_data_path(data_yaml) or ""), own)
    # A path of another computer may lead where this user must not look, and pathlib raises then.
    there = (folder for folder in folders if os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK))  # noqa: PTH112
    return next((folder for folder in there if find_yolo_roots(folder)), None)


def read_yolo(data: Path, roots: Sequence[Path], names: Mapping[str, str], refuse: Refuse) -> BoxSet:
    """Read a YOLO folder with these roots; names are by number, other arguments as for `list_boxes`."""
    photos: list[BoxedPhoto] = []
    unread: list[str] = []
    for files in map(_list_files, roots):
        _refuse_strays(data, files, refuse)
        photos.extend(_give_side(photo, data) for photo in _read_photos(data, files, names, refuse))
        alone = (path for stem, paths in files.unread.items() if stem not in files.labels for path in paths)
        unread.extend(path.relative_to(data).as_posix() for path in alone)
    unlabelled = [path for folder in _find_unlabelled(data, roots) for path in pictures_under(folder / _IMAGES)]
    unnamed = tuple(path.relative_to(data).as_posix() for path in unlabelled)
    return BoxSet(data, tuple(photos), unnamed=unnamed, unread=tuple(unread))


def _find_unlabelled(data: Path, roots: Sequence[Path]) -> list[Path]:
    """Return the sides that are published without their labels, as a test often is."""
    sides = [folder for folder in list_folders(data) if find_side(folder.name) and folder not in roots]
    return [folder for folder in sides if (folder / _IMAGES).is_dir()]


def keeps_validation_boxes(data: Path) -> bool:
    """Tell whether photos to validate on lie in a folder of their own: `valid/images`, or `images/valid`."""
    folders = [each for root in find_yolo_roots(data) for each in (root / _IMAGES, *list_folders(root / _IMAGES))]
    kept = (folder for folder in folders if _find_side(data, folder / "any") is Split.VALIDATION)
    return any(map(pictures_under, kept))


def _give_side(photo: BoxedPhoto, data: Path) -> BoxedPhoto:
    return replace(photo, side=_find_side(data, data / photo.image))


def _find_side(data: Path, photo: Path) -> Split | None:
    """Return what a photo serves for: by `train` in `images/train` or in `train/images`."""
    folders = photo.relative_to(data).parts[:-1]
    place = folders.index(_IMAGES)
    return find_side(*folders[place + 1 : place + 2], *folders[:place])


def _list_files(root: Path) -> _Files:
    images, labels = root / _IMAGES, root / _LABELS
    photos = by_stem(images, pictures_under(images))
    unread = by_stem(images, files_under(images, UNREAD_PHOTO_SUFFIXES))
    return _Files(
        root,
        photos,
        by_stem(labels, files_under(labels, {".txt"})),
        {stem: paths for stem, paths in unread.items() if stem not in photos},
    )


def _refuse_strays(data: Path, files: _Files, refuse: Refuse) -> None:
    """Refuse boxes without a photo."""
    for stem in sorted(files.labels.keys() - files.photos.keys()):
        for path in files.labels[stem]:
            if stem in files.unread:
                photo = files.unread[stem][0]
                message = f"{path} is about {photo}, which is of a format that is not read; save the photo as JPEG."
            else:
                message = f"{path} belongs to no photo under {files.root / 'images'}; add the photo or take it away."
            # Some tools keep the class names among the boxes.
            if path.name != CLASSES:
                refuse(path.relative_to(data).as_posix(), DataError(message))


def _read_photos(data: Path, files: _Files, names: Mapping[str, str], refuse: Refuse) -> Iterator[BoxedPhoto]:
    for stem, photos in tell_progress(files.photos.items()):
        labels = files.labels.get(stem, ())
        if labels and len(photos) + len(labels) > 2:
            first, second, *_ = photos if len(photos) > 1 else labels
            message = f"{first} and {second} differ in their suffix alone, so boxes could be of either; rename one."
            refuse(photos[0].relative_to(data).as_posix(), DataError(message))
        else:
            read = (_read_photo(data, photo, labels, names, refuse) for photo in photos)
            yield from (photo for photo in read if photo is not None)


def _read_photo(
    data: Path, photo: Path, labels: Sequence[Path], names: Mapping[str, str], refuse: Refuse
) -> BoxedPhoto | None:
    image = photo.relative_to(data).as_posix()
    try:
        size = measure_photo(photo)
        # By the format's convention a photo without a file, or with an empty one, shows no object.
        lines = [line for label in labels for line in _read_lines(label)]
    except DataError as error:
        refuse(image, error)
        return None
    makers = (partial(_read_box, where, words, names, size) for where, words in lines)
    kept = keep_right(image, makers, refuse)
    outlines = sum(is_outline for _, is_outline in kept)
    return BoxedPhoto(image, *size, tuple(box for box, _ in kept), outlines=outlines)


def _read_lines(path: Path) -> list[tuple[str, list[str]]]:
    """Return where each line that is not empty stands, for errors, and its words."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as YOLO text ({error}); export it again.") from error
    return [(f"{path}: box in line {number}", line.split()) for number, line in enumerate(lines, 1) if line.strip()]


def _read_box(where: str, words: list[str], names: Mapping[str, str], size: tuple[int, int]) -> tuple[Box, bool]:
    """Return a box, and whether it is the one around an outline."""
    is_outline = len(words) > 5 and len(words) % 2 == 1
    if len(words) != 5 and not is_outline:
        raise DataError(
            f"{where} has {len(words)} values, not 5 (class, centre x and y, width, height), nor an outline's (class, "
            "x and y of each corner); export boxes."
        )
    label = name_class(where, words[0], names)
    shares = [parse_number(where, word) for word in words[1:]]
    x_min, y_min, x_max, y_max = _enclose(shares) if is_outline else _span(*shares)
    across, down = size
    return make_box(where, label, (x_min * across, y_min * down, x_max * across, y_max * down), size), is_outline


def _span(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _enclose(outline: Sequence[float]) -> tuple[float, float, float, float]:
    points = np.reshape(outline, (-1, 2))
    # Python's own min and max may pass over what is no number.
    (x_min, y_min), (x_max, y_max) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x_min, y_min, x_max, y_max
