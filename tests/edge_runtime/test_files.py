import os
from pathlib import Path

import pytest

from edge_runtime.errors import OutputError
from edge_runtime.files import check_writable, replacing, shortened, write_bytes, write_text


def test_a_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "größe")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "größe"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    write_bytes(path, b"old")

    def write_half() -> None:
        with replacing(path) as aside:
            aside.write_bytes(b"ne")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_has_to_last_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may otherwise leave the name of a file that is empty."""
    path = tmp_path / "model.bin"
    flushed = []
    monkeypatch.setattr("os.fsync", lambda number: flushed.append((os.fstat(number).st_size, path.exists())))
    write_bytes(path, b"whole", durable=False)
    assert flushed == []
    path.unlink()
    write_bytes(path, b"whole")
    assert flushed == [(5, False)]


def test_the_suffix_stays_for_writers_that_go_by_it(tmp_path: Path) -> None:
    with replacing(tmp_path / "clip.mp4") as aside:
        assert aside.suffix == ".mp4"
        assert aside.parent == tmp_path
        aside.touch()


@pytest.mark.parametrize("name", ["x" * 251 + ".jpg", "ü" * 125 + ".jpg", os.fsdecode(b"\xfc" * 251 + b".jpg")])
def test_a_name_may_be_as_long_as_names_can_be(name: str, tmp_path: Path) -> None:
    check_writable(tmp_path / name)
    write_bytes(tmp_path / name, b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_names_that_begin_alike_stay_apart_when_shortened() -> None:
    names = ["ü" * 100 + end for end in "ab"]
    first, second = (shortened(name, 60) for name in names)
    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 60
    assert first.startswith("ü" * 25 + "-")
    assert shortened("short", 60) == "short"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def write_to_full_disk() -> None:
        with replacing(tmp_path / "model.bin"), Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(OutputError, match=r"model\.bin cannot be written \(No space left"):
        write_to_full_disk()
    assert list(tmp_path.iterdir()) == []


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    check_writable(tmp_path / "model.bin")
    check_writable(tmp_path / "new" / "folders" / "model.bin")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/model\.bin cannot be written"):
        check_writable(tmp_path / "file" / "model.bin")


def test_checking_meets_no_file_of_the_users(tmp_path: Path) -> None:
    own = tmp_path / "model.bin.probe"
    own.write_text("mine")
    check_writable(tmp_path / "model.bin")
    assert own.read_text() == "mine"


def test_a_name_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot hold 'hat/b\\udcffd\.jpg', which is no UTF-8; rename"):
        write_text(tmp_path / "splits.csv", "hat/b\udcffd.jpg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe that has a name")
def test_what_is_no_file_stays_what_it_is(tmp_path: Path) -> None:
    """A device of root's would become a file."""
    os.mkfifo(tmp_path / "pipe")
    for write in (check_writable, lambda path: write_bytes(path, b"")):
        with pytest.raises(OutputError, match=r"pipe cannot be written \(it is no file\)"):
            write(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
