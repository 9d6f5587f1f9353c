import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import watchdog as module
from edge_runtime.errors import StuckError
from edge_runtime.service import notify
from edge_runtime.watchdog import Watchdog


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket on which systemd would listen."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listener


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which the process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr(module.os, "_exit", codes.append)
    return codes


def test_systemd_hears_of_readiness_life_and_end(manager: socket.socket) -> None:
    with Watchdog(0.2, lambda _: None):
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1"
    heard = [b""]
    while heard[-1] != b"STOPPING=1":
        heard.append(manager.recv(100))


def test_abstract_sockets_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"edge-garment-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify("STATUS=well")
        assert listener.recv(100) == b"STATUS=well"


def test_nothing_happens_where_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")


def test_work_that_does_not_return_ends_the_process(ended: list[int]) -> None:
    told: list[StuckError] = []
    with Watchdog(0.1, told.append) as watchdog, watchdog.guarding():
        deadline_s = time.monotonic() + 5
        while not ended and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert ended[0] == StuckError.exit_code
    assert "--watchdog" in str(told[0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_process_ends_even_if_nobody_can_be_told(ended: list[int]) -> None:
    def fail(_: StuckError) -> None:
        raise ZeroDivisionError

    with Watchdog(0.1, fail) as watchdog, watchdog.guarding():
        deadline_s = time.monotonic() + 5
        while not ended and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert ended == [StuckError.exit_code]


def test_short_works_and_idle_times_are_well(ended: list[int]) -> None:
    # Together they take longer than one may, and each far less, even beside other work.
    with Watchdog(0.4, lambda _: None) as watchdog:
        for _ in range(25):
            with watchdog.guarding():
                time.sleep(0.02)
        time.sleep(0.6)
    assert ended == []


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    with Watchdog(30, lambda _: None):
        pass
    assert threading.active_count() == before
