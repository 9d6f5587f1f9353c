import errno
import io
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edge_runtime.cli_errors import ErrorCommand

_ROOT = Path(__file__).parents[2]
_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def _run(work: Callable[[], None]) -> int:
    return CliRunner().invoke(ErrorCommand("name", callback=work)).exit_code


@pytest.fixture
def finished() -> list[str]:
    return []


@pytest.fixture
def interrupted(finished: list[str]) -> Callable[[int], None]:
    """Work that gets a signal, and once more each of them while it finishes its files."""

    def work(number: int) -> None:
        try:
            signal.raise_signal(number)
        finally:
            for again in _SIGNALS:
                signal.raise_signal(again)
            finished.append("files")

    return work


@pytest.fixture
def _ignored_hangup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", _SIGNALS)
def test_further_signals_do_not_break_into_the_finishing(
    number: int, interrupted: Callable[[int], None], finished: list[str]
) -> None:
    before = [signal.getsignal(each) for each in _SIGNALS]
    assert _run(lambda: interrupted(number)) == 128 + number
    assert finished == ["files"]
    assert [signal.getsignal(each) for each in _SIGNALS] == before


def test_one_that_comes_long_after_does(
    interrupted: Callable[[int], None], finished: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.cli_errors._PATIENCE_S", 0.0)
    assert _run(lambda: interrupted(signal.SIGTERM)) == 128 + signal.SIGINT
    assert finished == []


@pytest.mark.usefixtures("_ignored_hangup")
def test_a_signal_that_is_ignored_stays_so() -> None:
    assert _run(lambda: signal.raise_signal(signal.SIGHUP)) == 0


def test_a_pipe_other_than_stdout_that_breaks_is_an_error() -> None:
    def work() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    result = CliRunner().invoke(ErrorCommand("name", callback=work))
    assert result.exit_code == 1
    assert "Broken pipe" in result.stderr


@pytest.mark.parametrize(("path", "code"), [((), 0), (("a?b",), 1)])
def test_windows_tells_of_no_reader_as_of_what_is_invalid(
    path: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.streams._ON_WINDOWS", True)
    monkeypatch.delattr(select, "poll")

    def work() -> None:
        raise OSError(errno.EINVAL, "Invalid argument", *path)

    assert _run(work) == code


@pytest.mark.parametrize(("encoding", "shown"), [("cp1252", "bluz\\u0103 b\\udcff\n"), ("utf-8", "bluză b\\udcff\n")])
def test_stdout_shows_letters_that_its_encoding_lacks_as_escapes(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit, match="0"):
        ErrorCommand("name", callback=lambda: click.echo("bluză b\udcff"))([])
    stdout.seek(0)
    assert stdout.read() == shown


def test_no_stdout_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit, match="0"):
        ErrorCommand("name", callback=lambda: None)([])


_ON_BREAK = """
import signal, sys
signal.SIGBREAK = signal.SIGUSR1
from edge_runtime.cli_errors import ErrorCommand

def work():
    try:
        signal.raise_signal(signal.SIGBREAK)
    finally:
        print("finished")

ErrorCommand("name", callback=work)([])
"""


def test_the_signal_of_a_closed_window_of_windows_unwinds() -> None:
    done = subprocess.run([sys.executable, "-c", _ON_BREAK], capture_output=True, text=True, check=False, cwd=_ROOT)
    assert (done.returncode, done.stdout) == (128 + signal.SIGUSR1, "finished\n")


def test_a_stderr_that_takes_nothing_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    def work() -> None:
        monkeypatch.setattr(click, "echo", refuse)
        raise OSError(5, "Input/output error")

    assert _run(work) == 1
