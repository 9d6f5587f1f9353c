"""Time a training step on this CPU, in turns: with glibc's default, with freed memory kept, with layers frozen.

python bench/training_step.py --frozen-share 0.2 --frozen-share 0.4
"""

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import click

_WARM_UP, _STEPS = 2, 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is timed: whether freed memory is kept as `edge-train` does, and the share of layers that never train."""

    keep: bool
    frozen_share: float = 0.0

    def __str__(self) -> str:
        """Name the case."""
        frozen = f", first {100 * self.frozen_share:.0f} % of layers frozen" if self.frozen_share else ""
        return ("memory kept" if self.keep else "default") + frozen


@click.command()
@click.option("--architecture", default="efficientnet_lite0", show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--frozen-share", type=click.FloatRange(0, 1, max_open=True), multiple=True)
@click.option("--rounds", default=3, show_default=True)
def main(architecture: str, batch_size: int, frozen_share: Sequence[float], rounds: int) -> None:
    """Print the medians and their ratios to the second one."""
    start = multiprocessing.get_context("spawn")
    cases = [Case(keep=False), Case(keep=True), *(Case(keep=True, frozen_share=share) for share in frozen_share)]
    seconds: dict[Case, list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            with start.Pool(1) as pool:
                seconds[case] += pool.apply(_time_steps, (architecture, batch_size, case))
    medians = {case: statistics.median(times) for case, times in seconds.items()}
    for case, median in medians.items():
        click.echo(f"{median:6.2f} s a step, {median / medians[cases[1]]:.2f} times: {case}")


def _time_steps(name: str, batch_size: int, case: Case) -> list[float]:
    import keras
    import numpy as np

    from train.architectures import ARCHITECTURES, build_classifier
    from train.environment import start_backend

    if case.keep:
        start_backend()
    architecture = ARCHITECTURES[name]
    model = build_classifier(architecture, architecture.size, ("a", "b"), "none", 0.2)
    body = model.get_layer("body")
    for layer in body.layers[: round(case.frozen_share * len(body.layers))]:
        layer.trainable = False
    model.compile(optimizer=keras.optimizers.AdamW(1e-4), loss="categorical_crossentropy")
    images = np.random.default_rng(0).random((batch_size, architecture.size, architecture.size, 3), np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(batch_size) % 2]
    times = []
    for _ in range(_WARM_UP + _STEPS):
        begin = time.perf_counter()
        model.train_on_batch(images, targets)
        times.append(time.perf_counter() - begin)
    return times[_WARM_UP:]


if __name__ == "__main__":
    main()
