import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import MetadataError, RunError
from edge_runtime.spec import DetectionSpec, ModelSpec, Task
from edge_runtime.training_run import BoxRow, Split, SplitRow, TrainingRun


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


def test_what_a_detector_adds_comes_back_as_written(tmp_path: Path, tiny_spec: ModelSpec) -> None:
    run = TrainingRun(tmp_path / "run")
    spec = replace(tiny_spec, heads=(), detection=DetectionSpec(("bag", "hat"), 0.3, 0.6, 20))
    anchors = np.array([[0.5, 0.25, 1.0, 0.1]], np.float32)
    boxes = (BoxRow("a.jpg", "bag", 0.1, 2, 3.5, 4), BoxRow("a.jpg", "hat", 1, 2, 3, 4))
    run.write_spec(spec)
    run.write_anchors(anchors)
    run.write_boxes(boxes)
    assert run.read_spec() == spec
    assert (spec.task, tiny_spec.task) == (Task.DETECTION, Task.CLASSIFICATION)
    assert run.read_boxes() == boxes
    np.testing.assert_array_equal(run.read_anchors(), anchors)


def test_a_description_from_before_there_were_detectors_is_a_classifiers(tmp_path: Path, tiny_spec: ModelSpec) -> None:
    run = TrainingRun(tmp_path)
    values = tiny_spec.to_dict()
    del values["detection"]
    run.spec_path.write_text(json.dumps(values))
    assert run.read_spec() == tiny_spec


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"image,label\n"])
def test_damaged_anchors_and_boxes_are_told(tmp_path: Path, content: bytes) -> None:
    run = TrainingRun(tmp_path)
    run.anchors_path.write_bytes(content)
    run.boxes_path.write_bytes(content + b"image,label,x_min\na.jpg,hat,1\n")
    with pytest.raises(RunError, match=r"anchors.npy cannot be read"):
        run.read_anchors()
    with pytest.raises(RunError, match=r"boxes.csv cannot be read"):
        run.read_boxes()


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
