"""What finished model files are worth, as text for a terminal."""

from collections.abc import Sequence

from edge_runtime.estimates import BootstrapEstimate, Estimate
from edge_runtime.tables import format_table
from train.report.classifier_file import ClassifierScores, ClassScore
from train.report.classifier_gain import ClassGain, ClassifierWorth, HeldClassifier
from train.report.detector_file import BoxScore, DetectorScores
from train.report.detector_gain import DetectorWorth, HeldDetector

_NOTHING = "-"
_Rows = list[tuple[str, ...]]


def describe_classifier(worth: ClassifierWorth) -> str:
    """Return figures of all photos, then a table by class, with the other file's beside them where there is one."""
    scores, held = worth.scores, worth.against
    if held is None:
        return _join(format_table(_classifier_facts(scores)), _table(_rows_of_classes(scores)))
    facts = _beside(_classifier_facts(scores), _classifier_facts(held.scores))
    return _join(
        _lacking(held.lacks, "its photos count as answered wrongly"),
        format_table(facts),
        format_table(_gain_of_classifier(held)),
        _table(_rows_of_classes_beside(scores, held)),
    )


def describe_detector(worth: DetectorWorth) -> str:
    """Return figures of all photos, then a table by class, with the other file's beside them where there is one."""
    scores, held = worth.scores, worth.against
    if held is None:
        return _join(format_table(_detector_facts(scores)), _table(_rows_of_boxes(scores)))
    facts = _beside(_detector_facts(scores), _detector_facts(held.scores))
    return _join(
        _lacking(held.lacks, "its boxes count as missed"),
        format_table(facts),
        format_table(_gain_of_detector(held)),
        _table(_rows_of_boxes_beside(scores, held)),
    )


def _join(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _table(rows: _Rows) -> str:
    """Return rows as columns, of which those with words stay to the left: the first, and what is confused."""
    words = {at for at, name in enumerate(rows[0]) if name in {"class", "most confused with"}}
    return format_table(rows, frozenset(range(len(rows[0]))) - words)


def _beside(facts: _Rows, others: _Rows) -> _Rows:
    """Return facts with those of the other file in a third column."""
    pairs = zip(facts, others, strict=True)
    return [("", "MODEL", "OLD"), *((name, value, other) for (name, value), (_, other) in pairs)]


def _lacking(labels: Sequence[str], consequence: str) -> str:
    return f"OLD lacks {', '.join(labels)}: {consequence}." if labels else ""


def _classifier_facts(scores: ClassifierScores) -> _Rows:
    facts: _Rows = [
        ("photos", str(scores.photos)),
        ("top-1 accuracy", _with_interval(scores.top1)),
        ("macro accuracy", f"{scores.macro:.1%}"),
        ("rejected", f"{scores.rejected.value:.1%}, by the file's threshold of {scores.threshold:g}"),
        ("accuracy of the rest", _with_interval(scores.answered)),
    ]
    if scores.negatives:
        rejected = f"{_with_interval(scores.negatives.rejected)} of {scores.negatives.pictures}"
        facts.append(("negatives rejected", rejected))
    return facts


def _gain_of_classifier(held: HeldClassifier) -> _Rows:
    gain = held.gain
    value, low, high = (100 * each for each in (gain.top1.value, gain.top1.low, gain.top1.high))
    return [
        *_of_known(held.lacks, f"{gain.photos} photos"),
        ("gain", f"top-1 accuracy {value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"),
        ("won", f"{gain.won} photos that MODEL alone answers rightly"),
        ("lost", f"{gain.lost} photos that OLD alone answers rightly"),
        ("p", f"{gain.p_value:.2g}, of the exact McNemar test"),
    ]


def _rows_of_classes(scores: ClassifierScores) -> _Rows:
    header = ("class", "photos", "recall", "precision", "most confused with")
    rows = ((_percent(each.recall), _percent(each.precision), _confused(each)) for each in scores.classes)
    named = ((each.label, str(each.photos)) for each in scores.classes)
    return [header, *((*name, *row) for name, row in zip(named, rows, strict=True))]


def _rows_of_classes_beside(scores: ClassifierScores, held: HeldClassifier) -> _Rows:
    header = ("class", "photos", "recall", "OLD's", "precision", "OLD's", "won", "lost", "p", "most confused with")
    own, other = ({each.label: each for each in of.classes} for of in (scores, held.scores))
    gains = {each.label: each for each in held.gain.classes}
    rows = (_row_of_class(label, own.get(label), other.get(label), gains.get(label)) for label in {**own, **other})
    return [header, *rows]


def _row_of_class(
    label: str, own: ClassScore | None, other: ClassScore | None, gain: ClassGain | None
) -> tuple[str, ...]:
    return (
        label,
        # Both have been asked the same photos.
        str(own.photos if own else 0),
        *(_percent(each.recall if each else None) for each in (own, other)),
        *(_percent(each.precision if each else None) for each in (own, other)),
        *((str(gain.won), str(gain.lost), f"{gain.p_value:.2g}") if gain else (_NOTHING,) * 3),
        _confused(own),
    )


def _confused(each: ClassScore | None) -> str:
    return f"{each.confused_with} ({each.confused})" if each and each.confused_with else _NOTHING


def _detector_facts(scores: DetectorScores) -> _Rows:
    return [
        ("photos", str(scores.photos)),
        ("mAP", _with_ends(scores.map)),
        ("mAP50", f"{scores.map50:.3f}"),
        ("found", f"{scores.found} of {scores.boxes} boxes, by the file's threshold of {scores.threshold:g}"),
        ("missed", str(scores.missed)),
        ("wrong", f"{scores.wrong} boxes where there is none"),
    ]


def _gain_of_detector(held: HeldDetector) -> _Rows:
    return [
        *_of_known(held.lacks, f"{held.gain.boxes} boxes"),
        ("gain of mAP", _with_ends(held.gain.map, "+")),
        ("gain of mAP50", f"{held.gain.map50:+.3f}"),
    ]


def _of_known(lacks: Sequence[str], counted: str) -> _Rows:
    """Return what a gain is judged on, where that is not all."""
    return [("on", f"{counted} of the classes that OLD knows")] if lacks else []


def _rows_of_boxes(scores: DetectorScores) -> _Rows:
    header = ("class", "boxes", "mAP", "mAP50", "found", "missed", "wrong")
    return [header, *map(_row_of_boxes, scores.classes)]


def _row_of_boxes(each: BoxScore) -> tuple[str, ...]:
    counts = map(str, (each.found, each.missed, each.wrong))
    return each.label, str(each.boxes), _precision(each.map), _precision(each.map50), *counts


def _rows_of_boxes_beside(scores: DetectorScores, held: HeldDetector) -> _Rows:
    header = ("class", "boxes", "mAP", "OLD's", "mAP50", "OLD's", "found", "OLD's", "wrong", "OLD's")
    own, other = ({each.label: each for each in of.classes} for of in (scores, held.scores))
    return [header, *(_row_of_both(label, own.get(label), other.get(label)) for label in {**own, **other})]


def _row_of_both(label: str, *both: BoxScore | None) -> tuple[str, ...]:
    # What one of them has nothing to do with has no box, and none found by it.
    own, other = (each or BoxScore(label, 0, None, None, 0, 0, 0) for each in both)
    precisions = (own.map, other.map, own.map50, other.map50)
    counts = (own.found, other.found, own.wrong, other.wrong)
    return label, str(own.boxes), *map(_precision, precisions), *map(str, counts)


def _percent(estimate: Estimate | None) -> str:
    return f"{estimate.value:.1%}" if estimate else _NOTHING


def _precision(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"


def _with_interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return _NOTHING
    return f"{estimate.value:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"


def _with_ends(estimate: BootstrapEstimate, sign: str = "") -> str:
    if estimate.low is None:
        return f"{estimate.value:{sign}.3f}"
    return f"{estimate.value:{sign}.3f} (95 % interval {estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"
