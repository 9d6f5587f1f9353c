"""Prints what MediaPipe Tasks says about pictures, to compare with what edge-run says.

MediaPipe pins other versions than TensorFlow, so it needs its own environment:

    python -m venv .venv-mediapipe
    .venv-mediapipe/bin/pip install mediapipe==1.2.2
    .venv-mediapipe/bin/python bench/check_mediapipe.py MODEL.tflite PICTURE...

Each picture gives one JSON line: from a classifier MediaPipe's labels and scores, best first, by output of the model;
from a detector (`--detector`) labels, scores and boxes in pixels. Nothing of edge-garment is imported: labels,
normalisation and thresholds come from the model file through MediaPipe's own code.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision


def main() -> None:
    """Classify the pictures named on the command line."""
    parser = argparse.ArgumentParser(description="Print MediaPipe's labels and scores as JSON lines.")
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--detector", action="store_true", help="the model finds boxes")
    parser.add_argument("--threshold", type=float, default=0.0, help="least score of a box")
    arguments = parser.parse_args()
    base = BaseOptions(model_asset_path=str(arguments.model))
    with open_detector(base, arguments.threshold) if arguments.detector else open_classifier(base) as task:
        answer = detect if arguments.detector else classify
        for picture in arguments.pictures:
            print(json.dumps({"picture": str(picture), **answer(task, picture)}), flush=True)


def open_classifier(base: BaseOptions) -> vision.ImageClassifier:
    """Open the model as MediaPipe's image classifier."""
    return vision.ImageClassifier.create_from_options(vision.ImageClassifierOptions(base_options=base, max_results=5))


def open_detector(base: BaseOptions, threshold: float) -> vision.ObjectDetector:
    """Open the model as MediaPipe's object detector; in version 1.2.2 the file's own threshold is never used."""
    options = vision.ObjectDetectorOptions(base_options=base, score_threshold=threshold)
    return vision.ObjectDetector.create_from_options(options)


def classify(classifier: vision.ImageClassifier, picture: Path) -> dict[str, Any]:
    """Return, per output of the model, up to five labels with scores in [0, 1]."""
    result = classifier.classify(mp.Image.create_from_file(str(picture)))
    heads = {
        head.head_name: [{"label": each.category_name, "score": each.score} for each in head.categories]
        for head in result.classifications
    }
    return {"heads": heads}


def detect(detector: vision.ObjectDetector, picture: Path) -> dict[str, Any]:
    """Return the boxes as (x_min, y_min, x_max, y_max) in pixels, with label and score in [0, 1]."""
    result = detector.detect(mp.Image.create_from_file(str(picture)))
    return {"detections": [describe(detection) for detection in result.detections]}


def describe(detection: Any) -> dict[str, Any]:
    """Return one of MediaPipe's detections as JSON-ready values."""
    box, best = detection.bounding_box, detection.categories[0]
    corners = [box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height]
    return {"label": best.category_name, "score": best.score, "box": corners}


if __name__ == "__main__":
    main()
