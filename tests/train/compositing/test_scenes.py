from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.preprocess import Image
from train.compositing.backgrounds import Backgrounds
from train.compositing.garments import collect_garments
from train.compositing.layouts import Wardrobe
from train.compositing.scenes import SceneBox, compose_scene
from train.data import Columns, find_photos


class GreyBackgrounds(Backgrounds):
    def pick(self, random: np.random.Generator) -> Image:
        return np.full((*self.size, 3), 140, np.uint8)


def find_hue(image: Image, hue: float) -> SceneBox:
    """Return the box of the colourful pixels of a hue in [0, 1)."""
    hues, saturation, _ = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    away = np.abs((hues.astype(int) - round(180 * hue) + 90) % 180 - 90)
    found = ((away < 15) & (saturation > 110)).astype(np.uint8)
    return SceneBox("", *cv2.boundingRect(found), int(found.sum()))


def join(boxes: list[SceneBox]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what holds all boxes."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    return left, top, max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)


def test_boxes_hold_what_is_visible_of_each_class(plain_photos: Path, hues: dict[str, float]) -> None:
    """Each class has a hue, so its pixels can be found again."""
    garments = collect_garments(find_photos(plain_photos, Columns()))
    assert len(garments) == 16
    backgrounds = GreyBackgrounds((), (), (320, 240))
    classes, differences = set(), []
    for seed in range(25):
        scene = compose_scene(Wardrobe(garments), backgrounds, np.random.default_rng(seed))
        assert scene.image.shape == (320, 240, 3)
        for label, hue in hues.items():
            boxes = [box for box in scene.boxes if box.label == label]
            found = find_hue(scene.image, hue)
            if not boxes:
                # What has no box is not in the picture, however little of it there was.
                assert found.area < 20
                continue
            classes.add(label)
            differences.append(np.abs(np.subtract(join(boxes), join([found]))))
            assert sum(box.area for box in boxes) == pytest.approx(found.area, rel=0.2)
    assert classes == set(hues)
    # A sliver that looks out from behind another garment is too thin to have much of its hue.
    assert np.max(differences) <= 12
    assert np.percentile(differences, 95) <= 2
