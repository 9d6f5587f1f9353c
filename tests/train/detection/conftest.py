"""Drawn scenes with known boxes, and a detector trained on them."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge_runtime.training_run import TrainingRun
from train.cli import main

LABELS = ("disc", "square")
SIZE = 64

MakeScenes = Callable[..., Path]
SmallBodyIn = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def make_scenes(tmp_path_factory: pytest.TempPathFactory) -> MakeScenes:
    """Write a COCO data set of scenes: blue discs and red squares on grey noise."""

    def make(
        name: str = "scenes", count: int = 8, empty: int = 0, seed: int = 0, labels: tuple[str, ...] = LABELS
    ) -> Path:
        folder = tmp_path_factory.mktemp(name)
        (folder / "images").mkdir()
        random = np.random.default_rng(seed)
        content: dict[str, list[dict[str, object]]] = {
            "images": [],
            "annotations": [],
            "categories": [{"id": number, "name": label} for number, label in enumerate(labels)],
        }
        for number in range(count + empty):
            image = random.integers(100, 156, (80, 96, 3), np.uint8)
            for category in range(len(labels) if number < count else 0):
                box = _draw(image, category, random)
                annotation = {
                    "id": len(content["annotations"]),
                    "image_id": number,
                    "category_id": category,
                    "bbox": box,
                }
                content["annotations"].append(annotation)
            cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
            content["images"].append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 80})
        (folder / "instances.json").write_text(json.dumps(content))
        return folder / "instances.json"

    return make


def _draw(image: np.ndarray, category: int, random: np.random.Generator) -> list[int]:
    """Draw one object into its half of the picture, so that none hides another, and return its COCO box."""
    side = int(random.integers(24, 40))
    left = 48 * category + int(random.integers(0, 48 - side))
    top = int(random.integers(0, 80 - side))
    if category == 0:
        radius = side // 2
        cv2.circle(image, (left + radius, top + radius), radius, (220, 40, 20), -1)
        return [left, top, 2 * radius + 1, 2 * radius + 1]
    cv2.rectangle(image, (left, top), (left + side - 1, top + side - 1), (20, 30, 210), -1)
    return [left, top, side, side]


@pytest.fixture(scope="session")
def detector_run(
    make_scenes: MakeScenes, small_body_in: SmallBodyIn, tmp_path_factory: pytest.TempPathFactory
) -> TrainingRun:
    """A finished run on ten scenes, two of them empty, made by the command a user types."""
    pytest.importorskip("keras", reason="needs the train extra")
    path = tmp_path_factory.mktemp("runs") / "run"
    with small_body_in("mobilenet_v2") as body:
        command = (
            f"detect {make_scenes(empty=2)} -o {path} --architecture {body} --weights none --image-size {SIZE} "
            "--no-fpn --head ssd --batch-size 4 --head-epochs 1 --epochs 1 --ema 0.5 --frozen-share 0.3 "
            "--validation-share 0.25"
        )
        result = CliRunner().invoke(main, command.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return TrainingRun(path)
