"""Writing a parity report, and failing below a bound."""

import json
import logging
from pathlib import Path
from typing import Final

import click

from convert.parity.page import build_page, describe_agreement
from convert.parity.report import ParityReport
from convert.stage_tables import format_stages
from edge_runtime.errors import ParityError
from edge_runtime.files import write_text

DATA_NAME: Final = "parity.json"
PAGE_NAME: Final = "parity.html"

log = logging.getLogger(__name__)


def write_report(report: ParityReport, folder: Path, images: Path) -> None:
    """Write `parity.json` and `parity.html` into a folder.

    Args:
        report: What to write.
        folder: Made where it is missing.
        images: Folder of the photos, for the gallery.

    Raises:
        OutputError: A file cannot be written.
    """
    write_text(folder / DATA_NAME, json.dumps(report.to_dict(), indent=1) + "\n")
    write_text(folder / PAGE_NAME, build_page(report, images))
    log.info("wrote %s", folder / PAGE_NAME)


def check_bound(report: ParityReport, folder: Path, consequence: str) -> None:
    """Fail where the answers agree less than the user asked for, after saying what each stage came to.

    Args:
        report: With the bound.
        folder: Where the report lies.
        consequence: What has become of the file, as the end of a sentence.

    Raises:
        ParityError: The bound does not hold.
    """
    if not report.holds and report.bound is not None:
        for line in format_stages(report.measurement.stages):
            click.echo(line, err=True)
        raise ParityError(
            f"The file gives the Keras model's answer for {describe_agreement(report)}, below the "
            f"{100 * report.bound:.1f} % of --min-parity; {consequence}; see {folder / PAGE_NAME} for what differs."
        )
