"""What a look at a data set brings to light."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from train.data.boxes import Box
from train.data.photos import Photo


class Severity(StrEnum):
    """How bad a finding is.

    `ERROR` makes a result worthless or ends a training, `WARNING` is for a person to judge, `NOTE` is read right here
    and may not be elsewhere.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(StrEnum):
    """What was found; the order is that of every listing."""

    UNREADABLE = "unreadable"
    BOX = "wrong-box"
    CONFLICT = "conflicting-labels"
    LEAK = "leak"
    CLASSES = "classes"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    ACROSS_GROUPS = "across-groups"
    GROUP_NAMES = "group-names"
    LABEL = "suspicious-label"
    NO_BOX = "no-box"
    REPEATED_BOX = "repeated-box"
    TINY_BOX = "tiny-box"
    SIZE = "size"
    MODE = "mode"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes:
        kind: What was found.
        severity: How bad it is.
        message: One sentence.
        photos: The photos that it is about; empty where it is about a class.
        values: JSON-ready numbers and names behind the sentence.
        boxes: The boxes that it is about, all on its one photo.
    """

    kind: Kind
    severity: Severity
    message: str
    photos: tuple[Photo, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassSizes:
    """The boxes of one class.

    Attributes:
        label: Class name.
        boxes: How many there are.
        photos: How many photos have one.
        smallest: Square root of the area as a share of the photo's, in (0, 1], of the smallest box.
        median: The same of the box in the middle.
        largest: The same of the largest box.
    """

    label: str
    boxes: int
    photos: int
    smallest: float
    median: float
    largest: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Attributes:
        data: What was looked at, as named by the user.
        images: Folder that the photos' paths start from.
        photos: How many there are.
        groups: How many groups they are of.
        classes: Photos by label, or boxes where the data set is one of boxes.
        findings: By kind, in the order of `Kind`.
        skipped: Looks that were not taken, each with its reason in a sentence.
        sizes: Boxes by class; None where the data set is not one of boxes.
    """

    data: str
    images: str
    photos: int
    groups: int
    classes: Mapping[str, int]
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...]
    sizes: tuple[ClassSizes, ...] | None = None

    @property
    def extent(self) -> str:
        """How much there is of what, in words."""
        if self.sizes is None:
            return f"{self.photos} photos of {len(self.classes)} classes and {self.groups} groups"
        boxes = sum(each.boxes for each in self.sizes)
        return f"{self.photos} photos with {boxes} boxes of {len(self.sizes)} classes"

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind is kind)

    def count(self, severity: Severity) -> int:
        """Return how many findings are that bad."""
        return sum(finding.severity is severity for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "counts": {severity.value: self.count(severity) for severity in Severity}}


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order of their kinds, of each the worst first."""
    kinds, severities = list(Kind), list(Severity)
    return tuple(sorted(findings, key=lambda each: (kinds.index(each.kind), severities.index(each.severity))))
