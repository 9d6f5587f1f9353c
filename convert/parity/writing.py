"""Writing a parity report, and failing below a bound."""

import contextlib
import json
import logging
from pathlib import Path
from typing import Final

import click

from convert.parity.page import build_page, describe_shortfall
from convert.parity.report import ParityReport
from convert.stage_tables import format_stages
from edge_runtime.errors import ParityError
from edge_runtime.files import write_text

DATA_NAME: Final = "parity.json"
PAGE_NAME: Final = "parity.html"
MANIFEST_NAME: Final = "calibration.json"

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


def write_manifest(manifest: str, folder: Path) -> None:
    """Write the list of the calibration photos of a file into the folder of its report, or remove that of a former one.

    Args:
        manifest: What to write; empty where the file was calibrated on no photos.
        folder: Of the report.

    Raises:
        OutputError: It cannot be written.
    """
    if manifest:
        write_text(folder / MANIFEST_NAME, manifest)
    else:
        (folder / MANIFEST_NAME).unlink(missing_ok=True)


def remove_report(folder: Path) -> None:
    """Remove the report on a file that is there no more; what else lies in its folder stays."""
    former = [path for name in (DATA_NAME, PAGE_NAME, MANIFEST_NAME) if (path := folder / name).exists()]
    for path in former:
        path.unlink()
        log.info("removed %s, which was of the former file", path)
    with contextlib.suppress(OSError):
        folder.rmdir()


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
            f"{describe_shortfall(report, report.bound)} of --min-parity; {consequence}; see {folder / PAGE_NAME} for "
            "what differs."
        )
