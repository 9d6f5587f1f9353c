import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from edge_runtime.delivery.outbox import Outbox
from edge_runtime.errors import OutputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


def _numbers(outbox: Outbox, target: str = "a") -> list[str]:
    return [letter.event for letter in outbox.take(target, 100)]


def test_letters_come_out_in_order_and_stay_until_removed(path: Path) -> None:
    outbox = Outbox(path, 10)
    for number in range(3):
        outbox.put(["a"], f"e{number}", f'{{"n": {number}}}')
    first, *_ = outbox.take("a", 2)
    assert (first.event, first.body) == ("e0", '{"n": 0}')
    assert _numbers(outbox) == ["e0", "e1", "e2"]
    outbox.remove("a", first)
    assert _numbers(outbox) == ["e1", "e2"]
    assert outbox.waiting() == {"a": 2}
    outbox.close()


def test_letters_outlive_the_process(path: Path) -> None:
    outbox = Outbox(path, 10)
    outbox.put(["a", "b"], "e0", "{}")
    outbox.remove("b", *outbox.take("b", 1))
    outbox.close()
    again = Outbox(path, 10)
    assert again.waiting() == {"a": 1}
    assert _numbers(again) == ["e0"]
    again.close()


def test_an_event_put_twice_waits_once(path: Path) -> None:
    outbox = Outbox(path, 10)
    for _ in range(2):
        outbox.put(["a", "b"], "e0", "{}")
    assert outbox.waiting() == {"a": 1, "b": 1}
    outbox.close()


def test_beyond_the_limit_the_oldest_go_and_are_counted_for_good(path: Path) -> None:
    outbox = Outbox(path, 3)
    for number in range(5):
        outbox.put(["a"], f"e{number}", "{}")
    outbox.put(["b"], "e0", "{}")
    assert _numbers(outbox) == ["e2", "e3", "e4"]
    assert outbox.dropped() == {"a": 2}
    outbox.close()
    again = Outbox(path, 3)
    assert (again.waiting(), again.dropped()) == ({"a": 3, "b": 1}, {"a": 2})
    again.close()


def test_a_smaller_limit_than_before_is_kept_too(path: Path) -> None:
    outbox = Outbox(path, 10)
    for number in range(5):
        outbox.put(["a"], f"e{number}", "{}")
    outbox.close()
    again = Outbox(path, 2)
    again.put(["a"], "e5", "{}")
    assert _numbers(again) == ["e4", "e5"]
    assert again.dropped() == {"a": 4}
    again.close()


def test_every_commit_goes_to_the_disk(path: Path) -> None:
    outbox = Outbox(path, 10)
    values = [outbox._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    outbox.close()
    assert values == ["wal", 2]


def test_only_the_owner_may_read_it(path: Path) -> None:
    outbox = Outbox(path, 10)
    outbox.put(["a"], "e0", "{}")
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    outbox.close()


def test_a_second_process_is_refused(path: Path) -> None:
    outbox = Outbox(path, 10)
    # SQLite's locks belong to processes, so another connection of this process stands for one only by its own lock.
    with pytest.raises(OutputError, match="in use by another process"):
        Outbox(path, 10)
    outbox.close()
    Outbox(path, 10).close()


def test_a_file_that_is_no_outbox_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(OutputError, match="damaged or no outbox"):
        Outbox(path, 10)


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be used"):
        Outbox(tmp_path / "file" / "outbox.db", 10)


def test_a_write_that_fails_leaves_the_counts_right(path: Path) -> None:
    outbox = Outbox(path, 10)
    outbox.put(["a"], "e0", "{}")
    outbox._database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(OutputError, match="full"):
        outbox.put(["a", "b"], "e1", "x" * 100_000)
    assert outbox.waiting() == {"a": 1}
    outbox._database.execute("PRAGMA max_page_count = 100000")
    outbox.put(["a", "b"], "e1", "x" * 100_000)
    assert outbox.waiting() == {"a": 2, "b": 1}
    outbox.close()


def test_several_threads_may_use_it(path: Path) -> None:
    outbox = Outbox(path, 1000)
    threads = [threading.Thread(target=_put_and_remove, args=(outbox, f"t{number}")) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.waiting() == {"t0": 10, "t1": 10, "t2": 10}
    outbox.close()


def _put_and_remove(outbox: Outbox, target: str) -> None:
    for number in range(20):
        outbox.put([target], f"e{number}", "{}")
        if number % 2:
            outbox.remove(target, *outbox.take(target, 1))


def test_the_file_is_plain_sqlite_for_whoever_looks_for_an_event(path: Path) -> None:
    outbox = Outbox(path, 10)
    outbox.put(["a"], "e0", '{"id": "e0"}')
    outbox.close()
    database = sqlite3.connect(path)
    assert database.execute("SELECT target, event, body FROM letter").fetchall() == [("a", "e0", '{"id": "e0"}')]
    database.close()
