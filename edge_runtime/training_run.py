"""What a training run leaves and a conversion takes.

A run directory holds `model.keras`, its `model.json` (a `ModelSpec`), `splits.csv` (which photo served for what) and
`run.json` (resolved arguments); a detector's also has `anchors.npy` and
`boxes.csv` (the labelled boxes of every photo). Neither stage knows more of the other than this.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.errors import RunError
from edge_runtime.files import write_bytes, write_text
from edge_runtime.spec import ModelSpec
from edge_runtime.tables import format_csv

if TYPE_CHECKING:
    # Read by commands whose --help has to be instant.
    import numpy as np
    from numpy.typing import NDArray


class Split(StrEnum):
    """What a photo is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    """Neither learnt from nor chosen by; a split may have none."""


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One photo of a data set.

    Attributes:
        image: Path relative to the run's image folder, with forward slashes.
        label: Class name.
        group: What must never be divided, for example the sender; the image itself where there are no groups.
        split: What the photo is used for.
        sha256: Hash of the file, 64 hexadecimal digits.
    """

    image: str
    label: str
    group: str
    split: Split
    sha256: str


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One labelled box on one photo of a detector's data set, in pixels of the upright photo.

    Attributes:
        image: As in `SplitRow`.
        label: Class name.
        x_min: Left edge.
        y_min: Upper edge.
        x_max: Right edge.
        y_max: Lower edge.
    """

    image: str
    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The files of one run directory."""

    path: Path

    @property
    def model_path(self) -> Path:
        """The best Keras model, taking normalised float32 images."""
        return self.path / "model.keras"

    @property
    def anchors_path(self) -> Path:
        """A detector's anchors, (anchors, 4) float32 in the order of the model's outputs.

        Rows are (y_centre, x_centre, height, width) as shares of the input's height and width.
        """
        return self.path / "anchors.npy"

    @property
    def boxes_path(self) -> Path:
        """A detector's boxes, all that the photos of the split file have."""
        return self.path / "boxes.csv"

    @property
    def spec_path(self) -> Path:
        """The model's `ModelSpec` as JSON."""
        return self.path / "model.json"

    @property
    def splits_path(self) -> Path:
        """The split file."""
        return self.path / "splits.csv"

    @property
    def arguments_path(self) -> Path:
        """The resolved arguments as JSON; `images` is the folder that the split file's paths start from."""
        return self.path / "run.json"

    def read_spec(self) -> ModelSpec:
        """Read the model's spec.

        Raises:
            RunError: The file is missing or damaged.
            MetadataError: The file is JSON, yet no spec.
        """
        return ModelSpec.from_dict(self._read_json(self.spec_path))

    def read_arguments(self) -> dict[str, Any]:
        """Read the resolved arguments.

        Raises:
            RunError: The file is missing or damaged.
        """
        return self._read_json(self.arguments_path)

    def read_image_folder(self) -> Path:
        """Read which folder the split file's paths start from; early runs have it as the user named it.

        Raises:
            RunError: The arguments are missing or damaged.
        """
        folder = self.read_arguments().get("images")
        if not isinstance(folder, str):
            raise self._damage(self.arguments_path, ValueError("it names no folder of images"))
        return Path(folder).resolve()

    def read_environment(self) -> dict[str, Any]:
        """Read the versions, backend and processor that the run was made with.

        Raises:
            RunError: The file is missing or damaged.
        """
        return self._read_json(self.path / "environment.json")

    def read_splits(self, split: Split | None = None) -> tuple[SplitRow, ...]:
        """Read the rows of the split file, all or those of one split.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            rows = read_split_rows(self.splits_path)
        except (OSError, ValueError) as error:
            raise self._damage(self.splits_path, error) from error
        return rows if split is None else tuple(row for row in rows if row.split is split)

    def read_boxes(self) -> tuple[BoxRow, ...]:
        """Read the boxes of a detector's photos.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            return tuple(_parse_box(row) for row in _read_rows(self.boxes_path, BoxRow))
        except (OSError, ValueError) as error:
            raise self._damage(self.boxes_path, error) from error

    def read_anchors(self) -> NDArray[np.float32]:
        """Read a detector's anchors, see `anchors_path`.

        Raises:
            RunError: The file is missing or damaged.
        """
        import numpy as np

        try:
            anchors: NDArray[Any] = np.load(self.anchors_path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._damage(self.anchors_path, error) from error
        if anchors.ndim != 2 or anchors.shape[1] != 4 or not np.isfinite(anchors).all():
            raise self._damage(self.anchors_path, ValueError("not rows of four finite numbers"))
        return np.asarray(anchors, np.float32)

    def write_spec(self, spec: ModelSpec) -> None:
        """Write the model's spec."""
        write_text(self.spec_path, json.dumps(spec.to_dict(), indent=2) + "\n")

    def write_arguments(self, arguments: dict[str, Any]) -> None:
        """Write the resolved arguments."""
        write_text(self.arguments_path, json.dumps(arguments, indent=2) + "\n")

    def write_splits(self, rows: Iterable[SplitRow]) -> None:
        """Write the split file."""
        write_split_rows(self.splits_path, rows)

    def write_boxes(self, rows: Iterable[BoxRow]) -> None:
        """Write the boxes of a detector's photos."""
        write_text(self.boxes_path, format_csv([field.name for field in fields(BoxRow)], map(astuple, rows)))

    def write_anchors(self, anchors: NDArray[np.float32]) -> None:
        """Write a detector's anchors, see `anchors_path`."""
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, anchors.astype(np.float32), allow_pickle=False)
        write_bytes(self.anchors_path, stream.getvalue())

    def _read_json(self, path: Path) -> dict[str, Any]:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._damage(path, error) from error
        if not isinstance(values, dict):
            raise self._damage(path, TypeError("not an object"))
        return values

    def _damage(self, path: Path, error: Exception) -> RunError:
        if isinstance(error, FileNotFoundError):
            return RunError(f"{self.path} has no {path.name}; name a run directory that edge-train has finished.")
        return RunError(f"{path} cannot be read ({error}); train again into a fresh directory.")


def read_split_rows(path: Path) -> tuple[SplitRow, ...]:
    """Read a split file.

    Raises:
        OSError: The file cannot be opened.
        ValueError: The file is damaged or no split file.
    """
    return tuple(_parse_row(row) for row in _read_rows(path, SplitRow))


def write_split_rows(path: Path, rows: Iterable[SplitRow]) -> None:
    """Write a split file.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(path, format_csv([field.name for field in fields(SplitRow)], map(astuple, rows)))


def _read_rows(path: Path, kind: type[SplitRow | BoxRow]) -> Iterator[tuple[str, ...]]:
    """Yield the fields of `kind` from each line of a CSV file, in their order."""
    names = [field.name for field in fields(kind)]
    # With a byte order mark, which spreadsheets write.
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            reader = csv.DictReader(file)
            if absent := [name for name in names if name not in (reader.fieldnames or ())]:
                raise ValueError(f"its header is {','.join(reader.fieldnames or ())} and lacks {', '.join(absent)}")
            for row in reader:
                values = [row[name] for name in names]
                if None in values:
                    raise ValueError(f"line {reader.line_num} lacks {names[values.index(None)]}")
                yield tuple(map(str, values))
        except csv.Error as error:
            raise ValueError(str(error)) from error


def _parse_row(values: tuple[str, ...]) -> SplitRow:
    image, label, group, split, sha256 = values
    if split not in list(Split):
        raise ValueError(f"{image} has the split {split!r}, which is none of {', '.join(Split)}")
    return SplitRow(image, label, group, Split(split), sha256)


def _parse_box(values: tuple[str, ...]) -> BoxRow:
    image, label, *edges = values
    x_min, y_min, x_max, y_max = map(float, edges)
    return BoxRow(image, label, x_min, y_min, x_max, y_max)
