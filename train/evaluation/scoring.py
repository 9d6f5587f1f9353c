"""Showing photos to a Keras model as the device would."""

from collections.abc import Iterable
from itertools import islice

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.spec import InputSpec

_BATCH = 32


def score_frames(model: keras.Model, spec: InputSpec, frames: Iterable[Image], count: int) -> NDArray[np.float32]:
    """Score frames through the runtime's preprocessing, with a progress bar on a terminal.

    Args:
        model: From normalised images to a vector each, probabilities or features.
        spec: Its input contract.
        frames: (height, width, 3) uint8 BGR in [0, 255], of any size.
        count: How many frames.

    Returns:
        (frames, channels) float32.
    """
    preprocess = Preprocessor(spec)
    ready = (normalize(preprocess(frame), spec) for frame in tqdm(frames, "scoring", count, unit="photo", disable=None))
    scores = []
    while batch := list(islice(ready, _BATCH)):
        scores.append(model.predict_on_batch(np.stack(batch)))
    return np.concatenate(scores).astype(np.float32)
