"""MediaPipe's image classifier on every frame of a video, as in its samples; runs where mediapipe is installed.

Arguments: MODEL VIDEO THREADS FRAMES WARM_UP STARTED_S. MediaPipe chooses its threads by itself, and its results come
as objects, which are written as lines like everybody's.
"""

import json
import sys

import cv2
import mediapipe as mp
from figures import Stopwatch, endless_frames
from mediapipe.tasks.python import BaseOptions, vision

_TOP = 3
_FRAME_MS = 33


def main() -> None:
    """Answer the frames."""
    model, video, _, frames, warm_up, started_s = sys.argv[1:]
    stopwatch = Stopwatch(float(started_s), int(warm_up))
    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=model), running_mode=vision.RunningMode.VIDEO, max_results=_TOP
    )
    with (
        vision.ImageClassifier.create_from_options(options) as classifier,
        open("/dev/null", "w") as lines,  # noqa: PTH123
    ):
        for index, frame in zip(range(int(frames) + int(warm_up)), endless_frames(video), strict=False):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            result = classifier.classify_for_video(image, index * _FRAME_MS)
            best = result.classifications[0].categories
            lines.write(json.dumps([[each.category_name, each.score] for each in best]) + "\n")
            stopwatch.tick()
        stopwatch.report()


main()
