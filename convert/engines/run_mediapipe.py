"""Runs a job on MediaPipe Tasks' image classifier; it needs nothing of edge-garment.

    python run_mediapipe.py FOLDER

`convert/engines/job.py` says what lies in the folder. The inputs become frames of the model's own size, so MediaPipe
has nothing to resize.
"""

import json
import platform
import sys
from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision


def main(folder: Path) -> None:
    """Answer each input of the job in the folder."""
    shape = json.loads((folder / "job.json").read_text(encoding="utf-8"))["shape"]
    inputs = np.fromfile(folder / "input.bin", np.uint8).reshape(-1, *shape[1:])
    base = BaseOptions(model_asset_path=str(folder / "model.tflite"))
    answers = []
    with vision.ImageClassifier.create_from_options(vision.ImageClassifierOptions(base_options=base)) as classifier:
        for image in inputs:
            frame = mp.Image(image_format=mp.ImageFormat.SRGB, data=image)
            answers.append([scores(head) for head in classifier.classify(frame).classifications])
    outputs = [np.stack(head) for head in zip(*answers)]  # noqa: B905 - Python 3.9 has no `strict`
    for index, output in enumerate(outputs):
        output.tofile(folder / f"output_{index}.bin")
    facts = {
        "version": f"mediapipe {mp.__version__}",
        "machine": platform.machine(),
        "outputs": [{"dtype": output.dtype.name, "shape": list(output.shape)} for output in outputs],
    }
    (folder / "result.json").write_text(json.dumps(facts), encoding="utf-8")


def scores(head: "mp.tasks.components.containers.Classifications") -> "np.ndarray":
    """Return a head's (labels,) float32 scores in the order of its labels."""
    ranked = sorted(head.categories, key=lambda category: category.index)
    return np.array([category.score for category in ranked], np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
