"""From a data set of single garments to one of scenes with boxes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_runtime.files import check_fresh
from edge_runtime.training_run import Split
from train.compositing.backgrounds import Backgrounds, find_pictures
from train.compositing.garments import collect_garments
from train.compositing.layouts import Wardrobe
from train.compositing.scenes import Scene, compose_scene
from train.compositing.writing import write_scenes
from train.data.kept_sides import take_training
from train.data.photos import Columns, PhotoSet, read_photos
from train.data.renames import check_renames
from train.data.split_file import read_splits


@dataclass(frozen=True, slots=True)
class ComposeOptions:
    """The arguments of a composition.

    Attributes:
        data: Folder per class, or CSV file, of photos of single garments.
        images: Folder that the CSV file's paths start from; None finds it.
        columns: Columns of the CSV file.
        splits: Split file over the same photos, of which the training photos alone are used; None uses all.
        renames: Class of the scenes by class of the data; empty for classes to leave out.
        backgrounds: Folder of the user's pictures; None for none.
        scenes: How many.
        width: Of the scenes, in pixels.
        height: Of the scenes, in pixels.
        seed: Source of all choices.
    """

    data: Path
    images: Path | None
    columns: Columns
    splits: Path | None
    renames: Mapping[str, str]
    backgrounds: Path | None
    scenes: int
    width: int
    height: int
    seed: int


def compose_scenes(options: ComposeOptions, output: Path) -> Mapping[str, int]:
    """Write scenes as `write_scenes` does, and return the number of boxes by class.

    Raises:
        DataError: The photos, the split or the backgrounds cannot be read or do not fit together, or no garment can
            be cut out.
        OutputError: The folder is not empty, or a file cannot be written.
    """
    check_fresh(output, "scenes of two runs")
    pictures = find_pictures(options.backgrounds) if options.backgrounds else ()
    size = options.height, options.width
    garments = collect_garments(choose_photos(options), size)
    wardrobe = Wardrobe(garments)
    backgrounds = Backgrounds(pictures, [each.photo for each in garments], size)

    def compose(number: int) -> Scene:
        return compose_scene(wardrobe, backgrounds, np.random.default_rng((options.seed, number)))

    return write_scenes(compose, options.scenes, wardrobe.labels, output)


def choose_photos(options: ComposeOptions) -> PhotoSet:
    """Return the photos to cut garments out of, with their classes renamed.

    Raises:
        DataError: The photos or the split cannot be read, or a class to rename is not there.
    """
    photo_set = read_photos(options.data, options.columns, options.images)
    check_renames(options.data, photo_set.labels, options.renames)
    photos = photo_set.photos
    if options.splits is not None:
        rows = read_splits(options.splits, photo_set)
        photos = tuple(photo for photo, row in zip(photos, rows, strict=True) if row.split is Split.TRAIN)
    elif photo_set.lies_divided:
        photos = take_training(photo_set)
    renamed = (replace(photo, label=options.renames.get(photo.label, photo.label)) for photo in photos)
    return PhotoSet(photo_set.images, tuple(photo for photo in renamed if photo.label))
