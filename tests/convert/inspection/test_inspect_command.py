import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from convert.cli import main
from convert.inspection.listing import format_shape, plain
from edge_runtime.errors import ModelError
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.tables import format_table


def inspect(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["inspect", *arguments])


def test_the_bundled_model_in_a_terminal(bundled_model: Path) -> None:
    result = inspect(str(bundled_model))
    assert result.exit_code == 0, result.output
    facts = dict(line.split(maxsplit=1) for line in result.stdout.splitlines()[:4])
    assert facts["licence"] == "Apache-2.0"
    content = bundled_model.read_bytes()
    assert f"{len(content):,} bytes" in result.stdout
    assert model_sha256(content) in result.stdout
    assert "full integer, no float tensor" in result.stdout
    assert "takes it; garment of 10 labels (dress, hat" in result.stdout
    assert "DEPTHWISE_CONV_2D        3     16" in result.stdout


def test_the_same_as_json(bundled_model: Path) -> None:
    facts = json.loads(inspect(str(bundled_model), "--json").stdout)
    assert facts["sha256"] == model_sha256(bundled_model.read_bytes())
    assert facts["edge_run"]["heads"][0]["labels"][0] == "dress"
    assert facts["refusal"] is None
    (graph,) = facts["graphs"]
    image = graph["tensors"][graph["inputs"][0]]
    assert (image["type"], image["shape"]) == ("UINT8", [1, 224, 224, 3])
    assert {operator["kind"] for operator in graph["operators"]} >= {"CONV_2D", "SOFTMAX"}


def test_what_edge_run_refuses_is_shown_all_the_same(tiny_model_bytes: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bare.tflite"
    file.write_bytes(tiny_model_bytes.replace(b"TFLITE_METADATA", b"ANOTHER_METADAT"))
    result = inspect(str(file))
    assert result.exit_code == 0
    assert "refuses it: The model carries no metadata" in result.stdout


@pytest.mark.parametrize("content", [None, b"", b"not a model at all"])
def test_what_is_no_model_is_one_sentence(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    if content is not None:
        file.write_bytes(content)
    result = inspect(str(file))
    assert result.exit_code == ModelError.exit_code
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_a_file_cannot_send_commands_to_the_terminal() -> None:
    assert plain("a\x1b[31mb\x07\n") == "a?[31mb??"
    assert plain("x" * 100, 10) == "xxxxxxxxx…"


def test_tables_are_set_in_columns() -> None:
    assert format_table([("#", "a"), ("10", "b")], right=frozenset({0})) == " #  a\n10  b"
    assert format_shape((1, -1, 3)) == "1x?x3"
    assert format_shape(()) == "scalar"
