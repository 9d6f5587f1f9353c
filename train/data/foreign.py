"""Files of other tools that are not read, told by how they begin."""

import codecs
from pathlib import Path
from typing import Final

from edge_runtime.errors import DataError

_READ_BYTES: Final = 512
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def refuse_foreign(data: Path) -> None:
    """Refuse a file that is neither a table nor an object of JSON, and say what to make in its place.

    Args:
        data: Any path.

    Raises:
        DataError: It is a list of JSON, XML, a workbook or an archive.
    """
    sentence = _explain(data, _read_beginning(data)) if data.is_file() else ""
    if sentence:
        raise DataError(f"{data} is {sentence}.")


def _read_beginning(data: Path) -> bytes:
    try:
        with data.open("rb") as file:
            return file.read(_READ_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError:
        # The readers say best what is wrong.
        return b""


def _explain(data: Path, beginning: bytes) -> str:
    """Return what a file is and what is done about it, in words; nothing of one that may be read."""
    if beginning.startswith(b"[") and data.suffix.lower() == ".json":
        return (
            "a list of JSON, as Label Studio exports, which is not read; export labels of whole photos as CSV, and "
            "boxes as COCO"
        )
    if beginning.startswith((b"<?xml", b"<annotation")):
        return (
            "XML, as CVAT exports, which is not read; export labels of whole photos as ImageNet, with the images, and "
            "boxes as COCO, or give the folder around a Pascal VOC data set's Annotations"
        )
    if beginning.startswith(_ZIP) and data.suffix.lower() == ".zip":
        return "an archive; unpack it, and give the folder or file that is in it"
    if beginning.startswith((_ZIP, _OLD_OFFICE)):
        return "a spreadsheet's workbook, which is not read; save it as CSV in UTF-8"
    return ""
