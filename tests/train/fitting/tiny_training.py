"""`edge-train` with a network small enough for JAX on a CPU; started as a process by test_distribution.py."""

import sys
from dataclasses import replace

import keras

from train.cli import main
from train.networks import architectures


def build_tiny_body(size: int, weights: str | None) -> keras.Model:
    """Build two convolutions with batch norm."""
    images = keras.Input((size, size, 3))
    features = images
    for filters in (8, 16):
        features = keras.layers.Conv2D(filters, 3, strides=2, use_bias=False)(features)
        features = keras.layers.ReLU()(keras.layers.BatchNormalization()(features))
    return keras.Model(images, features)


if __name__ == "__main__":
    name = "mobilenet_v2"
    architectures.ARCHITECTURES[name] = replace(architectures.ARCHITECTURES[name], build_body=build_tiny_body)  # type: ignore[index]
    main(sys.argv[1:])
