"""What happens while Keras fits: a progress bar, and the record of each epoch."""

import time
from collections.abc import Callable
from typing import Any

import keras
from tqdm import tqdm


class ProgressBar(keras.callbacks.Callback):  # type: ignore[misc]
    """One bar per epoch on stderr; silent where stderr is not a terminal."""

    def __init__(self, phase: str, epochs: int, steps: int) -> None:
        super().__init__()
        self._title = f"{phase} {{}}/{epochs}"
        self._steps = steps
        self._bar: tqdm[Any] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start a bar."""
        self._bar = tqdm(total=self._steps, desc=self._title.format(epoch + 1), unit="batch", disable=None)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{(logs or {}).get('loss', 0.0):.3f}", refresh=False)
            self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


class EpochBounds(keras.callbacks.Callback):  # type: ignore[misc]
    """Prepares each epoch, and hands on what it came to.

    Args:
        begin: Takes the zero-based epoch that begins.
        end: Takes the zero-based epoch, its training loss, and the monotonic time in seconds when it began.
    """

    def __init__(self, begin: Callable[[int], None], end: Callable[[int, float, float], None]) -> None:
        super().__init__()
        self._begin = begin
        self._end = end
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Prepare the epoch and start the clock."""
        self._start = time.monotonic()
        self._begin(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Hand the epoch on."""
        self._end(epoch, float((logs or {})["loss"]), self._start)
