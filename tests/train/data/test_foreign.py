"""What is told of the files that other tools write."""

import json
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.data.detection_formats import read_boxes
from train.data.photos import Columns, find_photos

_LABEL_STUDIO = json.dumps([{"image": "/data/upload/3/1a2b3c4d-a.jpg", "id": 1, "choice": "hat"}], indent=1).encode()
_CVAT = b'\xef\xbb\xbf<?xml version="1.0"?>\n<annotations><image name="a.jpg"><tag label="hat"/></image></annotations>'
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "a.json",
            _LABEL_STUDIO,
            r"a\.json is a list of JSON.*export labels of whole photos as CSV, and boxes as COCO",
        ),
        ("a.json", b"[]", r"a\.json is a list of JSON"),
        ("annotations.xml", _CVAT, r"annotations\.xml is XML.*as ImageNet, with the images, and boxes as COCO"),
        ("a.xls", _OLD_WORKBOOK, r"a\.xls is a spreadsheet's workbook.*save it as CSV in UTF-8"),
        ("a.xlsx", None, r"a\.xlsx is a spreadsheet's workbook"),
        ("a.zip", None, r"a\.zip is an archive; unpack it"),
    ],
)
def test_a_file_of_another_tool_is_told_by_its_beginning(
    name: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
    else:
        path.write_bytes(content)
    for read in (read_boxes, lambda data: find_photos(data, Columns())):
        with pytest.raises(DataError, match=sentence):
            read(path)


def test_a_table_may_begin_as_anything(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("[image],label\na.jpg,hat\n")
    assert len(find_photos(table, Columns(image="[image]")).photos) == 1
