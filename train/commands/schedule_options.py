"""The command-line options that say how a network is fitted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge_runtime.options.numbers import FiniteRange

_Command = TypeVar("_Command", bound=Callable[..., Any])


def fitting_options(
    *, head_epochs: int, epochs: int, batch_size: int, head_learning_rate: float, learning_rate: float, ema: float
) -> Callable[[_Command], _Command]:
    """Return what gives a command the options of `train.fitting.schedule.Schedule`, with these defaults."""
    rate = FiniteRange(0, min_open=True)
    options = (
        click.option(
            "--head-epochs",
            type=click.IntRange(0),
            default=head_epochs,
            show_default=True,
            help="Epochs with a frozen body.",
        ),
        click.option(
            "--epochs", type=click.IntRange(0), default=epochs, show_default=True, help="Epochs of the whole network."
        ),
        click.option("--batch-size", type=click.IntRange(1), default=batch_size, show_default=True),
        click.option("--head-learning-rate", type=rate, default=head_learning_rate, show_default=True),
        click.option("--learning-rate", type=rate, default=learning_rate, show_default=True),
        click.option(
            "--frozen-share",
            type=FiniteRange(0, 1, max_open=True),
            default=0.0,
            show_default=True,
            help="Share of the body's layers, from the input on, that never train.",
        ),
        click.option(
            "--patience",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="End after this many epochs of the whole network without a better one; 0 never.",
        ),
        click.option(
            "--ema",
            type=FiniteRange(0, 1, max_open=True),
            default=ema,
            show_default=True,
            help="Momentum of a moving average of the weights, measured and saved in their place; 0 for none.",
        ),
    )
    return lambda command: _decorate(command, options)


_CLASSIFIER = (
    click.option("--label-smoothing", type=FiniteRange(0, 1, max_open=True), default=0.1, show_default=True),
    click.option(
        "--balance",
        type=FiniteRange(0, 1),
        default=0.0,
        show_default=True,
        help="From 0, classes as frequent as in DATA, to 1, all equally frequent.",
    ),
    click.option(
        "--mixed-share",
        type=FiniteRange(0, 1),
        default=0.0,
        show_default=True,
        help="Share of batches whose photos are blended by mixup or cutmix.",
    ),
    click.option(
        "--drawn-share",
        type=FiniteRange(0, 1),
        default=0.05,
        show_default=True,
        help="Drawn garments per photo mixed into each epoch.",
    ),
    click.option(
        "--negative-share",
        type=FiniteRange(0, 1),
        default=0.05,
        show_default=True,
        help="Pictures without a garment per photo mixed into each epoch: drawn scenes, and half of --negatives.",
    ),
    click.option(
        "--teacher",
        "teachers",
        type=click.Path(path_type=Path, file_okay=False),
        multiple=True,
        help="Finished run whose answers are learnt beside the labels; may be repeated.",
    ),
    click.option(
        "--distillation",
        type=FiniteRange(0, 1),
        default=0.5,
        show_default=True,
        help="Weight of the teachers' answers beside the labels; none for pictures without any of the classes.",
    ),
)


def classifier_options(command: _Command) -> _Command:
    """Give a command the further options of `train.fitting.schedule.ClassifierSchedule`."""
    return _decorate(command, _CLASSIFIER)


def _decorate(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for decorate in reversed(options):
        command = decorate(command)
    return command
