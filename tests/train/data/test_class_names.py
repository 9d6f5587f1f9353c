from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.data.class_names import read_class_names

_HEAD = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 3\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_HEAD + "names: ['bag', 'men''s shirt', \"top, long\"]\nroboflow:\n  project: x\n", id="flow"),
        pytest.param("names: [ bag, men's shirt,\n  'top, long',\n ]  # three\npath: .\n", id="flow over lines"),
        pytest.param("names:\n- bag\n- men's shirt\n- top, long\nnc: 3\n", id="list"),
        pytest.param('names:  # by number\n\n  0: bag\n  2: "top, long"  # last\n  1: men\'s shirt\npath: .', id="map"),
        pytest.param('names: {0: bag, 1: "men\\x27s shirt", 2: "top, long"}', id="flow map"),
    ],
)
def test_names_are_read_from_a_data_yaml(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert read_class_names(tmp_path, None) == {"0": "bag", "1": "men's shirt", "2": "top, long"}


def test_names_that_mean_something_to_yaml_stay_names(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [no, 2, null, 1.50]\n")
    assert list(read_class_names(tmp_path, None).values()) == ["no", "2", "null", "1.50"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nc: 3\n", "it has no names"),
        ("- bag\n", "it has no names"),
        ("names: coco.names\n", "it has no names"),
        ("names: []\n", "none in them"),
        ("names: [bag, 'hat\n", "while scanning a quoted scalar"),
        ("names: [bag, , hat]\n", "while parsing a flow node"),
        ("names: [*all]\n", "undefined alias"),
        ("names:\n  - name: bag\n", "is not one line"),
        ("names: ['']\n", "is not one line"),
        ("names: {first: bag}\n", "its number 'first' no number"),
        ("names:\n  0: bag\n  - hat\n", "expected <block end>"),
    ],
)
def test_other_shapes_of_a_data_yaml_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "names.YML"
    path.write_text(text)
    with pytest.raises(DataError, match=r"names\.YML has no list of class names") as caught:
        read_class_names(tmp_path, path)
    assert reason in str(caught.value)


def test_a_list_of_lines_goes_before_a_data_yaml(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [bag]\n")
    (tmp_path / "classes.txt").write_text("3/4 trousers\n\n2 in 1 dress\n")
    assert read_class_names(tmp_path, None) == {"0": "3/4 trousers", "2": "2 in 1 dress"}


@pytest.mark.parametrize(
    "text", ["0: bag\n1: hat\n", "0 bag\n1 hat\n", "1. bag\n\n2. hat\n", "1\tbag\n2\that", "1) bag\n2 ) hat"]
)
def test_numbered_lines_are_no_names(text: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(DataError, match="has a number before each name"):
        read_class_names(tmp_path, None)


@pytest.mark.parametrize(
    "names",
    [
        ["1 piece suit"],
        ["0.5 l bottle"],
        ["1 piece suit", "2 piece suit", "3 piece suit"],
        ["0.5 l bottle", "1.5 l bottle"],
        ["1 piece suit", "2 button jacket"],
        ["0: bag", "1: hat", "coat"],
    ],
)
def test_names_may_begin_with_a_number(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("\n".join(names))
    assert list(read_class_names(tmp_path, None).values()) == names


@pytest.mark.parametrize("text", [_HEAD, "names: [bag, hat]\n", "nc: 2\n", "names:\n  0: bag\n"])
def test_lines_of_a_data_yaml_are_no_names(text: str, tmp_path: Path) -> None:
    """They would be learnt as classes called `train: ../train/images` and so on."""
    path = tmp_path / "names.txt"
    path.write_text(text)
    with pytest.raises(DataError, match="which is no class name; give the names alone"):
        read_class_names(tmp_path, path)


def test_labels_of_keypoints_are_no_boxes(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("kpt_shape: [17, 3]\nnames: [person]\n")
    with pytest.raises(DataError, match=r"is about keypoints \(kpt_shape\), whose labels are no boxes"):
        read_class_names(tmp_path, None)
