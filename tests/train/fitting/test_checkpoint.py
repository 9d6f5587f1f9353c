"""Weights that cannot be loaded."""

from pathlib import Path

import pytest

pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import RunError
from train.fitting.checkpoint import CheckpointFolder, State


class Model:
    """Stands in for a Keras model whose weights do not load."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def load_weights(self, _file: Path) -> None:
        raise self._error


@pytest.mark.parametrize("error", [OSError("truncated file"), ValueError("Layer 'head' expected 2 variables")])
def test_a_damaged_checkpoint_is_named(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"epoch-001\.weights\.h5 is missing or damaged"):
        CheckpointFolder(tmp_path).restore(Model(error), State((), "epoch-001.weights.h5"))


def test_a_process_that_loses_the_others_while_it_loads_is_not_told_of_damage(tmp_path: Path) -> None:
    """JAX spreads weights over all processes as they are loaded."""
    lost = ValueError("UNKNOWN: Gloo AllGather failed: Read error: Connection reset by peer")
    with pytest.raises(ValueError, match="Gloo"):
        CheckpointFolder(tmp_path).restore(Model(lost), State((), "epoch-001.weights.h5"))
