"""How photos become what a classifier takes and answers."""

from dataclasses import dataclass
from pathlib import Path

from edge_runtime.spec import InputSpec


@dataclass(frozen=True, slots=True)
class Encoding:
    """What turns rows of a split file into pixels and targets.

    Attributes:
        images: Folder that the rows' paths start from.
        labels: Class names in the order of the output.
        input: The input contract.
    """

    images: Path
    labels: tuple[str, ...]
    input: InputSpec
