"""A parity report as one HTML page."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy
from convert.parity import figures
from convert.parity.classes import describe_classes
from convert.parity.gallery import show_disagreements
from convert.parity.report import Cause, Change, LayerNoise, ParityReport, ScoreDrift
from convert.percent import format_below
from edge_runtime import pages
from edge_runtime.estimates import BootstrapEstimate, Estimate
from edge_runtime.pages import Html
from edge_runtime.spec import Task

Tile = tuple[str, str, str]
"""Name, value, remark."""

_WORST: Final = 5
_REMEDIES: Final = {
    Cause.CLIPPING: "values lie beyond the range seen in calibration and are cut off; calibrate on more photos.",
    Cause.RANGE: "its values fill a part of its range only. The converter does so to a layer that is added to or "
    "joined with another: it gets the steps of the result. Calibration does not change that.",
    Cause.RESOLUTION: "a few channels are far larger than the others, which have to share their coarse steps; convert "
    "with --recipe int8-corrected, which equalises them, or, where the file is of it already, with int8-qat.",
    Cause.WEIGHTS: "its weights are farther from the Keras model's than its output. Where most layers have this cause, "
    "the file is of another training; else convert with --recipe int8-qat.",
}
_NAME_TAIL: Final = re.compile(r"_\d+$")


def build_page(report: ParityReport, images: Path) -> str:
    """Return the report as one HTML page.

    Args:
        report: What to say.
        images: Folder of the photos, for the gallery.
    """
    return pages.build_page(
        f"Parity of {report.name}",
        "Does the file for the device answer like the model that was trained? Every stage was asked the same "
        f"{report.measurement.photos} {report.split} photos, through the preprocessing that the device uses.",
        _verdict(report),
        pages.tiles(_tiles(report)),
        _stages(report),
        describe_classes(report.measurement),
        _scores(report),
        pages.section("Different answers", *show_disagreements(report.measurement, images)),
        _layers(report),
        _contents(report),
    )


def find_worst(layers: Sequence[LayerNoise]) -> list[LayerNoise]:
    """Return the layers that lose most by themselves, the worst first."""
    noisy = [layer for layer in layers if layer.own is not None]
    return sorted(noisy, key=lambda layer: layer.own or 0.0)[:_WORST]


def describe_shortfall(report: ParityReport, bound: float) -> str:
    """Return how a bound in [0, 1] is missed, as a sentence that ends in the bound."""
    agreement, measured = report.measurement.agreement, report.measurement
    if agreement is None:
        return (
            f"On {measured.photos} {report.split} photos neither the Keras model nor the file finds a box that reaches "
            f"the reporting threshold, so nobody knows whether they agree on the {100 * bound:.1f} %"
        )
    share, wanted = format_below(agreement.value, bound)
    return f"The file gives the Keras model's answer for {share} of {_answers(report)}, below the {wanted}"


def _answers(report: ParityReport) -> str:
    return "photos" if report.task is Task.CLASSIFICATION else "boxes"


def _verdict(report: ParityReport) -> Html:
    agreement, bound = report.measurement.agreement, report.bound
    if bound is None:
        return pages.paragraph("No bound was set: --min-parity makes the command fail below one.", "note")
    if agreement is None or not report.holds:
        return pages.paragraph(f"{describe_shortfall(report, bound)} asked for. Do not ship it.", "alert")
    share, wanted = format_below(agreement.value, bound)
    return pages.paragraph(f"Both give the same answer for {share} of {_answers(report)}; the bound of {wanted} holds.")


def _tiles(report: ParityReport) -> Iterator[Tile]:
    measured = report.measurement
    first, last = measured.stages[0], measured.stages[-1]
    yield "Agreement", *_agreement(measured.agreement, last.stage)
    yield _quality(last)[0], _quality(last)[1], f"Keras: {_quality(first)[1]}"
    yield "Change", *_change(measured.change)
    yield "Score drift", *_drift(measured.drifts[-1])
    yield "File", f"{report.sizes[last.stage] / 1e6:.2f} MB", f"sha256 {report.sha256[:12]}"
    yield "Calibration", *_calibration(report)


def _quality(stage: StageAccuracy | StagePrecision) -> tuple[str, str]:
    """Return what a stage is judged by, and how much of it it has."""
    if isinstance(stage, StageAccuracy):
        return "Top-1 accuracy", f"{stage.top1:.1%}"
    return "mAP", f"{stage.map:.3f}"


def _agreement(agreement: Estimate | BootstrapEstimate | None, stage: str) -> tuple[str, str]:
    if agreement is None:
        return "-", "no box reaches the threshold"
    interval = "no interval"
    if agreement.low is not None and agreement.high is not None:
        interval = f"{100 * agreement.low:.1f} to {100 * agreement.high:.1f} %"
    return f"{agreement.value:.1%}", f"{interval}, Keras to {stage}"


def _drift(drift: ScoreDrift) -> tuple[str, str]:
    if drift.mean is None:
        return "-", "no box that both have"
    return f"{drift.mean:.3f}", f"mean; 95 % of scores within {drift.percentile_95:.3f}"


def _change(change: Change) -> tuple[str, str]:
    difference = change.difference
    if difference.low is None or difference.high is None:
        return f"{difference.value:+.3f}", f"{change.quantity}, no interval"
    if change.flips is None:
        return f"{difference.value:+.3f}", f"{change.quantity}, {difference.low:+.3f} to {difference.high:+.3f}"
    shown = f"{100 * difference.value:+.1f} points"
    return shown, f"{change.quantity}, {100 * difference.low:+.1f} to {100 * difference.high:+.1f}"


def _calibration(report: ParityReport) -> tuple[str, str]:
    if not report.calibration:
        return "none", "the file states no calibration"
    source = str(report.calibration.get("source", "unknown"))
    images = str(report.calibration.get("images", "?"))
    if source == "drawn":
        return f"{images} drawings", "no photos: their ranges are a fallback"
    return f"{images} photos", "of a folder" if source == "folder" else "of the training split"


def _stages(report: ParityReport) -> Html:
    drawn = pages.figure(figures.draw_stages(report.measurement.stages), "Dots with 95 % intervals.")
    return pages.section("Stage by stage", drawn, _stage_table(report), *_explain_change(report))


def _stage_table(report: ParityReport) -> Html:
    rows = [(*_stage_row(stage), f"{report.sizes[stage.stage] / 1e6:.2f}") for stage in report.measurement.stages]
    if report.task is Task.CLASSIFICATION:
        return pages.table(("stage", "top-1 %", "95 % interval", "macro %", "agreement %", "MB"), rows, numbers=True)
    header = ("stage", "mAP", "95 % interval", "mAP50", "agreement %", "mean IoU", "MB")
    return pages.table(header, rows, numbers=True)


def _stage_row(stage: StageAccuracy | StagePrecision) -> tuple[str, ...]:
    agreement = "-" if stage.agreement is None else f"{100 * stage.agreement:.1f}"
    if isinstance(stage, StageAccuracy):
        interval = f"{100 * stage.low:.1f} to {100 * stage.high:.1f}"
        return (stage.stage, f"{100 * stage.top1:.1f}", interval, f"{100 * stage.macro:.1f}", agreement)
    interval = "-" if stage.low is None else f"{stage.low:.3f} to {stage.high:.3f}"
    overlap = "-" if stage.iou is None else f"{stage.iou:.3f}"
    return (stage.stage, f"{stage.map:.3f}", interval, f"{stage.map50:.3f}", agreement, overlap)


def _explain_change(report: ParityReport) -> Iterator[Html]:
    change = report.measurement.change
    if change.flips is None:
        text = (
            "Agreement: share of boxes above the reporting threshold that both have, of one label and with an IoU of "
            "0.5 or more. Intervals: bootstrap over photos; none of fewer than 20 photos with boxes, or where all "
            "draws come out alike. They are rough where classes have few boxes."
        )
    else:
        text = (
            f"Photos that lose their right answer from Keras to the file: {change.flips.only_first}; that gain it: "
            f"{change.flips.only_second} (exact McNemar test: p = {change.flips.p_value:.2g}). Intervals of a stage "
            "are Wilson's; that of the change is for paired answers (Agresti and Min, 2005), and is the one that "
            "tells what conversion costs."
        )
    yield pages.paragraph(text, "note")
    yield pages.paragraph("All intervals take photos as independent; photos of one sender are alike.", "note")


def _scores(report: ParityReport) -> Html:
    measured = report.measurement
    first, last = measured.stages[0].stage, measured.stages[-1].stage
    drawn = []
    if len(measured.scores):
        caption = "Each dot is one answer; on the line both stages are equally sure."
        drawn.append(pages.figure(figures.draw_scores(measured.scores, first, last), caption))
    if len(measured.overlaps):
        drawn.append(pages.figure(figures.draw_overlaps(measured.overlaps), "Boxes that both stages have."))
    rows = [
        (
            drift.stage,
            *("-" if share is None else f"{share:.4f}" for share in (drift.mean, drift.percentile_95, drift.largest)),
        )
        for drift in measured.drifts
    ]
    return pages.section(
        "Score drift",
        pages.figures(*drawn),
        pages.table(("stage", "mean", "95th percentile", "largest"), rows, numbers=True),
        pages.paragraph("Absolute difference to Keras of the score of the same answer; scores go from 0 to 1.", "note"),
    )


def _layers(report: ParityReport) -> Html:
    if not report.layers:
        text = (
            "Not compared. It takes the float network that the file has rounded. There is none where the weights were "
            "trained while rounded or the file is float, and of a finished int8-corrected file it is no longer known."
        )
        return pages.section("Layers", pages.paragraph(text))
    worst = find_worst(report.layers)
    caption = "Signal-to-quantisation-noise ratio of each layer. 6 dB are one bit. The worst five are numbered."
    rows = [
        (str(rank), shorten(layer.name), layer.kind, _decibels(layer.own), _decibels(layer.sqnr), layer.cause.value)
        for rank, layer in enumerate(worst, start=1)
    ]
    causes = dict.fromkeys(layer.cause for layer in worst)
    return pages.section(
        "Layers",
        pages.figure(figures.draw_layers(report.layers, worst), caption, wide=True),
        pages.table(("", "layer", "operation", "own dB", "gathered dB", "cause"), rows),
        *(pages.paragraph(f"{cause.value.capitalize()}: {_REMEDIES[cause]}") for cause in causes),
        pages.paragraph(
            f"Measured on {report.layer_photos} photos with TFLite's plain kernels, which keep each layer's output; "
            "XNNPACK, by which a device computes, differs from them by some steps. Own: what rounding the layer's "
            "weights and output costs, median over channels. Gathered: all noise from the input up to here.",
            "note",
        ),
    )


def shorten(name: str) -> str:
    """Return the Keras layer in a name that the converter has made of the network, its layers and their operations."""
    *layers, operation = name.split(";", maxsplit=1)[0].split("/")
    named = [part for part in layers if part != "batchnorm"]
    return _NAME_TAIL.sub("", named[-1]) if named else operation


def _decibels(value: float | None) -> str:
    # Adding zero turns a negative zero into a plain one.
    return "exact" if value is None else f"{round(value, 1) + 0.0:.1f}"


def _contents(report: ParityReport) -> Html:
    kinds = sorted(report.operations.items(), key=lambda each: (-each[1], each[0]))
    floats = "no float tensor" if report.float_tensors == 0 else f"{report.float_tensors} float tensors"
    return pages.section(
        "What is in the file",
        pages.paragraph(f"{sum(report.operations.values())} operations, {floats}."),
        pages.table(("operation", "count"), [(kind, str(count)) for kind, count in kinds], numbers=True),
        pages.paragraph(f"sha256 {report.sha256}", "note"),
    )
