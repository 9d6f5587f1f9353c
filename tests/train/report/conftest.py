"""Finished runs with known answers, written by hand: nothing is trained."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun
from train.evaluation.predictions import Predictions

LABELS = ("hat", "shirt")
METRICS = """phase,epoch,loss,learning_rate,validation_top1,validation_macro,seconds
head,1,1.5,0.001,0.5,0.5,30
body,1,0.9,0.0005,0.75,0.75,60
body,2,0.8,0.0,0.5,0.5,60
"""

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(
        name: str = "run",
        scores: Sequence[float] = (0.9, 0.6, 0.2, 0.7),
        prefix: str = "",
        labels: Sequence[str] = ("hat", "hat", "shirt", "shirt"),
        **arguments: object,
    ) -> Path:
        """Write a run of validation photos whose first score, that of `hat`, is given for each.

        By default the photos 0, 1 and 2 are answered rightly and photo 3 is not.
        """
        run = TrainingRun(tmp_path / name)
        images = tmp_path / "photos"
        rows = [
            SplitRow(f"{prefix}{index}.png", label, f"sender {index // 2}", Split.VALIDATION, f"hash {index}")
            for index, label in enumerate(labels)
        ]
        run.write_splits([*rows, SplitRow("t.png", "hat", "t", Split.TRAIN, "hash t")])
        run.write_arguments({"images": str(images), "architecture": "mobilenet_v2", "weights": "a/b.npz", **arguments})
        (run.path / "environment.json").write_text(json.dumps({"python": "3.11.7", "packages": {"keras": "3.15"}}))
        (run.path / "metrics.csv").write_text(METRICS)
        targets = np.array([LABELS.index(label) for label in labels])
        both = np.array([[score, 1 - score] for score in scores], np.float32)
        Predictions(LABELS, tuple(row.image for row in rows), targets, both).write(run.path / "predictions.csv")
        size = InputSpec(32, 32, (127.5,) * 3, (127.5,) * 3)
        run.write_spec(ModelSpec("tiny", "1", size, (HeadSpec("garment", LABELS),)))
        return run.path

    return make


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The photos of the runs that `make_run` makes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((30, 40, 3), 60 * index, np.uint8))
    return folder


@pytest.fixture
def make_detector_run(tmp_path: Path) -> MakeRun:
    def make(name: str = "run", shift: float = 0.0, photos: int = 8, width: int = 20, **arguments: object) -> Path:
        """Write a run of photos with a hat of 20 x 20 pixels each, found as far to the right of it as is said.

        Every other photo's hat is missed.
        """
        run = TrainingRun(tmp_path / name)
        images = [f"{index}.png" for index in range(photos)]
        run.write_splits([SplitRow(image, "hat", image, Split.VALIDATION, f"hash {image}") for image in images])
        run.write_arguments({"images": str(tmp_path), "architecture": "mobilenet_v2", "layout": {}, **arguments})
        (run.path / "environment.json").write_text("{}")
        (run.path / "metrics.csv").write_text(
            "phase,epoch,loss,learning_rate,validation_map,validation_map50,seconds\nbody,1,0.9,0.0,0.5,0.5,60\n"
        )
        truth = [{"image_id": number, "category_id": 1, "bbox": [10, 10, width, 20]} for number in range(photos)]
        found = [{**each, "bbox": [10 + shift, 10, width, 20], "score": 0.9} for each in truth[::2]]
        validation = {
            "images": [{"id": number, "file_name": image} for number, image in enumerate(images)],
            "categories": [{"id": 1, "name": "hat"}],
            "annotations": truth,
        }
        for file, content in (("validation.json", validation), ("predictions.json", found), ("scores.json", {})):
            (run.path / file).write_text(json.dumps(content))
        size = InputSpec(32, 32, (127.5,) * 3, (127.5,) * 3)
        run.write_spec(ModelSpec("tiny", "1", size, (), detection=DetectionSpec(("hat",))))
        return run.path

    return make
