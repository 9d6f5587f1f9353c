"""In words, what is done to a picture before a model sees it."""

import numpy as np

from convert.inspection.contents import FLOAT_TYPES, Quantization, TensorFacts
from edge_runtime.spec import InputSpec


def describe_preparing(spec: InputSpec, tensor: TensorFacts) -> str:
    """Return how a program that reads no metadata has to prepare a picture.

    Args:
        spec: What the file says of its input.
        tensor: The input.
    """
    size = f"{spec.width} pixels wide, {spec.height} high, by the rule '{spec.resize}'"
    return f"RGB, {size}; {_describe_values(spec, tensor)}"


def _describe_values(spec: InputSpec, tensor: TensorFacts) -> str:
    numbers = f"mean {_join(spec.mean)} and standard deviation {_join(spec.std)}"
    if tensor.type in FLOAT_TYPES:
        return f"normalised by {numbers}: (pixel - mean) / deviation"
    quantization = tensor.quantization
    if quantization is None or quantization.channels != 1 or quantization.scale_max <= 0:
        # Without one scale for all, edge-run takes no other input.
        return "pixels go in as they are, 0 to 255"
    if tensor.type == "UINT8" and _keeps_pixels(spec, quantization):
        return f"pixels go in as they are, 0 to 255: the input's scale normalises by {numbers}"
    return f"normalised by {numbers}, then quantised: (pixel - mean) / deviation / scale + zero point, rounded"


def _keeps_pixels(spec: InputSpec, quantization: Quantization) -> bool:
    """Tell whether normalised and quantised pixels are what they were, but for the rounding of the zero point."""
    pixels = np.arange(256)[:, np.newaxis]
    real = (pixels - np.array(spec.mean)) / np.array(spec.std)
    numbers = np.clip(np.rint(real / quantization.scale_max + quantization.zero_point_max), 0, 255)
    return bool(np.abs(numbers - pixels).max() <= 1)


def _join(values: tuple[float, ...]) -> str:
    """Return one number where all channels share it."""
    return ", ".join(f"{value:g}" for value in (values[:1] if len(set(values)) == 1 else values))
