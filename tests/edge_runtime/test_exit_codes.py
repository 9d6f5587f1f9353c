"""docs/exit-codes.md and the error classes must say the same."""

import inspect
import re
from pathlib import Path

from edge_runtime import errors

_TABLE = Path(__file__).parents[2] / "docs" / "exit-codes.md"
_WITHOUT_CLASS = {0, 2, 129, 130, 143, 149}


def _rows() -> list[tuple[int, str]]:
    text = _TABLE.read_text(encoding="utf-8")
    return [(int(code), name) for code, name in re.findall(r"^\| (\d+) \| (?:`(\w+)`)? ?\|", text, re.MULTILINE)]


def _classes() -> dict[str, int]:
    members = inspect.getmembers(errors, inspect.isclass)
    return {name: member.exit_code for name, member in members if issubclass(member, errors.EdgeGarmentError)}


def test_the_table_names_every_error_class_with_its_code() -> None:
    assert {name: code for code, name in _rows() if name} == _classes()


def test_the_table_names_the_codes_without_a_class() -> None:
    assert {code for code, name in _rows() if not name} == _WITHOUT_CLASS


def test_no_code_stands_for_two_things() -> None:
    codes = [code for code, _ in _rows()]
    assert len(codes) == len(set(codes))
