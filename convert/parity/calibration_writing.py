"""The dependence on calibration as a table and a plot."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final

from convert.network import find_images, load_network
from convert.parity.calibration_curve import CalibrationPoint, measure_calibration
from convert.parity.figures import draw_calibration
from convert.parity.measurement import Subject
from edge_runtime.files import check_writable, write_text
from edge_runtime.spec import Task
from edge_runtime.tables import format_csv
from edge_runtime.training_run import TrainingRun

_TABLE: Final = "calibration.csv"
_PLOT: Final = "calibration.svg"


def write_calibration(
    run: TrainingRun, images: Path | None, folder: Path, counts: Sequence[int], seeds: int
) -> Iterator[str]:
    """Measure how a model depends on its calibration, and write the table and the plot at the end.

    Args:
        run: The run.
        images: Folder of its photos; None takes the one that it was trained from.
        folder: Folder of `calibration.csv` and `calibration.svg`.
        counts: How many images to calibrate on.
        seeds: Choices of photos for each count.

    Yields:
        Lines of a table, each as soon as it is measured.

    Raises:
        RunError: The run directory is unfinished or damaged, or its files are of several runs.
        DataError: Photos are missing.
        OutputError: The folder cannot be written to.
    """
    check_writable(folder / _TABLE)
    spec = run.read_spec()
    found = find_images(run, spec, images)
    subject = Subject(run, load_network(run, spec), spec, found, files={})
    quantity = "top-1" if spec.task is Task.CLASSIFICATION else "mAP"
    yield f"{'calibrated on':<22}{'images':>7}{'seed':>6}{quantity:>9}{'agreement':>11}{'drift':>9}"
    points: list[CalibrationPoint] = []
    for point in measure_calibration(subject, counts, seeds):
        points.append(point)
        yield _format(point)
    header = [field.name for field in fields(CalibrationPoint)]
    write_text(folder / _TABLE, format_csv(header, map(astuple, points)))
    write_text(folder / _PLOT, draw_calibration(points, quantity) + "\n")


def _format(point: CalibrationPoint) -> str:
    quality = f"{100 * point.quality:.2f} %"
    agreement = "-" if point.agreement is None else f"{100 * point.agreement:.1f} %"
    drift = "-" if point.drift is None else f"{point.drift:.4f}"
    return f"{point.choice:<22}{point.images:>7}{point.seed:>6}{quality:>9}{agreement:>11}{drift:>9}"
