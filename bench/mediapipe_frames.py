"""How differently does MediaPipe Tasks answer frames that are not of the model's size?

It scales them by itself, without the halving that `edge_runtime` begins with. It needs an environment of its own:

    python -m venv .venv-mediapipe
    .venv-mediapipe/bin/pip install mediapipe==1.2.2 ai-edge-litert click tqdm
    PYTHONPATH=. .venv-mediapipe/bin/python bench/mediapipe_frames.py MODEL.tflite FOLDER... --times 4

Photos are enlarged so many times first, as a stand-in for larger cameras. Printed is on how many photos both say the
same from the file's threshold on: the best label of a classifier, or all labels of a detector.
"""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from tqdm import tqdm

from edge_runtime import Recognizer, Task, read_picture
from edge_runtime.pictures import pictures_under
from edge_runtime.preprocess import Image

Answers = list[tuple[str, float]]
"""Labels and scores from the threshold on, best first."""


def main() -> None:
    """Compare on the photos of the folders named on the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--times", type=int, default=1, help="enlarge so many times")
    parser.add_argument("--every", type=int, default=1, help="take each n-th photo only")
    arguments = parser.parse_args()
    photos = [photo for folder in arguments.folders for photo in pictures_under(folder)][:: arguments.every]
    recognizer = Recognizer.load(arguments.model, threads=1)
    classifies = recognizer.spec.task is Task.CLASSIFICATION
    same, differences = 0, []
    with ExitStack() as tasks:
        ask = (
            _open_classifier(recognizer, tasks, arguments.model)
            if classifies
            else _open_detector(recognizer, tasks, arguments.model)
        )
        for photo in tqdm(photos, "asking", unit="photo", disable=None):
            image = _enlarge(read_picture(photo), arguments.times)
            ours, theirs = _ask_ours(recognizer, image), ask(image)
            same += sorted(label for label, _ in ours) == sorted(label for label, _ in theirs)
            differences += [abs(ours[0][1] - theirs[0][1])] if ours and theirs and ours[0][0] == theirs[0][0] else []
    print(f"{len(photos)} photos, {arguments.times} times their size: the same on {same}")
    print(
        f"best score, where both say it of the same label: largest difference {max(differences, default=0):.2f}, "
        f"above 0.1 on {sum(each > 0.1 for each in differences)} of {len(differences)}"
    )


def _enlarge(image: Image, times: int) -> Image:
    if times == 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def _ask_ours(recognizer: Recognizer, image: Image) -> Answers:
    answer = recognizer.recognize(image, top_k=1)
    return [(each.label, each.score) for each in answer.classifications or answer.detections or ()]


def _open_classifier(recognizer: Recognizer, tasks: ExitStack, model: Path) -> Callable[[Image], Answers]:
    base = BaseOptions(model_asset_path=str(model))
    task = vision.ImageClassifier.create_from_options(vision.ImageClassifierOptions(base_options=base, max_results=1))
    tasks.callback(task.close)
    return lambda image: [_name(each) for each in task.classify(_wrap(image)).classifications[0].categories]


def _open_detector(recognizer: Recognizer, tasks: ExitStack, model: Path) -> Callable[[Image], Answers]:
    assert recognizer.spec.detection is not None
    base, threshold = BaseOptions(model_asset_path=str(model)), recognizer.spec.detection.threshold
    options = vision.ObjectDetectorOptions(base_options=base, score_threshold=threshold)
    task = vision.ObjectDetector.create_from_options(options)
    tasks.callback(task.close)
    return lambda image: [_name(each.categories[0]) for each in task.detect(_wrap(image)).detections]


def _wrap(image: Image) -> mp.Image:
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def _name(category: Any) -> tuple[str, float]:
    return category.category_name, category.score


if __name__ == "__main__":
    main()
