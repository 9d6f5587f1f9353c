"""The commands `edge-train report` and `edge-train compare`."""

import logging
from pathlib import Path

import click

from edge_runtime.extras import require_extra

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
    """Hold finished runs against the first of them: a table on stdout and an HTML page with figures."""
    if len(runs) < 2:
        raise click.UsageError("Name at least two run directories; the first is what the others are held against.")
    require_extra("edge-train compare", "train", *_NEEDS)
    from edge_runtime.files import write_text
    from train.report.compare import compare_runs, find_incomparable, format_csv, format_table
    from train.report.compare_page import build_comparison
    from train.report.runs import read_run

    compared = compare_runs([read_run(run) for run in runs])
    click.echo(format_table(compared))
    for sentence in find_incomparable(compared):
        log.warning("%s", sentence)
    write_text(output, build_comparison(compared))
    if csv_path is not None:
        write_text(csv_path, format_csv(compared))
    log.info("wrote %s", output)
