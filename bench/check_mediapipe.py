"""Prints what MediaPipe Tasks says about pictures, to compare with what edge-run says.

MediaPipe pins other versions than TensorFlow, so it needs its own environment:

    python -m venv .venv-mediapipe
    .venv-mediapipe/bin/pip install mediapipe==1.2.2
    .venv-mediapipe/bin/python bench/check_mediapipe.py MODEL.tflite PICTURE...

Each picture gives one JSON line with MediaPipe's labels and scores, best first, by output of the model. Nothing of
edge-garment is imported: labels, normalisation and thresholds come from the model file through MediaPipe's own code.
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
    arguments = parser.parse_args()
    base = BaseOptions(model_asset_path=str(arguments.model))
    options = vision.ImageClassifierOptions(base_options=base, max_results=5)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for picture in arguments.pictures:
            print(json.dumps(classify(classifier, picture)), flush=True)


def classify(classifier: vision.ImageClassifier, picture: Path) -> dict[str, Any]:
    """Return the picture's name and, per output of the model, up to five labels with scores in [0, 1]."""
    result = classifier.classify(mp.Image.create_from_file(str(picture)))
    heads = {
        head.head_name: [{"label": each.category_name, "score": each.score} for each in head.categories]
        for head in result.classifications
    }
    return {"picture": str(picture), "heads": heads}


if __name__ == "__main__":
    main()
