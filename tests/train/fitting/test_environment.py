import logging
from collections.abc import Iterator

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.fitting.environment import start_backend  # noqa: E402


@pytest.fixture
def tensorflow_log() -> Iterator[list[str]]:
    """What TensorFlow says in a fresh process."""
    logger, messages = logging.getLogger("tensorflow"), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.setLevel(logging.NOTSET)
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is about TensorFlow")
def test_several_models_that_answer_are_not_warned_of(tensorflow_log: list[str]) -> None:
    start_backend()
    for width in range(1, 9):
        keras.Sequential([keras.Input((width,)), keras.layers.Dense(1)]).predict_on_batch(np.zeros((1, width)))
    assert tensorflow_log == []
