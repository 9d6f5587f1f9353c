import errno
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge_runtime.errors import OutputError
from edge_runtime.sinks.rotating import RotatingFile

_LINE = json.dumps({"a": "x" * 40}) + "\n"


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    for _ in range(2):
        with closing(RotatingFile(path, 1000)) as file:
            file.write(_LINE)
    assert path.read_text() == 2 * _LINE


def test_a_full_file_makes_room_for_a_new_one(tmp_path: Path) -> None:
    with closing(RotatingFile(tmp_path / "log", 3 * len(_LINE))) as file:
        for number in range(20):
            file.write(f"{number:03}{_LINE}"[: len(_LINE) - 1] + "\n")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "log.1", "log.2", "log.3", "log.4", "log.5"]
    lines = "".join((tmp_path / name).read_text() for name in [*reversed(names[1:]), "log"]).splitlines()
    assert [int(line[:3]) for line in lines] == list(range(3, 20))
    assert max((tmp_path / name).stat().st_size for name in names) <= 3 * len(_LINE)


def _numbers(folder: Path) -> list[int]:
    """Return the numbers that lines begin with, in all files of a folder from the oldest to the newest."""
    files = sorted(folder.iterdir(), key=lambda path: path.suffix or ".0", reverse=True)
    return [int(line[6:9]) for file in files for line in file.read_text().splitlines()]


def _numbered(number: int) -> str:
    return f'{{"n": {number:03}, "x": "{"x" * 40}"}}\n'


def test_a_file_that_is_removed_is_begun_anew_and_older_ones_stay(tmp_path: Path) -> None:
    with closing(RotatingFile(tmp_path / "log", 3 * len(_numbered(0)))) as file:
        for number in range(18):
            file.write(_numbered(number))
        (tmp_path / "log").unlink()
        for number in range(18, 21):
            file.write(_numbered(number))
    assert _numbers(tmp_path) == [*range(15), 18, 19, 20]


def test_a_file_that_is_moved_away_takes_no_more_lines(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with closing(RotatingFile(tmp_path / "logs" / "log", 1000)) as file:
        file.write(_numbered(0))
        (tmp_path / "logs").rename(tmp_path / "old")
        file.write(_numbered(1))
    assert (_numbers(tmp_path / "old"), _numbers(tmp_path / "logs")) == ([0], [1])


def test_a_file_that_cannot_be_renamed_costs_no_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace = tmp_path / "log", Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self == path:
            raise OSError(errno.EACCES, "refused")
        return replace(self, target)

    with closing(RotatingFile(path, 3 * len(_numbered(0)))) as file:
        for number in range(15):
            file.write(_numbered(number))
        monkeypatch.setattr(Path, "replace", refuse)
        for _ in range(6):
            with pytest.raises(OSError, match="refused"):
                file.write(_numbered(15))
        assert _numbers(tmp_path) == [*range(15)]
        monkeypatch.undo()
        file.write(_numbered(15))
    assert _numbers(tmp_path) == [*range(16)]


def test_a_new_file_that_cannot_be_made_costs_no_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "too many")

    with closing(RotatingFile(tmp_path / "log", 3 * len(_numbered(0)))) as file:
        for number in range(15):
            file.write(_numbered(number))
        monkeypatch.setattr(Path, "open", refuse)
        for _ in range(6):
            with pytest.raises(OSError, match="too many"):
                file.write(_numbered(15))
        monkeypatch.undo()
        file.write(_numbered(15))
    assert _numbers(tmp_path) == [*range(16)]


def test_a_line_longer_than_the_file_may_be_is_not_lost(tmp_path: Path) -> None:
    with closing(RotatingFile(tmp_path / "log", 10)) as file:
        file.write(_LINE)
        file.write(_LINE)
    assert (tmp_path / "log.1").read_text() == (tmp_path / "log").read_text() == _LINE


def test_half_a_line_at_the_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(_LINE + _LINE[:20])
    with closing(RotatingFile(path, 1000)) as file:
        file.write(_LINE)
    assert path.read_text() == 2 * _LINE


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(RotatingFile(path, 1000)) as file:
        file.write(_LINE)
        with _file_size_limit(len(_LINE) + 10), pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            file.write(_LINE)
        assert path.read_text() == _LINE
        file.write(_LINE)
    assert path.read_text() == 2 * _LINE


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        RotatingFile(tmp_path / "file" / "log", 1000)


@contextmanager
def _file_size_limit(limit: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: the kernel then writes as much as fits, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("content", [b"name,price\na,1", b"\xff\xd8\xff\n\xff\xd9"])
def test_a_file_that_holds_something_else_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="something else than lines of JSON"):
        RotatingFile(path, 1000)
    assert path.read_bytes() == content


def test_a_device_is_refused() -> None:
    with pytest.raises(OutputError, match="no file that can be cut"):
        RotatingFile(Path("/dev/full"), 1000)


@pytest.fixture
def _renames_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to rename what this process has open, as Windows does."""
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        descriptors = [path for path in Path("/proc/self/fd").iterdir() if path.exists()]
        if any(path.samefile(self) for path in descriptors):
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)


@pytest.mark.usefixtures("_renames_nothing_open")
def test_files_are_renamed_while_they_are_closed(tmp_path: Path) -> None:
    with closing(RotatingFile(tmp_path / "log", 3 * len(_numbered(0)))) as file:
        for number in range(15):
            file.write(_numbered(number))
    assert _numbers(tmp_path) == [*range(15)]


@pytest.mark.usefixtures("_renames_nothing_open")
def test_a_reader_that_holds_the_file_costs_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(RotatingFile(path, 3 * len(_numbered(0)))) as file:
        for number in range(3):
            file.write(_numbered(number))
        with path.open(), pytest.raises(PermissionError, match="in use"):
            file.write(_numbered(3))
        file.write(_numbered(3))
    assert _numbers(tmp_path) == [*range(4)]
