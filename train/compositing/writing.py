"""Writing composed scenes as a COCO data set."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from edge_runtime.annotate import draw_box
from edge_runtime.files import write_bytes, write_text
from edge_runtime.preprocess import Image
from train.compositing.scenes import Scene, SceneBox
from train.data.coco import COMPOSED

_QUALITY = 92
_PREVIEWED = 24
_PREVIEW_COLUMNS = 6
_PREVIEW_HEIGHT = 400
_AHEAD = 16
"""Scenes composed before they are written: all at once would not fit into memory."""


def write_scenes(compose: Callable[[int], Scene], count: int, labels: Sequence[str], output: Path) -> Mapping[str, int]:
    """Compose scenes and write them: `images/`, `instances.json` in the format of COCO, and `preview.jpg`.

    Args:
        compose: Makes the scene of a number; called by several threads.
        count: How many scenes.
        labels: Class names in the order of their COCO numbers, which start at 1.
        output: Folder without scenes of another run.

    Returns:
        Number of boxes by class.

    Raises:
        DataError: A background cannot be read.
        OutputError: A file cannot be written.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    previews: list[Image] = []
    for number, scene in enumerate(tqdm(_compose_all(compose, count), "composing", count, unit="scene", disable=None)):
        name = f"{number:06d}.jpg"
        write_bytes(output / "images" / name, _encode(scene.image))
        height, width = scene.image.shape[:2]
        images.append({"id": number + 1, "file_name": name, "width": width, "height": height, COMPOSED: True})
        for box in scene.boxes:
            annotations.append(_annotation(len(annotations) + 1, number + 1, labels.index(box.label) + 1, box))
        if number < _PREVIEWED:
            previews.append(_preview(scene))
    categories = [{"id": number, "name": label} for number, label in enumerate(labels, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_bytes(output / "preview.jpg", _encode(_tile(previews)))
    write_text(output / "instances.json", json.dumps(content, ensure_ascii=False) + "\n")
    return Counter(labels[annotation["category_id"] - 1] for annotation in annotations)


def _compose_all(compose: Callable[[int], Scene], count: int) -> Iterator[Scene]:
    """Yield scenes in order, composed by as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, count, _AHEAD):
            yield from pool.map(compose, range(first, min(first + _AHEAD, count)))


def _annotation(number: int, image: int, category: int, box: SceneBox) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [box.left, box.top, box.width, box.height],
        "area": box.area,
        "iscrowd": 0,
    }


def _encode(image: Image) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _preview(scene: Scene) -> Image:
    scale = _PREVIEW_HEIGHT / scene.image.shape[0]
    width = max(round(scene.image.shape[1] * scale), 1)
    shown = np.asarray(cv2.resize(scene.image, (width, _PREVIEW_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    for box in scene.boxes:
        corners = (box.left, box.top, box.left + box.width, box.top + box.height)
        left, top, right, bottom = (scale * corner for corner in corners)
        draw_box(shown, (left, top, right, bottom), box.label)
    return shown


def _tile(pictures: Sequence[Image]) -> Image:
    """Return pictures of one size in rows, as many in each."""
    blank = np.full_like(pictures[0], 255)
    padded = [*pictures, *[blank] * (-len(pictures) % _PREVIEW_COLUMNS)]
    rows = [np.hstack(padded[at : at + _PREVIEW_COLUMNS]) for at in range(0, len(padded), _PREVIEW_COLUMNS)]
    return np.vstack(rows)
