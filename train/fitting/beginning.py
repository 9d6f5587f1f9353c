"""What defines a run, written before anything is trained, and checked when the run goes on."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_runtime.errors import RunError
from edge_runtime.files import write_text
from edge_runtime.training_run import SplitRow, TrainingRun
from train.fitting.checkpoint import CheckpointFolder
from train.fitting.distribution import ONE_DEVICE, Distribution
from train.fitting.environment import describe_environment

log = logging.getLogger(__name__)

_MAY_CHANGE = ("max_minutes",)
"""Arguments that a run may go on with otherwise than it began."""


def write_beginning(
    run: TrainingRun, rows: Sequence[SplitRow], arguments: dict[str, Any], distribution: Distribution = ONE_DEVICE
) -> None:
    """Write the split, the environment and, last, the resolved arguments, JSON-ready ones.

    Raises:
        OutputError: The directory cannot be written.
    """
    run.write_splits(rows)
    write_text(run.path / "environment.json", json.dumps(describe_environment(distribution), indent=2) + "\n")
    run.write_arguments(arguments)


def goes_on(run: TrainingRun, arguments: dict[str, Any], distribution: Distribution = ONE_DEVICE) -> bool:
    """Tell whether a directory holds a run to go on with, as it began; without one, a run may begin there.

    Until an epoch has ended there is nothing to go on with, and a start that failed may be put right. Processes beside
    the first always find the run begun.

    Raises:
        RunError: It has other arguments, is damaged, or is finished with nothing kept to go on with, as an average of
            runs is.
    """
    holds_epochs = CheckpointFolder(run.path).holds_epochs
    if run.spec_path.exists() and not holds_epochs:
        raise RunError(
            f"{run.path} holds a finished run without its last epoch, so there is nothing to go on with; "
            "name a fresh directory."
        )
    if not run.arguments_path.exists() or not (holds_epochs or distribution.process):
        return False
    _check_same(run, arguments)
    return True


def _check_same(run: TrainingRun, arguments: dict[str, Any]) -> None:
    before = {**run.read_arguments(), "images": str(run.read_image_folder())}
    # Early runs have it as the user named it.
    if before.get("negatives"):
        before["negatives"] = str(Path(before["negatives"]).resolve())
    changed = [name for name, value in arguments.items() if before.get(name) != value and name not in _MAY_CHANGE]
    if changed:
        raise RunError(
            f"{run.path} holds a run with another {', '.join(changed)}; repeat its arguments to go on with it, "
            "or name a fresh directory."
        )
    log.info("going on with the run in %s", run.path)
