"""What the stages of a run have in common: its network, its photos and its files."""

from collections.abc import Sequence
from pathlib import Path

import keras

from convert.detection_tail import append_postprocess, check_shapes
from convert.export import load_keras_model
from edge_runtime.errors import DataError, RunError
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import Split, TrainingRun


def find_images(run: TrainingRun, spec: ModelSpec, images: Path | None, split: Split = Split.VALIDATION) -> Path:
    """Return the folder of a run's photos, all of which are there and labelled as the model tells them apart.

    Args:
        run: The run.
        spec: What its model says about itself.
        images: The folder; None takes the one that the run was trained from.
        split: Which of the photos are asked.

    Raises:
        RunError: The run directory is unfinished or damaged, or its labels are not the model's.
        DataError: Photos are missing, or there are none of the split.
    """
    _check_labels(run, spec)
    if not run.read_splits(split):
        raise DataError(
            f"{run.path} has no {split} photos to measure on; train on a split that has some, which edge-train split "
            "draws by --validation-share and --test-share."
        )
    folder = images or run.read_image_folder()
    rows = run.read_splits()
    missing = sum(not (folder / row.image).is_file() for row in rows)
    if missing:
        raise DataError(
            f"{missing} of the run's {len(rows)} photos are not under {folder}; name their folder with --images. "
            "Without them edge-convert RUN --drawn makes a model, calibrated on drawn garments."
        )
    return folder


def _check_labels(run: TrainingRun, spec: ModelSpec) -> None:
    """Refuse labels of other photos or boxes than those that the model was trained on."""
    # A detector's photos have no label of their own where no box is on them.
    path, rows = (run.splits_path, run.read_splits()) if spec.detection is None else (run.boxes_path, run.read_boxes())
    strange = sorted({row.label for row in rows} - set(spec.labels))
    if strange:
        raise RunError(
            f"{path} has labels that {run.spec_path.name} lacks ({', '.join(strange)}); take both files from one run."
        )


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
        RunError: It is missing, damaged, has layers that Keras does not know, or another input, other outputs or
            another number of labels than its description; or a detector's anchors are missing.
        ConversionError: A detector's outputs do not fit its anchors or labels.
    """
    model = load_keras_model(run.model_path)
    height, width = spec.input.height, spec.input.width
    if tuple(model.input_shape[1:]) != (height, width, 3):
        raise RunError(
            f"{run.model_path} takes images of {model.input_shape[1:]}, but {run.spec_path.name} says {height} x "
            f"{width}; take both files from one run."
        )
    shapes = [(1, *output.shape[1:]) for output in model.outputs]
    if spec.detection is None:
        _check_scores(run, shapes, len(spec.labels))
    else:
        check_shapes(shapes, len(run.read_anchors()), len(spec.labels))
    return model


def _check_scores(run: TrainingRun, shapes: Sequence[tuple[int, ...]], labels: int) -> None:
    """Check that a classifier has one output, of as many scores as there are labels."""
    if [len(shape) for shape in shapes] != [2]:
        raise RunError(
            f"{run.model_path} is no classifier, as {run.spec_path.name} says it is; take both files from one run."
        )
    if shapes[0][-1] != labels:
        raise RunError(
            f"{run.model_path} tells {shapes[0][-1]} classes apart, but {run.spec_path.name} has {labels} labels; "
            "take both files from one run."
        )
