"""What the stages of a run have in common: its network, its photos and its files."""

from pathlib import Path

from convert.detection_tail import append_postprocess
from edge_runtime.errors import DataError
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
    folder = images or Path(run.read_arguments()["images"])
    rows = run.read_splits()
    missing = sum(not (folder / row.image).is_file() for row in rows)
    if missing:
        raise DataError(
            f"{missing} of the run's {len(rows)} photos are not under {folder}; name their folder with --images, or "
            "convert with --drawn, which calibrates on drawn garments."
        )
    return folder


def finish_network(run: TrainingRun, network: bytes, spec: ModelSpec) -> bytes:
    """Return a classifier as it is, and a detector's network with what makes boxes of its outputs.

    Raises:
        RunError: The run's anchors are missing or damaged.
        ConversionError: The network's outputs do not fit anchors or labels.
    """
    return network if spec.detection is None else append_postprocess(network, run.read_anchors(), spec.detection)
