"""Reading boxes from Pascal VOC folders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from edge_runtime.errors import DataError
from edge_runtime.pictures import PICTURE_SUFFIXES, pictures_under
from train.data.annotations import Refuse, by_stem, files_under, keep_right, measure, parse_number, tell_progress
from train.data.boxes import Box, BoxedPhoto, BoxSet, make_box

VOC_BOXES, VOC_PHOTOS = "Annotations", "JPEGImages"
_OTHER_PHOTOS = "images"
"""What Label Studio calls the folder of the photos."""


@dataclass(frozen=True, slots=True)
class _Annotation:
    """A file, its content, and the photo that it is about."""

    path: Path
    root: ElementTree.Element
    photo: Path


def read_voc(data: Path, refuse: Refuse) -> BoxSet:
    """Read a Pascal VOC folder and the folders below it; arguments as for `list_boxes`."""
    folder = _find_folder(data)
    photos = by_stem(folder, pictures_under(folder))
    annotations, broken = _read_files(data / VOC_BOXES, folder, photos, refuse)
    named = {annotation.photo for annotation in annotations}
    # Of a photo whose own file is refused, enough is said.
    unnamed = [photo for stem, each in photos.items() if stem not in broken for photo in each if photo not in named]
    read = tuple(_read_photos(folder, annotations, refuse))
    return BoxSet(folder, read, unnamed=tuple(photo.relative_to(folder).as_posix() for photo in sorted(unnamed)))


def _find_folder(data: Path) -> Path:
    usual, other = data / VOC_PHOTOS, data / _OTHER_PHOTOS
    return other if other.is_dir() and not usual.is_dir() else usual


def _read_files(
    boxes: Path, folder: Path, photos: Mapping[Path, Sequence[Path]], refuse: Refuse
) -> tuple[list[_Annotation], set[Path]]:
    """Return what is right, and the paths, without suffix, of the files that are refused."""
    annotations: dict[Path, _Annotation] = {}
    broken: set[Path] = set()
    for stem, paths in by_stem(boxes, files_under(boxes, {".xml"})).items():
        for path in paths:
            try:
                root = _parse_xml(path)
                photo = _find_photo(path, stem, _text(path, root, "filename"), folder, photos)
                _refuse_second(annotations.setdefault(photo, _Annotation(path, root, photo)), path)
            except DataError as error:
                refuse(path.relative_to(boxes).as_posix(), error)
                broken.add(stem)
    return list(annotations.values()), broken


def _refuse_second(first: _Annotation, path: Path) -> None:
    if first.path != path:
        raise DataError(
            f"{first.path} and {path} are both about {first.photo}; put all of its boxes into one, and move the other "
            f"out of {VOC_BOXES}."
        )


def _find_photo(path: Path, stem: Path, filename: str, folder: Path, photos: Mapping[Path, Sequence[Path]]) -> Path:
    """Return the photo that a file names, or else the one that is called as the file is.

    A photo and its file are renamed, copied and converted more often than what stands in the file.
    """
    name = Path(filename.replace("\\", "/"))
    places = (_stay_inside(folder, beginning, name) for beginning in (folder / stem.parent, folder))
    exact = [place for place in places if place.is_file()][:1]
    own = photos.get(stem, ())
    bare = name.stem if name.suffix.lower() in PICTURE_SUFFIXES else name.name
    others = [photo for photo in exact or photos.get(stem.parent / bare, ()) if photo not in own]
    if own and others:
        raise DataError(
            f"{path} names {others[0]}, yet {own[0]} is called as it is; see which of them its boxes were drawn on, "
            "and correct its filename or rename it."
        )
    found = exact or own
    if not found:
        raise DataError(f"{path} names {name}, which is not in {folder}, nor is a photo called as it is; add it.")
    if len(found) > 1:
        raise DataError(
            f"{path} names {name}, which is not in {folder}, and both {own[0]} and {own[1]} are called as it is; "
            "correct its filename."
        )
    return found[0]


def _stay_inside(folder: Path, beginning: Path, name: Path) -> Path:
    """Return a path within a folder; of one that leads out of it, maybe to another copy, the last part counts."""
    try:
        inside = Path(os.path.relpath(beginning / name, folder))
    except ValueError:
        # It is on another drive of Windows.
        return beginning / name.name
    return beginning / name.name if ".." in inside.parts else folder / inside


def _read_photos(folder: Path, annotations: Sequence[_Annotation], refuse: Refuse) -> Iterator[BoxedPhoto]:
    for each in tell_progress(annotations):
        image = each.photo.relative_to(folder).as_posix()
        said = each.root.findtext("size/width"), each.root.findtext("size/height")
        size = measure(each.path, folder, image, said, refuse)
        if size is not None:
            objects = enumerate(each.root.findall("object"), 1)
            makers = (partial(_read_box, each.path, number, element, size) for number, element in objects)
            yield BoxedPhoto(image, *size, keep_right(image, makers, refuse))


def _read_box(path: Path, number: int, element: ElementTree.Element, size: tuple[int, int]) -> Box:
    where = f"{path}: box {number}"
    label = _text(path, element, "name")
    corners = (_text(path, element, f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax"))
    x_min, y_min, x_max, y_max = (parse_number(where, corner) for corner in corners)
    # VOC counts pixels from 1, and the last pixel belongs to the box.
    return make_box(where, label, (x_min - 1, y_min - 1, x_max, y_max), size)


class _PlainTreeBuilder(ElementTree.TreeBuilder):
    """Refuses a document type, the only place where entities can be declared."""

    def doctype(self, *_: str | None) -> None:
        raise ValueError("it declares a document type")


def _parse_xml(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path, ElementTree.XMLParser(target=_PlainTreeBuilder())).getroot()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise DataError(f"{path} cannot be read as Pascal VOC ({error}); export it again.") from error


def _text(path: Path, element: ElementTree.Element, name: str) -> str:
    text = (element.findtext(name) or "").strip()
    if not text:
        raise DataError(f"{path} is no Pascal VOC annotation: its {element.tag} has no {name}; export it again.")
    return text
