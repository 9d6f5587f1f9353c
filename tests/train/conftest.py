"""A training that is killed, and a run like another."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from edge_runtime.training_run import TrainingRun


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


@pytest.fixture
def double_weights(tmp_path: Path) -> Callable[[TrainingRun], TrainingRun]:
    """Copy a run and make every weight of its model twice as large."""

    def double(run: TrainingRun) -> TrainingRun:
        keras = pytest.importorskip("keras", reason="needs the train extra")
        copy = TrainingRun(Path(shutil.copytree(run.path, tmp_path / "other")))
        model = keras.models.load_model(copy.model_path, compile=False)
        model.set_weights([2 * weights for weights in model.get_weights()])
        model.save(copy.model_path)
        return copy

    return double
