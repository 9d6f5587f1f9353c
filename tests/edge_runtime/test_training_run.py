from pathlib import Path

import pytest

from edge_runtime.errors import MetadataError, RunError
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun


def test_spec_and_splits_come_back_as_written(tmp_path: Path, tiny_spec: ModelSpec) -> None:
    run = TrainingRun(tmp_path / "run")
    rows = (
        SplitRow("a, b.jpg", "t-shirt", "Zoë", Split.TRAIN, "0" * 64),
        SplitRow("c.jpg", "hat", "Max", Split.VALIDATION, "1" * 64),
    )
    run.write_spec(tiny_spec)
    run.write_splits(rows)
    assert run.read_spec() == tiny_spec
    assert run.read_splits() == rows
    assert run.read_splits(Split.VALIDATION) == rows[1:]


@pytest.mark.parametrize("content", ["", "[1]", "{", "\xff"])
def test_damaged_arguments_are_told(tmp_path: Path, content: str) -> None:
    run = TrainingRun(tmp_path)
    run.arguments_path.write_bytes(content.encode("latin-1"))
    with pytest.raises(RunError, match="cannot be read"):
        run.read_arguments()


def test_a_directory_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="name a run directory"):
        TrainingRun(tmp_path).read_spec()


def test_json_that_is_no_spec_is_told(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path)
    run.spec_path.write_text('{"name": "x"}')
    with pytest.raises(MetadataError, match="damaged"):
        run.read_spec()


def test_splits_of_another_kind_are_told(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path)
    run.splits_path.write_text("image,label,group,split,sha256\na.jpg,hat,1,exam,0\n")
    with pytest.raises(RunError, match="cannot be read"):
        run.read_splits()
