"""What a finished training run is worth: its report, and the comparison of several; and what a model file is worth."""

import logging

from edge_runtime.training_run import TrainingRun

log = logging.getLogger(__name__)


def report_if_possible(run: TrainingRun) -> None:
    """Write the report of a run that has just ended; whatever goes wrong is only logged, as the run is whole."""
    try:
        from train.report.page import REPORT_NAME, write_report

        write_report(run.path, run.path / REPORT_NAME)
        log.info("wrote %s; next: edge-convert %s -o %s.tflite", run.path / REPORT_NAME, run.path, run.path.name)
    except Exception as error:
        log.warning(
            "the run is complete, but its report could not be drawn (%s: %s); try again with: edge-train report %s",
            *(type(error).__name__, error, run.path),
        )
