"""A training that is killed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


class KilledError(Exception):
    """Stands in for a kill signal."""


@pytest.fixture
def killed_in_second_epoch() -> Callable[[], AbstractContextManager[None]]:
    """What makes trainings die at the start of their second epoch, and expects one to, for as long as it is entered."""
    return _killed_in_second_epoch


@contextmanager
def _killed_in_second_epoch() -> Iterator[None]:
    from train.fitting.callbacks import EpochBounds

    begun = EpochBounds.on_epoch_begin

    def die_in_second_epoch(self: EpochBounds, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch == 1:
            raise KilledError
        begun(self, epoch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochBounds, "on_epoch_begin", die_in_second_epoch)
        with pytest.raises(KilledError):
            yield
