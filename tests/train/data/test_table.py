from pathlib import Path

import pytest

from edge_runtime.errors import DataError
from train.data.photos import Columns, Photo, read_photos
from train.data.table import read_columns

WANTED = ("image", "label")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    "text",
    [
        'image,label\na.jpg,"hat, red"\n',
        'image, label\na.jpg, "hat, red"\n',
        '"image" , "label" \n a.jpg ,"hat, red"\n',
        "sep=;\r\nlabel;image\r\nhat, red;a.jpg\r\n",
        "\ufeffSEP=|\nimage|label\n\na.jpg|hat, red\n",
        "sep=\t\nimage\tlabel\na.jpg\that, red\n",
    ],
)
def test_columns_are_read_as_people_write_them(text: str, table: Path) -> None:
    table.write_bytes(text.encode())
    assert [values for _, values in read_columns(table, WANTED)] == [["a.jpg", "hat, red"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_unicode_text_of_excel_is_read(encoding: str, table: Path) -> None:
    table.write_bytes("\ufeffimage\tlabel\r\na.jpg\tMütze\r\n".encode(encoding))
    assert [*read_columns(table, WANTED)] == [(2, ["a.jpg", "Mütze"])]


def test_a_file_cut_off_within_a_letter_is_refused(table: Path) -> None:
    table.write_bytes("\ufeffimage\tlabel".encode("utf-16-le")[:-1])
    with pytest.raises(DataError, match="cannot be read as CSV"):
        next(read_columns(table, WANTED))


def test_a_column_may_be_asked_for_with_the_space_before_it(table: Path) -> None:
    table.write_text("image, label\na.jpg,hat\n")
    assert [*read_columns(table, ("image", " label"))] == [(2, ["a.jpg", "hat"])]


def test_lines_are_counted_as_an_editor_does(table: Path) -> None:
    table.write_text('sep=,\nimage,label\n"a\nb.jpg",hat\n\nc.jpg\n')
    assert [*read_columns(table, WANTED)] == [(4, ["a\nb.jpg", "hat"]), (6, ["c.jpg", ""])]


def test_a_column_that_is_there_twice_is_refused_where_it_is_wanted(table: Path) -> None:
    """Else it would be chance which of them is learnt."""
    table.write_text("image,label,label ,note,note\na.jpg,hat,shoes,,\n")
    with pytest.raises(DataError, match=r"t\.csv has 2 columns called label; rename all but one\."):
        next(read_columns(table, WANTED))
    assert [*read_columns(table, ("image",))] == [(2, ["a.jpg"])]


@pytest.mark.parametrize("text", ["", "\n", "sep=;\n", "sep=;"])
def test_a_table_without_a_header_is_refused(text: str, table: Path) -> None:
    table.write_text(text)
    with pytest.raises(DataError, match=r"no column image, label \(it has none\)"):
        next(read_columns(table, WANTED))


def test_spaces_around_a_path_do_not_count(table: Path) -> None:
    for name in "ab":
        (table.parent / f"{name}.jpg").touch()
    table.write_text("image,label\na.jpg ,hat\n b.jpg,shoes\n")
    assert read_photos(table, Columns()).photos == (Photo("a.jpg", "hat", "a.jpg"), Photo("b.jpg", "shoes", "b.jpg"))
