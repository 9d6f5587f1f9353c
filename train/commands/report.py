"""The commands `edge-train report` and `edge-train compare`."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_runtime.extras import require_extra

if TYPE_CHECKING:
    from train.report.comparison import Comparison

log = logging.getLogger(__name__)

_NEEDS = ("matplotlib", "scipy", "sklearn")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file to write.  [default: report.html in the run directory]",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the run's photos, if they have moved.",
)
def report(run: Path, output: Path | None, images: Path | None) -> None:
    """Write what the finished run in RUN is worth: one HTML page with figures, tables and its worst mistakes."""
    require_extra("edge-train report", "train", *_NEEDS)
    from train.report.page import REPORT_NAME, write_report

    output = output or run / REPORT_NAME
    write_report(run, output, images)
    log.info("wrote %s", output)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="compare.html",
    show_default=True,
    help="The HTML file to write.",
)
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, dir_okay=False), help="The table as CSV as well.")
def compare(runs: tuple[Path, ...], output: Path, csv_path: Path | None) -> None:
    """Hold finished runs against the first of them: a table on stdout and an HTML page with figures.

    All are of classifiers, or all of detectors.
    """
    if len(runs) < 2:
        raise click.UsageError("Name at least two run directories; the first is what the others are held against.")
    require_extra("edge-train compare", "train", *_NEEDS)
    from edge_runtime.files import write_text
    from train.report.comparison import find_incomparable, format_csv, format_table
    from train.report.comparison_page import build_comparison

    comparison = _compare(runs)
    click.echo(format_table(comparison))
    for sentence in find_incomparable(comparison):
        log.warning("%s", sentence)
    write_text(output, build_comparison(comparison))
    if csv_path is not None:
        write_text(csv_path, format_csv(comparison))
    log.info("wrote %s", output)


def _compare(paths: tuple[Path, ...]) -> "Comparison":
    from edge_runtime.training_run import TrainingRun
    from train.report.classifier_comparison import compare_classifiers
    from train.report.detector_comparison import compare_detectors
    from train.report.detector_run import read_detector_run
    from train.report.runs import is_detector, read_run

    if is_detector(TrainingRun(paths[0])):
        return compare_detectors([read_detector_run(path) for path in paths])
    return compare_classifiers([read_run(path) for path in paths])
