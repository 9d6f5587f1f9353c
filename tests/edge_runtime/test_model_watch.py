import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from convert.metadata_writer import add_metadata
from edge_runtime.events import HealthKind
from edge_runtime.model_watch import ModelWatch
from edge_runtime.recognizer import Recognizer
from edge_runtime.spec import ModelSpec


@pytest.fixture
def path(tiny_model_bytes: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny_model_bytes)
    return path


@pytest.fixture
def other_bytes(tiny_model_bytes: bytes, tiny_spec: ModelSpec) -> bytes:
    return add_metadata(tiny_model_bytes, ModelSpec("other", "2", tiny_spec.input, tiny_spec.heads))


@pytest.fixture
def told() -> list[HealthKind]:
    return []


@pytest.fixture
def look(path: Path, tiny_recognizer: Recognizer, told: list[HealthKind]) -> Callable[[], str | None]:
    """Look at the file; give the name of the model to go on with where it is another one."""
    watch = ModelWatch([path], lambda: Recognizer.load(path, threads=1), lambda kind, *_: told.append(kind), 0.0)

    def _look() -> str | None:
        newer = watch.newer(tiny_recognizer)
        return newer and newer.spec.name

    return _look


def test_a_file_that_stays_is_never_loaded(look: Callable[[], str | None], told: list[HealthKind]) -> None:
    assert [look() for _ in range(5)] == [None] * 5
    assert told == []


def test_another_model_is_taken_over_once_it_looks_the_same_twice(
    look: Callable[[], str | None], path: Path, other_bytes: bytes, told: list[HealthKind]
) -> None:
    path.write_bytes(other_bytes)
    assert [look() for _ in range(4)] == [None, "other", None, None]
    assert told == [HealthKind.MODEL_RELOADED]


def test_a_file_that_grows_is_left_alone(
    look: Callable[[], str | None], path: Path, other_bytes: bytes, told: list[HealthKind]
) -> None:
    with path.open("wb") as file:
        for start in range(0, len(other_bytes), 100):
            file.write(other_bytes[start : start + 100])
            file.flush()
            assert look() is None
    assert told == []
    assert [look(), look()].count("other") == 1


def test_the_same_bytes_again_are_the_same_model(
    look: Callable[[], str | None], path: Path, told: list[HealthKind]
) -> None:
    os.utime(path, ns=(1, 1))
    assert [look() for _ in range(4)] == [None] * 4
    assert told == []


def test_a_file_that_is_gone_for_a_while_changes_nothing(
    look: Callable[[], str | None], path: Path, other_bytes: bytes, told: list[HealthKind]
) -> None:
    path.unlink()
    assert [look() for _ in range(3)] == [None] * 3
    path.write_bytes(other_bytes)
    assert [look() for _ in range(2)] == [None, "other"]
    assert told == [HealthKind.MODEL_RELOADED]


@pytest.mark.parametrize("rubbish", [b"", b"no model", b"\x00" * 5000])
def test_what_is_no_model_is_refused_once(
    rubbish: bytes, look: Callable[[], str | None], path: Path, told: list[HealthKind]
) -> None:
    path.write_bytes(rubbish)
    assert [look() for _ in range(5)] == [None] * 5
    assert told == [HealthKind.MODEL_REFUSED]


def test_the_file_is_looked_at_once_in_a_while(
    path: Path, other_bytes: bytes, tiny_recognizer: Recognizer, told: list[HealthKind]
) -> None:
    watch = ModelWatch([path], lambda: Recognizer.load(path), lambda kind, *_: told.append(kind), 3600)
    watch.newer(tiny_recognizer)
    path.write_bytes(other_bytes)
    assert [watch.newer(tiny_recognizer) for _ in range(5)] == [None] * 5


def test_either_of_two_files_is_enough(
    path: Path, other_bytes: bytes, tiny_recognizer: Recognizer, told: list[HealthKind]
) -> None:
    second = path.with_name("classifier.tflite")
    second.write_bytes(b"first")
    loaded: list[bytes] = []

    def load() -> Recognizer:
        loaded.append(second.read_bytes())
        return Recognizer(other_bytes, threads=1)

    watch = ModelWatch([path, second], load, lambda kind, *_: told.append(kind), 0.0)
    second.write_bytes(b"another")
    assert [watch.newer(tiny_recognizer) is not None for _ in range(3)] == [False, True, False]
    assert loaded == [b"another"]


def test_a_spare_file_may_come_and_go(
    path: Path, other_bytes: bytes, tiny_recognizer: Recognizer, told: list[HealthKind]
) -> None:
    """Of two files of a model one runs; the other one's absence must not hold up what becomes of the first."""
    spare = path.with_name("spare.tflite")

    def load() -> Recognizer:
        return Recognizer.load(spare if spare.exists() else path, threads=1)

    watch = ModelWatch([path], load, lambda kind, *_: told.append(kind), 0.0, spares=[spare])
    spare.write_bytes(other_bytes)
    assert [watch.newer(tiny_recognizer) is not None for _ in range(3)] == [False, True, False]
    spare.unlink()
    path.write_bytes(other_bytes)
    assert [watch.newer(tiny_recognizer) is not None for _ in range(3)] == [False, True, False]
    assert told == [HealthKind.MODEL_RELOADED] * 2


def test_labels_that_come_and_go_are_told(path: Path, tiny_model_bytes: bytes, tiny_spec: ModelSpec) -> None:
    said: list[str] = []
    current = Recognizer.load(path, threads=1)
    watch = ModelWatch([path], lambda: Recognizer.load(path), lambda _kind, _source, text: said.append(text), 0.0)
    (head,) = tiny_spec.heads
    labels = ("scarf", *head.labels[1:])
    path.write_bytes(add_metadata(tiny_model_bytes, replace(tiny_spec, heads=(replace(head, labels=labels),))))
    assert any(watch.newer(current) is not None for _ in range(3))
    assert said[0].endswith(f"; new labels: scarf; labels that it lacks: {head.labels[0]}.")


def test_a_model_for_something_else_is_refused(
    look: Callable[[], str | None], path: Path, tiny_detector_bytes: bytes, told: list[HealthKind]
) -> None:
    path.write_bytes(tiny_detector_bytes)
    assert [look() for _ in range(4)] == [None] * 4
    assert told == [HealthKind.MODEL_REFUSED]
