"""Time a training step on this CPU with freed memory kept, against one with glibc's default, in turns.

python bench/training_step.py
"""

import multiprocessing
import statistics
import time

import click

_WARM_UP, _STEPS = 2, 5


@click.command()
@click.option("--architecture", default="efficientnet_lite0", show_default=True)
@click.option("--batch-size", default=32, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(architecture: str, batch_size: int, rounds: int) -> None:
    """Print the medians and their ratio."""
    start = multiprocessing.get_context("spawn")
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for keep in seconds:
            with start.Pool(1) as pool:
                seconds[keep] += pool.apply(_time_steps, (architecture, batch_size, keep))
    default, kept = (statistics.median(times) for times in seconds.values())
    click.echo(f"default {default:.2f} s, kept {kept:.2f} s a step, ratio {kept / default:.2f}")


def _time_steps(name: str, batch_size: int, keep: bool) -> list[float]:
    import keras
    import numpy as np

    from train.architectures import ARCHITECTURES, build_classifier
    from train.environment import start_backend

    if keep:
        start_backend()
    architecture = ARCHITECTURES[name]
    model = build_classifier(architecture, architecture.size, ("a", "b"), "none", 0.2)
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
