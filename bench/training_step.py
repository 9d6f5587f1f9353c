"""Time a training step on this CPU, in turns: as Keras does it, then with each thing that `edge-train` adds to it.

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
    """What is timed.

    Attributes:
        name: For the table.
        keep: Whether freed memory is kept for the next step.
        fuse: Whether batch norms run as one operation.
        frozen_share: Share of layers that never train.
    """

    name: str
    keep: bool = True
    fuse: bool = True
    frozen_share: float = 0.0


@click.command()
@click.option("--architecture", default="efficientnet_lite0", show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--frozen-share", type=click.FloatRange(0, 1, max_open=True), multiple=True)
@click.option("--rounds", default=3, show_default=True)
def main(architecture: str, batch_size: int, frozen_share: Sequence[float], rounds: int) -> None:
    """Print the medians and their ratios to what `edge-train` does."""
    start = multiprocessing.get_context("spawn")
    usual = Case("as edge-train does it")
    cases = [
        Case("as Keras does it", keep=False, fuse=False),
        Case("freed memory kept", fuse=False),
        usual,
        *(Case(f"first {share:.0%} of layers frozen", frozen_share=share) for share in frozen_share),
    ]
    seconds: dict[Case, list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            with start.Pool(1) as pool:
                seconds[case] += pool.apply(_time_steps, (architecture, batch_size, case))
    medians = {case: statistics.median(times) for case, times in seconds.items()}
    for case, median in medians.items():
        click.echo(f"{median:6.2f} s a step, {median / medians[usual]:.2f} times: {case.name}")


def _time_steps(name: str, batch_size: int, case: Case) -> list[float]:
    import keras
    import numpy as np

    from train.fitting.environment import keep_freed_memory
    from train.networks.architectures import ARCHITECTURES, build_classifier
    from train.networks.fused_batch_norm import fuse_batch_norms

    if case.keep:
        keep_freed_memory()
    if case.fuse:
        fuse_batch_norms()
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
