"""What may happen to a training photo without changing what garment it shows."""

from collections.abc import Sequence

import keras

from edge_runtime.spec import InputSpec
from train.classification.distillation import Teaching


def build_augmentation() -> keras.Sequential:
    """Build the training-time transforms of (batch, height, width, 3) RGB images in [0, 255].

    Outside training the model passes images through unchanged. Frames from cameras are tilted, off-centre, near or
    far, and lit in any colour; they are seldom upside down, so rotation stays small.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.06, fill_mode="reflect"),
            layers.RandomZoom((-0.3, 0.15), (-0.3, 0.15), fill_mode="reflect"),
            layers.RandomTranslation(0.08, 0.08, fill_mode="reflect"),
            layers.RandomBrightness(0.2),
            layers.RandomContrast(0.25),
            layers.RandomSaturation((0.35, 0.65)),
            layers.RandomErasing(0.3, scale=(0.02, 0.15)),
        ],
        name="augmentation",
    )


def build_training_model(classifier: keras.Model, spec: InputSpec, teachers: Sequence[keras.Model] = ()) -> keras.Model:
    """Put augmentation and normalisation before a classifier, sharing its weights.

    Args:
        classifier: From normalised images to probabilities.
        spec: The input contract.
        teachers: Models with the classifier's input and output to learn from.

    Returns:
        A model from (batch, height, width, 3) RGB in [0, 255] to the classifier's output, with teachers followed by
        their mean one.
    """
    images = keras.Input((spec.height, spec.width, 3), name="pixels")
    normalization = keras.layers.Normalization(
        mean=spec.mean, variance=[value**2 for value in spec.std], name="normalization"
    )
    normalized = normalization(build_augmentation()(images))
    outputs = classifier(normalized)
    if teachers:
        outputs = Teaching(teachers)([normalized, outputs])
    return keras.Model(images, outputs, name="training")
