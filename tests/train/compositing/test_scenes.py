from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.preprocess import Image
from train.compositing.backgrounds import Backgrounds
from train.compositing.garments import Garment, collect_garments
from train.compositing.layouts import Placement, Wardrobe
from train.compositing.painting import View, look
from train.compositing.scenes import SceneBox, compose_scene
from train.data.photos import Columns, find_photos

DrawPhoto = Callable[[str, int], Image]
_SIZE = (320, 240)


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
    garments = collect_garments(find_photos(plain_photos, Columns()), _SIZE)
    assert len(garments) == 16
    backgrounds = GreyBackgrounds((), (), _SIZE)
    classes, differences = set(), []
    for seed in range(25):
        scene = compose_scene(Wardrobe(garments), backgrounds, np.random.default_rng(seed))
        assert scene.image.shape == (*_SIZE, 3)
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


def test_of_large_photos_no_more_is_kept_than_a_scene_shows(plain_photos: Path, draw_photo: DrawPhoto) -> None:
    cv2.imwrite(str(plain_photos / "shirt" / "0.png"), cv2.resize(draw_photo("shirt", 0), (900, 1200)))
    garments = {each.photo: each for each in collect_garments(find_photos(plain_photos, Columns()), (160, 120))}
    large, small = (garments[plain_photos / "shirt" / name] for name in ("0.png", "1.png"))
    # Of twice the scene's height and of the photo's own.
    assert large.height == pytest.approx(small.height * 320 / 128, rel=0.03)
    assert large.decode().shape == (large.height, large.width, 4)


def test_a_thing_too_thin_to_be_seen_is_no_crash() -> None:
    encoded = cv2.imencode(".png", np.full((200, 4, 4), 255, np.uint8))[1].tobytes()
    placement = Placement(Garment("tie", Path("a.png"), encoded, 4, 200), x=0.0, y=30.0, scale=0.2, angle=0.0)
    layer = look(placement, View(0.1, 32.0, 0.0, (64, 64)), np.random.default_rng(0))
    assert layer.alpha.shape == (64, 64)
