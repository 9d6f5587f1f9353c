"""The interpreter alone, on an input that never changes: the limit of what any pipeline around it can reach.

Arguments: MODEL VIDEO THREADS FRAMES WARM_UP STARTED_S; the video is not read.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from figures import Stopwatch


def main() -> None:
    """Invoke."""
    model, _, threads, frames, warm_up, started_s = sys.argv[1:]
    stopwatch = Stopwatch(float(started_s), int(warm_up))
    interpreter = Interpreter(model_path=model, num_threads=int(threads))
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    interpreter.set_tensor(entry["index"], np.random.default_rng(0).integers(0, 256, entry["shape"], np.uint8))
    for _ in range(int(frames) + int(warm_up)):
        interpreter.invoke()
        stopwatch.tick()
    stopwatch.report()


main()
