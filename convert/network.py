"""What the stages of a run have in common: its network, its photos and its files."""

from pathlib import Path

import keras

from convert.detection_tail import append_postprocess, check_shapes
from convert.export import load_keras_model
from edge_runtime.errors import DataError, RunError
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import TrainingRun


def find_images(run: TrainingRun, images: Path | None) -> Path:
    """Return the folder of a run's photos, all of which are there.

    Args:
        run: The run.
        images: The folder; None takes the one that the run was trained from.

    Raises:
        RunError: The run directory is unfinished or damaged.
        DataError: Photos are missing.
    """
    folder = images or run.read_image_folder()
    rows = run.read_splits()
    missing = sum(not (folder / row.image).is_file() for row in rows)
    if missing:
        raise DataError(
            f"{missing} of the run's {len(rows)} photos are not under {folder}; name their folder with --images. "
            "Without them edge-convert RUN --drawn makes a model, calibrated on drawn garments."
        )
    return folder


def finish_network(run: TrainingRun, network: bytes, spec: ModelSpec) -> bytes:
    """Return a classifier as it is, and a detector's network with what makes boxes of its outputs.

    Raises:
        RunError: The run's anchors are missing or damaged.
        ConversionError: The network's outputs do not fit anchors or labels.
    """
    return network if spec.detection is None else append_postprocess(network, run.read_anchors(), spec.detection)


def load_network(run: TrainingRun, spec: ModelSpec) -> keras.Model:
    """Load a run's Keras model and check that it is the one that is described.

    Raises:
        RunError: It is missing, damaged, has layers that Keras does not know, or another input or number of outputs
            than its description; or a detector's anchors are missing.
        ConversionError: A detector's outputs do not fit its anchors or labels.
    """
    model = load_keras_model(run.model_path)
    height, width = spec.input.height, spec.input.width
    if tuple(model.input_shape[1:]) != (height, width, 3):
        raise RunError(
            f"{run.model_path} takes images of {model.input_shape[1:]}, but {run.spec_path.name} says {height} x "
            f"{width}; take both files from one run."
        )
    if spec.detection is not None:
        shapes = [(1, *shape[1:]) for shape in model.output_shape]
        check_shapes(shapes, len(run.read_anchors()), len(spec.labels))
    elif model.output_shape[-1] != len(spec.labels):
        raise RunError(
            f"{run.model_path} tells {model.output_shape[-1]} classes apart, but {run.spec_path.name} has "
            f"{len(spec.labels)} labels; take both files from one run."
        )
    return model
