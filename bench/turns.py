"""Timing networks in turns, which is fair as ratios whatever else the machine does."""

import statistics
import time
from collections.abc import Mapping

from ai_edge_litert.interpreter import Interpreter
from tqdm import tqdm

_WARM_UP = 5


def time_in_turns(contents: Mapping[str, bytes], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of an invocation of each network on one thread.

    Args:
        contents: TFLite files by name.
        rounds: Invocations of each that count.
    """
    interpreters = {name: _open(content) for name, content in contents.items()}
    times: dict[str, list[float]] = {name: [] for name in contents}
    for index in tqdm(range(rounds + _WARM_UP), "timing", disable=None):
        for name, interpreter in interpreters.items():
            start = time.perf_counter()
            interpreter.invoke()
            if index >= _WARM_UP:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(measured) for name, measured in times.items()}


def _open(content: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
