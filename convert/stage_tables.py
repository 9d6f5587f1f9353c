"""What was measured at each stage, as a table to print."""

from collections.abc import Iterator, Sequence

from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy


def format_stages(stages: Sequence[StageAccuracy | StagePrecision]) -> Iterator[str]:
    """Yield a header and a line per stage, of which there is at least one."""
    yield _PRECISION_HEADER if isinstance(stages[0], StagePrecision) else _ACCURACY_HEADER
    for stage in stages:
        yield _precision(stage) if isinstance(stage, StagePrecision) else _accuracy(stage)


_ACCURACY_HEADER = f"{'stage':<22}{'top-1':>8}  {'95 % interval':<16}{'macro':>8}{'agreement':>11}"
_PRECISION_HEADER = f"{'stage':<22}{'mAP':>8}  {'95 % interval':<16}{'mAP50':>8}{'agreement':>11}{'IoU':>8}"


def _accuracy(stage: StageAccuracy) -> str:
    interval = f"{100 * stage.low:.1f} - {100 * stage.high:.1f} %"
    return (
        f"{stage.stage:<22}{100 * stage.top1:>6.1f} %  {interval:<16}{100 * stage.macro:>6.1f} %"
        f"{100 * stage.agreement:>9.1f} %"
    )


def _precision(stage: StagePrecision) -> str:
    interval = "-" if stage.low is None else f"{stage.low:.3f} - {stage.high:.3f}"
    agreement = "-" if stage.agreement is None else f"{100 * stage.agreement:.1f} %"
    iou = "-" if stage.iou is None else f"{stage.iou:.3f}"
    return f"{stage.stage:<22}{stage.map:>8.3f}  {interval:<16}{stage.map50:>8.3f}{agreement:>11}{iou:>8}"
