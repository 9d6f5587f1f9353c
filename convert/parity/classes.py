"""The part of a parity report that tells the classes apart."""

from collections.abc import Iterator, Sequence
from typing import Final

from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy
from convert.parity.report import Measurement
from edge_runtime import pages
from edge_runtime.pages import Html
from edge_runtime.plots import draw_precision

_ACCURACIES: Final = ("class", "photos", "recall %", "Keras", "change", "precision %", "Keras", "change")
_PRECISIONS: Final = ("class", "boxes", "AP", "Keras", "change", "AP50", "Keras", "change")


def describe_classes(measured: Measurement) -> Html:
    """Return what each class comes to in the file for the device, beside what the Keras model makes of it."""
    first, last = measured.stages[0], measured.stages[-1]
    if isinstance(first, StageAccuracy) and isinstance(last, StageAccuracy):
        return pages.section("Class by class", *_classified(first, last))
    assert isinstance(first, StagePrecision)
    assert isinstance(last, StagePrecision)
    return pages.section("Class by class", *_detected(first, last, measured))


def _classified(first: StageAccuracy, last: StageAccuracy) -> Iterator[Html]:
    rows = [
        (
            after.label,
            str(after.photos),
            *_shares(after.recall, before.recall),
            *_shares(after.precision, before.precision),
        )
        for before, after in zip(first.labels, last.labels, strict=True)
    ]
    yield pages.table(_ACCURACIES, rows, numbers=True)
    text = (
        f"Recall: of the photos of a class, those that {last.stage} answers so. Precision: of the photos answered so, "
        "those that are of the class."
    )
    yield pages.paragraph(text, "note")


def _detected(first: StagePrecision, last: StagePrecision, measured: Measurement) -> Iterator[Html]:
    rows = [
        (after.label, str(after.boxes), *_precisions(after.map, before.map), *_precisions(after.map50, before.map50))
        for before, after in zip(first.labels, last.labels, strict=True)
    ]
    caption = f"{last.stage}: precision against recall, boxes with an IoU of 0.5 or more."
    yield pages.figure(draw_precision(measured.curves), caption)
    yield pages.table(_PRECISIONS, rows, numbers=True)
    text = f"Of {last.stage}: AP is the mean over IoU thresholds 0.50 to 0.95, AP50 the area under the curve above."
    yield pages.paragraph(text, "note")


def _shares(after: float | None, before: float | None) -> Sequence[str]:
    shown = ["-" if each is None else f"{100 * each:.1f}" for each in (after, before)]
    return (*shown, "-" if after is None or before is None else f"{100 * (after - before):+.1f}")


def _precisions(after: float, before: float) -> Sequence[str]:
    return f"{after:.3f}", f"{before:.3f}", f"{after - before:+.3f}"
