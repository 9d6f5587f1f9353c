"""The report of a detector's run: a single HTML page."""

import base64
from collections.abc import Iterator
from pathlib import Path

from edge_runtime import pages
from edge_runtime.coco import trace_curves
from edge_runtime.errors import PictureError
from edge_runtime.pages import Html
from edge_runtime.pictures import read_picture
from edge_runtime.plots import draw_precision
from edge_runtime.training_run import Split
from train.detection.judging import Counts, JudgedPhoto, judge_photo
from train.detection.pictures import draw_judgement
from train.detection.run_files import BATCH_NAME
from train.report import figures
from train.report.detector_run import FinishedDetectorRun
from train.report.runs import describe_epochs

_WORST = 24
_CARD_SIDE = 420


def build_detector_report(run: FinishedDetectorRun, images: Path | None = None) -> str:
    """Return the report of a run as one HTML page.

    Args:
        run: What to report.
        images: Folder of the run's photos; None takes the one that the run was made with.
    """
    return pages.build_page(
        f"Training run {run.path.resolve().name}",
        f"{run.spec.name}: a detector of {len(run.detection.labels)} classes, measured on {len(run.photos)} photos.",
        pages.tiles(_tiles(run)),
        *([_learning(run), _batch(run)] if run.history else []),
        _classes(run),
        _mistakes(run, images or run.images),
        pages.section("Arguments", pages.table(("argument", "value"), run.arguments.items())),
        pages.section("Environment", pages.table(("fact", "value"), run.environment.items())),
    )


def _tiles(run: FinishedDetectorRun) -> Iterator[tuple[str, str, str]]:
    coco = run.scores["coco"]
    training = sum(row.split is Split.TRAIN for row in run.splits)
    size = run.spec.input
    yield "mAP", f"{coco['map']:.3f}", "COCO: mean over IoU thresholds 0.50 to 0.95"
    yield "mAP50", f"{coco['map50']:.3f}", f"IoU threshold 0.50; {coco['map75']:.3f} at 0.75"
    yield "Reporting threshold", f"{run.detection.threshold:.3f}", "the score with the best F1 on the photos below"
    yield "Validation photos", str(len(run.photos)), f"with {sum(map(len, run.truth))} boxes"
    yield "Training photos", str(training), "before augmentation"
    yield "Network", run.spec.name, f"{size.height} x {size.width} pixels"
    yield "Epochs", str(len(run.history)), describe_epochs(run.history)


def _learning(run: FinishedDetectorRun) -> Html:
    history, best = run.history, run.best_epoch
    precisions = {
        "mAP": [record.validation_map for record in history],
        "mAP50": [record.validation_map50 for record in history],
    }
    return pages.section(
        "Learning curves",
        pages.figures(
            pages.figure(figures.draw_loss(history, best), "Loss on augmented training photos."),
            pages.figure(
                figures.draw_shares(history, best, "average precision", precisions),
                "Average precision on validation photos.",
            ),
            pages.figure(figures.draw_learning_rate(history, best), "Learning rate at the end of each epoch."),
        ),
        pages.paragraph(
            "Grey: epochs with the body frozen. Dotted: the epoch with the best mAP, kept as the model. "
            "It was chosen on the very photos that it is measured on, which flatters it a little.",
            "note",
        ),
    )


def _batch(run: FinishedDetectorRun) -> Html:
    try:
        encoded = base64.b64encode((run.path / BATCH_NAME).read_bytes()).decode()
    except OSError:
        return pages.section("A training batch", pages.paragraph(f"{BATCH_NAME} is not there any more.", "alert"))
    return pages.section(
        "A training batch",
        pages.picture(f"data:image/jpeg;base64,{encoded}", "Photos of the first epoch as the network saw them."),
    )


def _classes(run: FinishedDetectorRun) -> Html:
    curves = trace_curves(run.truth, run.found, run.detection.labels)
    reported = {label: Counts(**counts) for label, counts in run.scores["reported"].items()}
    header = ("class", "boxes", "AP", "AP50", "precision", "recall", "F1")
    rows = [_class_row(each, reported[each["label"]]) for each in run.scores["coco"]["labels"]]
    return pages.section(
        "Classes",
        pages.figure(draw_precision(curves), "Precision against recall, boxes with an IoU of 0.5 or more."),
        pages.table(header, rows, numbers=True),
        pages.paragraph(
            f"AP and AP50: COCO's average precision, over all scores. Precision, recall and F1: of the boxes reported "
            f"at the threshold {run.detection.threshold:.3f}, with an IoU of 0.5 or more.",
            "note",
        ),
    )


def _class_row(scores: dict[str, float], counts: Counts) -> tuple[str, ...]:
    found, there = counts.hits + counts.false, counts.hits + counts.missed
    shares = (counts.hits / found if found else None, counts.hits / there, counts.f1)
    return (
        str(scores["label"]),
        str(scores["boxes"]),
        *(f"{scores[name]:.3f}" for name in ("map", "map50")),
        *("-" if share is None else f"{share:.1%}" for share in shares),
    )


def _mistakes(run: FinishedDetectorRun, images: Path) -> Html:
    threshold = run.detection.threshold
    judged = [
        (photo, judge_photo([box for box in found if box.score >= threshold], truth))
        for photo, found, truth in zip(run.photos, run.found, run.truth, strict=True)
    ]
    wrong = sorted((each for each in judged if each[1].false or each[1].missed), key=_severity, reverse=True)
    if not wrong:
        return pages.section("Worst mistakes", pages.paragraph("All boxes of all validation photos are right."))
    return pages.section(
        "Worst mistakes",
        pages.paragraph(
            f"{len(wrong)} of {len(judged)} photos have a mistake; the surest wrong boxes come first. Green: right. "
            "Red: found, and not there, under another label, or with an IoU below 0.5. Orange: there, and not found."
        ),
        pages.gallery((_card(images, *each) for each in wrong[:_WORST]), large=True),
    )


def _severity(photo: tuple[str, JudgedPhoto]) -> tuple[float, int]:
    _, judged = photo
    return max((box.score for box in judged.false), default=0.0), len(judged.missed)


def _card(images: Path, photo: str, judged: JudgedPhoto) -> Html:
    try:
        shown = pages.embed_picture(draw_judgement(read_picture(images / photo), judged, _CARD_SIDE), _CARD_SIDE)
    except PictureError:
        shown = None
    counts = f"{len(judged.hits)} right, {len(judged.false)} wrong, {len(judged.missed)} missed"
    return pages.card(shown, counts, photo)
