from pathlib import Path

import pytest

from edge_runtime.credentials import read_secret

_SECRET = "a secret of the test's own"


def test_white_space_around_a_secret_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {_SECRET}\r\n")
    monkeypatch.setenv("EDGE_TEST_SECRET", f" {_SECRET}\r\n")
    assert read_secret("EDGE_TEST_SECRET", file, "--file") == _SECRET
    assert read_secret("EDGE_TEST_SECRET", None, "--file") == _SECRET


@pytest.mark.parametrize("value", ["", " \n"])
def test_a_variable_with_nothing_in_it_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_TEST_SECRET", value)
    assert read_secret("EDGE_TEST_SECRET", None, "--file") is None
