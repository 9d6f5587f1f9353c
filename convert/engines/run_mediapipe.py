"""Runs a job on MediaPipe Tasks' image classifier or object detector; it needs nothing of edge-garment.

    python run_mediapipe.py FOLDER

`convert/engines/job.py` says what lies in the folder. The inputs become frames of the model's own size, so MediaPipe
has nothing to resize.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

NO_ANSWER = -1.0
"""Score of the rows behind the last answer, below any threshold."""


def main(folder: Path) -> None:
    """Answer each input of the job in the folder."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    inputs = np.fromfile(folder / "input.bin", np.uint8).reshape(-1, *job["shape"][1:])
    frames = [mp.Image(image_format=mp.ImageFormat.SRGB, data=image) for image in inputs]
    base = BaseOptions(model_asset_path=str(folder / "model.tflite"))
    outputs = detect(base, frames, job["detector"]) if job["detector"] else classify(base, frames)
    for index, output in enumerate(outputs):
        output.tofile(folder / f"output_{index}.bin")
    facts = {
        "version": f"mediapipe {mp.__version__}",
        "machine": platform.machine(),
        "outputs": [{"dtype": output.dtype.name, "shape": list(output.shape)} for output in outputs],
    }
    (folder / "result.json").write_text(json.dumps(facts), encoding="utf-8")


def classify(base: BaseOptions, frames: "list[mp.Image]") -> "list[np.ndarray]":
    """Return (frames, labels) float32 scores of each head."""
    with vision.ImageClassifier.create_from_options(vision.ImageClassifierOptions(base_options=base)) as classifier:
        answers = [[scores(head) for head in classifier.classify(frame).classifications] for frame in frames]
    return [np.stack(head) for head in zip(*answers)]  # noqa: B905 - Python 3.9 has no `strict`


def scores(head: "mp.tasks.components.containers.Classifications") -> "np.ndarray":
    """Return a head's (labels,) float32 scores in the order of its labels."""
    ranked = sorted(head.categories, key=lambda category: category.index)
    return np.array([category.score for category in ranked], np.float32)


def detect(base: BaseOptions, frames: "list[mp.Image]", detector: "dict[str, Any]") -> "list[np.ndarray]":
    """Return a detector's outputs as its file has them, each (frames, ...) float32, boxes in whole pixels."""
    options = vision.ObjectDetectorOptions(base_options=base, score_threshold=0.0)
    with vision.ObjectDetector.create_from_options(options) as task:
        answers = [rows(task.detect(frame), frame, detector) for frame in frames]
    kinds = {
        "location": np.stack([each[:, 2:] for each in answers]),
        "category": np.stack([each[:, 0] for each in answers]),
        "score": np.stack([each[:, 1] for each in answers]),
        "number of detections": np.full(len(frames), detector["rows"], np.float32),
    }
    places = detector["places"]
    return [kinds[kind] for kind in sorted(places, key=places.get)]


def rows(result: Any, frame: "mp.Image", detector: "dict[str, Any]") -> "np.ndarray":
    """Return (rows, 6) float32 of one frame: label, score, y_min, x_min, y_max and x_max as shares of the frame."""
    found = np.zeros((detector["rows"], 6), np.float32)
    found[:, 1] = NO_ANSWER
    answers = [(each.bounding_box, category) for each in result.detections for category in each.categories]
    for row, (box, category) in zip(found, answers):  # noqa: B905 - Python 3.9 has no `strict`
        y_max, x_max = box.origin_y + box.height, box.origin_x + box.width
        corners = np.array([box.origin_y, box.origin_x, y_max, x_max], np.float32)
        row[:2] = detector["labels"].index(category.category_name), category.score
        row[2:] = corners / np.array([frame.height, frame.width] * 2, np.float32)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
