"""The report of one run: a single HTML page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime import pages
from edge_runtime.errors import DataError, PictureError
from edge_runtime.estimates import Estimate, estimate_share
from edge_runtime.files import write_text
from edge_runtime.pages import Html
from edge_runtime.training_run import Split, TrainingRun
from train.evaluation.metrics import count_confusions, measure_accuracy
from train.evaluation.statistics import (
    ClassQuality,
    RejectionCurve,
    measure_classes,
    measure_rejection,
    measure_reliability,
)
from train.report import figures
from train.report.detector_page import build_detector_report
from train.report.detector_run import read_detector_run
from train.report.runs import FinishedRun, describe_epochs, is_detector, read_run

REPORT_NAME = "report.html"
Tile = tuple[str, str, str]
"""Name, value, remark."""

_WORST = 24
_BINS = 15
_TABLE_THRESHOLDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photo answered wrongly.

    Attributes:
        image: Path relative to the run's image folder.
        true: The right label.
        given: The model's label.
        score: Of the given label, in [0, 1].
        true_score: Of the right label, in [0, 1].
    """

    image: str
    true: str
    given: str
    score: float
    true_score: float


def write_report(run: Path, output: Path, images: Path | None = None) -> None:
    """Write the report of a finished run.

    Args:
        run: Run directory.
        output: The HTML file to write.
        images: Folder of the run's photos; None takes the one that the run was made with.

    Raises:
        DataError: None of its validation photos is in `images`.
        RunError: The directory holds no finished run, or a damaged one.
        MetadataError: Its `model.json` is no model description.
        OutputError: The file cannot be written.
    """
    if images is not None:
        _check_images(TrainingRun(run), images)
    if is_detector(TrainingRun(run)):
        write_text(output, build_detector_report(read_detector_run(run), images))
    else:
        write_text(output, build_report(read_run(run), images))


def _check_images(run: TrainingRun, images: Path) -> None:
    """Refuse a folder of other photos, without which a report would replace one with pictures."""
    rows = run.read_splits(Split.VALIDATION)
    if rows and not any((images / row.image).is_file() for row in rows):
        raise DataError(f"{images} has none of the run's photos, such as {rows[0].image}; name another with --images.")


def build_report(run: FinishedRun, images: Path | None = None) -> str:
    """Return the report of a run as one HTML page."""
    return pages.build_page(
        f"Training run {run.path.resolve().name}",
        f"{run.spec.name}: a classifier of {len(run.predictions.labels)} classes. {_caveat(run)}",
        _headlines(run),
        *([_learning(run)] if run.history else []),
        _confusions(run),
        _classes(run),
        _certainty(run),
        _mistakes(run, images or run.images),
        pages.section("Arguments", pages.table(("argument", "value"), run.arguments.items())),
        pages.section("Environment", pages.table(("fact", "value"), run.environment.items())),
    )


def as_percent(estimate: Estimate | None) -> str:
    """Return a share with its interval, in percent; a dash where it was not measured."""
    if estimate is None:
        return "-"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def find_mistakes(run: FinishedRun) -> list[Mistake]:
    """Return the photos answered wrongly, the surest answer first."""
    predictions, confidence = run.predictions, run.confidence
    wrong = np.flatnonzero(~run.right)
    return [
        Mistake(
            image=predictions.images[index],
            true=predictions.labels[predictions.targets[index]],
            given=predictions.labels[predictions.answers[index]],
            score=float(confidence[index]),
            true_score=float(predictions.scores[index, predictions.targets[index]]),
        )
        for index in wrong[np.argsort(-confidence[wrong], kind="stable")]
    ]


def _caveat(run: FinishedRun) -> str:
    if all(row.group == row.image for row in run.splits):
        return (
            "Without groups each photo stood for itself: near-copies of training photos may be among the validation "
            "photos, which flatters all figures. Intervals are 95 % ones."
        )
    return (
        "It was measured on photos of groups that it was not trained on. Intervals are 95 % ones and take photos as "
        "independent; photos of one group are alike, so the truth is less certain than they say."
    )


def _headlines(run: FinishedRun) -> Html:
    return pages.tiles((*_accuracy_tiles(run), *_photo_tiles(run), *_recipe_tiles(run)))


def _accuracy_tiles(run: FinishedRun) -> tuple[Tile, ...]:
    top1 = estimate_share(int(run.right.sum()), len(run.right))
    macro = measure_accuracy(run.predictions.targets, run.predictions.answers).macro
    return (
        ("Top-1 accuracy", f"{top1.value:.1%}", f"{as_percent(top1)} %, Wilson interval"),
        ("Macro accuracy", f"{macro:.1%}", "mean over classes of the share answered rightly"),
    )


def _photo_tiles(run: FinishedRun) -> tuple[Tile, ...]:
    training = [row for row in run.splits if row.split is Split.TRAIN]
    return (
        ("Validation photos", str(len(run.validation)), f"of {len({row.group for row in run.validation})} groups"),
        ("Training photos", str(len(training)), f"of {len({row.group for row in training})} other groups"),
    )


def _recipe_tiles(run: FinishedRun) -> tuple[Tile, ...]:
    def argument(name: str) -> str:
        return run.arguments.get(name, "?")

    size, weights = run.spec.input, Path(argument("weights")).name
    batch, seed = argument("schedule.batch_size"), argument("schedule.seed")
    return (
        ("Network", argument("architecture"), f"{size.height} x {size.width} pixels, weights {weights}"),
        ("Epochs", str(len(run.history)), describe_epochs(run.history)),
        ("Learning rate", argument("schedule.learning_rate"), f"peak, batches of {batch}, seed {seed}"),
    )


def _learning(run: FinishedRun) -> Html:
    history, best = run.history, run.best_epoch
    return pages.section(
        "Learning curves",
        pages.figures(
            pages.figure(figures.draw_loss(history, best), "Loss on training photos, augmented and smoothed."),
            pages.figure(figures.draw_validation(history, best), "Accuracy on validation photos."),
            pages.figure(figures.draw_learning_rate(history, best), "Learning rate at the end of each epoch."),
        ),
        pages.paragraph(
            "Grey: epochs with the body frozen. Dotted: the epoch with the best macro accuracy, kept as the model. "
            "It was chosen on the very photos that it is measured on, which flatters it a little.",
            "note",
        ),
    )


def _confusions(run: FinishedRun) -> Html:
    labels = run.predictions.labels
    svg = figures.draw_confusions(labels, _count(run))
    caption = "Photos and their share of the true class. A good model has all on the diagonal."
    return pages.section("Confusion matrix", pages.figure(svg, caption, wide=True))


def _count(run: FinishedRun) -> list[list[int]]:
    predictions = run.predictions
    return count_confusions(predictions.targets, predictions.answers, len(predictions.labels))


def _draw_classes(classes: Sequence[ClassQuality]) -> Html:
    """Draw all classes, or of very many those that need a look."""
    caption = "Dots with 95 % intervals."
    if len(classes) > figures.MOST_NAMED_CLASSES:
        caption += f" The {figures.MOST_NAMED_CLASSES} classes with the lowest F1; the table has all."
        classes = sorted(classes, key=lambda each: each.f1.value if each.f1 else 0.0)[: figures.MOST_NAMED_CLASSES]
    return pages.figure(figures.draw_classes(classes), caption)


def _classes(run: FinishedRun) -> Html:
    classes = measure_classes(run.predictions.labels, _count(run))
    header = ("class", "photos", "precision %", "recall %", "F1 %")
    return pages.section(
        "Classes",
        _draw_classes(classes),
        pages.table(header, map(_class_row, classes), numbers=True),
        pages.paragraph(
            "Precision: of the photos answered with the class, the share that shows it. Recall: of the photos that "
            "show it, the share answered with it. F1: their harmonic mean. Wilson intervals, that of F1 by way of "
            "TP / (TP + FP + FN) (Hand, Christen and Kirielle, 2021).",
            "note",
        ),
    )


def _class_row(quality: ClassQuality) -> tuple[str, ...]:
    shares = (quality.precision, quality.recall, quality.f1)
    return (quality.label, str(quality.photos), *map(as_percent, shares))


def _certainty(run: FinishedRun) -> Html:
    few = measure_rejection(run.confidence, run.right, np.array(_TABLE_THRESHOLDS))
    header = ("threshold", "photos answered %", "answered rightly %")
    return pages.section(
        "How far to trust the scores",
        pages.figures(_reliability(run), _rejection(run)),
        _chosen_threshold(run),
        pages.table(header, _threshold_rows(few, len(run.right)), numbers=True),
        pages.paragraph(
            f"ECE: photos are put into {_BINS} bins of equal width by the score of the answer; it is the mean over "
            "photos of the distance between accuracy and mean score in the photo's bin (Guo, Pleiss, Sun and "
            "Weinberger, On calibration of modern neural networks, 2017).",
            "note",
        ),
    )


def _chosen_threshold(run: FinishedRun) -> Html:
    chosen = run.spec.provenance.get("validation", {}).get("rejection")
    if chosen is None:
        return pages.paragraph(f"Below {run.spec.heads[0].threshold:.2f} the model reports nothing.")
    return pages.paragraph(
        f"Below {chosen['threshold']:.2f} the model reports nothing. That keeps {chosen['accepted_right']:.1%} of the "
        f"right answers, and leaves out {chosen['rejected_wrong']:.1%} of the wrong ones and "
        f"{chosen['rejected_negatives']:.1%} of {chosen['negatives']} pictures that show none of the classes."
    )


def _reliability(run: FinishedRun) -> Html:
    reliability = measure_reliability(run.confidence, run.right, _BINS)
    confidence, accuracy = run.confidence.mean(), run.right.mean()
    leaning = "too modest" if confidence < accuracy else "too sure"
    return pages.figure(
        figures.draw_reliability(reliability),
        f"Reliability: expected calibration error (ECE) {reliability.error:.1%}. On the whole the model is {leaning}: "
        f"mean score {confidence:.1%}, accuracy {accuracy:.1%}.",
    )


def _rejection(run: FinishedRun) -> Html:
    return pages.figure(
        figures.draw_rejection(measure_rejection(run.confidence, run.right, np.linspace(0, 1, 201))),
        "Rejection: with a higher threshold fewer photos are answered, and more of those rightly.",
    )


def _threshold_rows(rejection: RejectionCurve, photos: int) -> Iterator[tuple[str, str, str]]:
    shares = zip(rejection.thresholds, rejection.coverage, rejection.accuracy, strict=True)
    for threshold, coverage, accuracy in shares:
        answered = round(coverage * photos)
        rightly = estimate_share(round(accuracy * answered), answered) if answered else None
        yield f"{threshold:.2f}", f"{100 * coverage:.1f}", as_percent(rightly)


def _mistakes(run: FinishedRun, images: Path) -> Html:
    mistakes = find_mistakes(run)
    if not mistakes:
        return pages.section("Worst mistakes", pages.paragraph("The model answers every validation photo rightly."))
    shown = mistakes[:_WORST]
    pictures = [_thumbnail(images / mistake.image) for mistake in shown]
    blocks = [pages.paragraph(f"{len(mistakes)} photos are answered wrongly; the surest wrong answers come first.")]
    missing = pictures.count(None)
    if missing:
        text = f"{missing} of these {len(shown)} photos could not be read under {images}, so they are not shown."
        blocks.append(pages.paragraph(text, "alert"))
    cards = (_card(mistake, picture) for mistake, picture in zip(shown, pictures, strict=True))
    return pages.section("Worst mistakes", *blocks, pages.gallery(cards))


def _thumbnail(path: Path) -> str | None:
    try:
        return pages.make_thumbnail(path)
    except PictureError:
        return None


def _card(mistake: Mistake, picture: str | None) -> Html:
    return pages.card(
        picture,
        f"given: {mistake.given} {mistake.score:.0%}",
        f"true: {mistake.true} {mistake.true_score:.0%}",
        mistake.image,
    )
