import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from convert.cli import main
from convert.inspection.contents import EndNames, GraphFacts, ModelContents, TensorFacts
from convert.inspection.listing import format_contents, format_shape, plain
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


def ends(listing: str) -> list[list[str]]:
    """Return the cells of the lines of inputs and outputs; the longest name has blanks within."""
    lines = [line.split("  ") for line in listing.splitlines() if line.startswith(("input ", "output "))]
    return [[cell.strip() for cell in cells if cell.strip()] for cells in lines]


def test_inputs_and_outputs_have_their_names_in_metadata_and_signature(bundled_model: Path) -> None:
    classifier, detector = (ends(inspect(name).stdout) for name in (str(bundled_model), "garment_detector"))
    assert [cells[:3] for cells in classifier] == [["input", "image", "image"], ["output", "garment", "output_0"]]
    op = "TFLite_Detection_PostProcess"
    assert [cells[1:4] for cells in detector] == [
        ["image", "image", "serving_default_image:0"],
        ["location", "boxes", op],
        ["category", "classes", f"{op}:1"],
        ["score", "scores", f"{op}:2"],
        ["number of detections", "count", f"{op}:3"],
    ]


def test_how_many_rows_a_box_has_is_said_of_a_detector(tiny_detector: Path) -> None:
    assert "takes it; boxes of 3 labels (red, green, blue), threshold 0.5, rows per box 1\n" in (
        inspect(str(tiny_detector)).stdout
    )


def test_the_same_names_as_json() -> None:
    (graph,) = json.loads(inspect("garment_detector", "--json").stdout)["graphs"]
    assert graph["input_names"] == [{"metadata": "image", "signature": "image"}]
    assert graph["output_names"][3] == {"metadata": "number of detections", "signature": "count"}


def test_what_a_file_does_not_name_has_a_dash(tiny_model: Path, tiny_model_bytes: bytes, tmp_path: Path) -> None:
    assert [cells[1:3] for cells in ends(inspect(str(tiny_model)).stdout)] == [["image", "-"], ["garment", "-"]]
    file = tmp_path / "bare.tflite"
    file.write_bytes(tiny_model_bytes.replace(b"TFLITE_METADATA", b"ANOTHER_METADAT"))
    assert [cells[1:3] for cells in ends(inspect(str(file)).stdout)] == [["-", "-"], ["-", "-"]]
    (graph,) = json.loads(inspect(str(file), "--json").stdout)["graphs"]
    assert graph["output_names"] == [{"metadata": None, "signature": None}]


def test_what_is_done_to_a_picture_is_said_of_files_that_edge_run_takes(tiny_model: Path, tiny_detector: Path) -> None:
    for file in (tiny_model, tiny_detector):
        (line,) = [line for line in inspect(str(file)).stdout.splitlines() if line.startswith("picture ")]
        assert line == (
            "picture       RGB, 32 pixels wide, 32 high, by the rule 'stretch'; pixels go in as they are, 0 to 255: "
            "the input's scale normalises by mean 127.5 and standard deviation 127.5"
        )


def test_what_edge_run_refuses_is_shown_all_the_same(tiny_model_bytes: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bare.tflite"
    file.write_bytes(tiny_model_bytes.replace(b"TFLITE_METADATA", b"ANOTHER_METADAT"))
    result = inspect(str(file))
    assert result.exit_code == 0
    assert "refuses it: The model carries no metadata" in result.stdout
    assert "picture " not in result.stdout


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


def test_a_long_name_takes_no_time_however_often_it_is_shown() -> None:
    tensor = TensorFacts(0, "x" * 1_000_000, "INT8", (), None)
    graph = GraphFacts("", (tensor,), (0,) * 200, (), (), (EndNames(None, None),) * 200)
    contents = ModelContents(0, "", 3, "", (graph,), {}, {}, {})
    start = time.process_time()
    format_contents(contents, None, None)
    assert time.process_time() - start < 1


def test_tables_are_set_in_columns() -> None:
    assert format_table([("#", "a"), ("10", "b")], right=frozenset({0})) == " #  a\n10  b"
    assert format_shape((1, -1, 3)) == "1x?x3"
    assert format_shape(()) == "scalar"
