"""A check's findings as text."""

from collections.abc import Iterator

from train.check.findings import Finding, Kind, Report, Severity
from train.data.photos import Photo

_EXAMPLES = 5
_NAMED_PHOTOS = 4


def summarize(report: Report) -> str:
    """Return the findings by kind, with the first of each, for reading in a terminal."""
    return "\n".join([*_head(report), *_kinds(report), *report.skipped, _verdict(report)])


def name_photos(finding: Finding) -> str:
    """Return the first images of a finding and how many more there are."""
    names = [_name(photo) for photo in finding.photos[:_NAMED_PHOTOS]]
    more = len(finding.photos) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _name(photo: Photo) -> str:
    return f"{photo.image} ({photo.label})" if photo.label else photo.image


def _head(report: Report) -> Iterator[str]:
    yield f"{report.extent} in {report.data}"
    yield "  " + ", ".join(f"{label} {count}" for label, count in report.classes.items())


def _kinds(report: Report) -> Iterator[str]:
    for kind in Kind:
        for severity in Severity:
            findings = [finding for finding in report.of(kind) if finding.severity is severity]
            if findings:
                yield f"{severity.value} {kind.value}: {len(findings)}"
                yield from (f"  {_line(finding)}" for finding in findings[:_EXAMPLES])
            if len(findings) > _EXAMPLES:
                yield f"  and {len(findings) - _EXAMPLES} more"


def _line(finding: Finding) -> str:
    return f"{finding.message} {name_photos(finding)}".rstrip()


def _verdict(report: Report) -> str:
    return ", ".join(f"{severity.value}s: {report.count(severity)}" for severity in Severity)
