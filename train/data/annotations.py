"""What the readers of COCO, YOLO and Pascal VOC share: refusing what is wrong, measuring photos, naming classes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from edge_runtime.errors import DataError
from edge_runtime.pictures import sort_paths, visible_files
from train.data.boxes import measure_photo

Refuse = Callable[[str, DataError], None]
"""What is done about something wrong with a photo, given its path or file: raise it, or note it and go on."""

_Right = TypeVar("_Right")
_Item = TypeVar("_Item")


def keep_right(image: str, makers: Iterable[Callable[[], _Right]], refuse: Refuse) -> tuple[_Right, ...]:
    """Return what can be made of a photo's annotations, and refuse the others."""
    kept = []
    for make in makers:
        try:
            kept.append(make())
        except DataError as error:
            refuse(image, error)
    return tuple(kept)


def files_under(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the visible files in and below a folder that end in one of some suffixes, whatever the case, sorted."""
    return sort_paths(path for path in visible_files(folder) if path.suffix.lower() in suffixes and path.is_file())


def by_stem(folder: Path, paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return files by their path from a folder on, without suffix: photos and annotations are matched by it."""
    found: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.relative_to(folder).with_suffix("")].append(path)
    return dict(found)


def parse_number(where: str, text: str) -> float:
    """Return a number.

    Raises:
        DataError: It is none.
    """
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{where} has {text!r} where a number belongs; correct it or take the box away.") from error


def name_class(where: str, number: Any, names: Mapping[Any, str]) -> str:
    """Return a class's name.

    Raises:
        DataError: It has none.
    """
    if number not in names:
        raise DataError(f"{where} is of class {number}, which has no name; add it or take the box away.")
    return names[number]


def tell_progress(photos: Collection[_Item]) -> Iterator[_Item]:
    """Yield what photos are measured for, and show how far that is."""
    yield from tqdm(photos, desc="measuring", unit="photo", disable=None)


def measure(path: Path, folder: Path, image: str, said: tuple[Any, Any], refuse: Refuse) -> tuple[int, int] | None:
    """Measure a photo and hold it against the width and height that a file says; None where it was refused."""
    try:
        return _check_size(path, folder / image, said)
    except DataError as error:
        refuse(image, error)
        return None


def _check_size(path: Path, photo: Path, said: tuple[Any, Any]) -> tuple[int, int]:
    if not photo.is_file():
        raise DataError(
            f"{path} names {photo}, which is not there; add the photo, or name a COCO file's with --images."
        )
    size = measure_photo(photo)
    if _says_otherwise(said, size):
        raise DataError(
            f"{path} has boxes for {said[0]} x {said[1]} pixels, yet {photo} has {size[0]} x {size[1]}; give the "
            "photos that the boxes were drawn on, turned the same way."
        )
    return size


def _says_otherwise(said: tuple[Any, Any], size: tuple[int, int]) -> bool:
    """Compare as numbers, as some tools write 320.0; nothing said and 0 stand for unknown."""
    try:
        numbers = tuple(float(each or 0) for each in said)
    except (TypeError, ValueError, OverflowError):
        return True
    return all(numbers) and numbers != size
