"""The moving average of a network's weights, which often answers better than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Put the optimizer's moving average in the place of a model's trainable weights while the context lasts.

    Does nothing where the optimizer keeps none. Batch statistics are moving averages already.
    """
    if not model.optimizer.use_ema:
        yield
        return
    variables = model.trainable_variables
    live = [keras.ops.copy(keras.ops.convert_to_tensor(variable)) for variable in variables]
    model.optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, live, strict=True):
            variable.assign(value)
