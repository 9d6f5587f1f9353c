"""What a finished model file is worth, as text for a terminal."""

from edge_runtime.estimates import BootstrapEstimate, Estimate
from edge_runtime.tables import format_table
from train.report.classifier_file import ClassifierScores, ClassScore
from train.report.detector_file import BoxScore, DetectorScores

_NOTHING = "-"
_NUMBERS_OF_CLASSIFIER = frozenset({1, 2, 3})
_NUMBERS_OF_DETECTOR = frozenset(range(1, 7))


def describe_classifier(scores: ClassifierScores) -> str:
    """Return figures of all photos, then a table by class."""
    facts = [
        ("photos", str(scores.photos)),
        ("top-1 accuracy", _with_interval(scores.top1)),
        ("macro accuracy", f"{scores.macro:.1%}"),
        ("rejected", f"{scores.rejected.value:.1%}, by the file's threshold of {scores.threshold:g}"),
        ("accuracy of the rest", _with_interval(scores.answered)),
    ]
    header = ("class", "photos", "recall", "precision", "most confused with")
    table = format_table([header, *map(_row_of_class, scores.classes)], _NUMBERS_OF_CLASSIFIER)
    return f"{format_table(facts)}\n\n{table}"


def describe_detector(scores: DetectorScores) -> str:
    """Return figures of all photos, then a table by class."""
    facts = [
        ("photos", str(scores.photos)),
        ("mAP", _with_ends(scores.map)),
        ("mAP50", f"{scores.map50:.3f}"),
        ("found", f"{scores.found} of {scores.boxes} boxes, by the file's threshold of {scores.threshold:g}"),
        ("missed", str(scores.missed)),
        ("wrong", f"{scores.wrong} boxes where there is none"),
    ]
    header = ("class", "boxes", "mAP", "mAP50", "found", "missed", "wrong")
    table = format_table([header, *map(_row_of_boxes, scores.classes)], _NUMBERS_OF_DETECTOR)
    return f"{format_table(facts)}\n\n{table}"


def _row_of_class(each: ClassScore) -> tuple[str, ...]:
    confused = f"{each.confused_with} ({each.confused})" if each.confused_with else _NOTHING
    return each.label, str(each.photos), _percent(each.recall), _percent(each.precision), confused


def _row_of_boxes(each: BoxScore) -> tuple[str, ...]:
    precisions = (_NOTHING if value is None else f"{value:.3f}" for value in (each.map, each.map50))
    return each.label, str(each.boxes), *precisions, str(each.found), str(each.missed), str(each.wrong)


def _percent(estimate: Estimate | None) -> str:
    return f"{estimate.value:.1%}" if estimate else _NOTHING


def _with_interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return _NOTHING
    return f"{estimate.value:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"


def _with_ends(estimate: BootstrapEstimate) -> str:
    if estimate.low is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"
