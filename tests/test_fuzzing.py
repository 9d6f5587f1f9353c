"""Whatever bytes a reader gets, it answers or refuses with an error of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convert.inspection.reading import read_contents
from edge_runtime.errors import EdgeGarmentError
from edge_runtime.flatbuffer import FlatBufferError, root_table
from edge_runtime.metadata.reading import read_spec
from edge_runtime.pictures import read_picture
from edge_runtime.tflite_schema import MODEL_IDENTIFIER

ROOT = Path(__file__).parents[1]
_ALIKE = settings(
    derandomize=True,
    deadline=5_000,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.one_of(st.binary(max_size=4), st.integers(0, 2**32 - 1))),
    min_size=1,
    max_size=6,
)
"""Where, as a share of the file, and what is written there; a number takes four bytes."""


def edited(content: bytes, changes: list[tuple[float, bytes | int]], length: float) -> bytes:
    damaged = bytearray(content)
    for place, value in changes:
        at = int(place * len(content))
        new = value.to_bytes(4, "little") if isinstance(value, int) else value
        damaged[at : at + len(new)] = new
    return bytes(damaged[: int(length * len(damaged))])


lengths = st.one_of(st.just(1.0), st.floats(0, 1))


@_ALIKE
@given(changes=edits, length=lengths)
def test_damaged_models(tiny_model_bytes: bytes, changes: list[tuple[float, bytes | int]], length: float) -> None:
    content = edited(tiny_model_bytes, changes, length)
    for read in (read_spec, read_contents):
        try:
            read(content)
        except EdgeGarmentError:
            continue


@_ALIKE
@given(content=st.binary(max_size=400))
def test_bytes_that_call_themselves_a_model(content: bytes) -> None:
    try:
        read_contents(content[:4] + MODEL_IDENTIFIER + content[4:])
    except EdgeGarmentError:
        return


@_ALIKE
@given(content=st.binary(max_size=200), slot=st.integers(0, 20), dtype=st.sampled_from(["u1", "<i4", "<f4", "<i8"]))
def test_views_of_any_bytes_stay_within_them(content: bytes, slot: int, dtype: str) -> None:
    try:
        numbers = root_table(content).array(slot, dtype)
    except FlatBufferError:
        return
    assert numbers.nbytes <= len(content)


@_ALIKE
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM"]))
def test_bytes_that_call_themselves_a_picture(content: bytes, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(start + content)
    try:
        read_picture(path)
    except EdgeGarmentError:
        return


@pytest.mark.parametrize("reader", ["description", "inspect", "recognize", "picture"])
def test_a_few_hundred_damaged_files(reader: str) -> None:
    """The first cases of `bench/fuzz_readers.py`, the native interpreter among them, in processes of their own."""
    command = [sys.executable, str(ROOT / "bench" / "fuzz_readers.py"), "--reader", reader, "--cases", "80"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{reader}: ")
