"""Read, resize, invoke, one after the other: the loop of the samples of LiteRT and pycoral, without their windows.

Arguments: MODEL VIDEO THREADS FRAMES WARM_UP STARTED_S.
"""

import json
import sys

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from figures import Stopwatch, endless_frames

_TOP = 3


def main() -> None:
    """Answer the frames."""
    model, video, threads, frames, warm_up, started_s = sys.argv[1:]
    stopwatch = Stopwatch(float(started_s), int(warm_up))
    interpreter = Interpreter(model_path=model, num_threads=int(threads))
    interpreter.allocate_tensors()
    entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    _, height, width, _ = entry["shape"]
    with open("/dev/null", "w") as lines:  # noqa: PTH123
        for _, frame in zip(range(int(frames) + int(warm_up)), endless_frames(video), strict=False):
            rgb = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (width, height))
            interpreter.set_tensor(entry["index"], rgb[np.newaxis])
            interpreter.invoke()
            scores = interpreter.get_tensor(exit_["index"])[0] / 255
            best = scores.argsort()[::-1][:_TOP]
            lines.write(json.dumps([[int(label), float(scores[label])] for label in best]) + "\n")
            stopwatch.tick()
    stopwatch.report()


main()
