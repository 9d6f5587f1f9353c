from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_runtime.backend import DelegateName, open_interpreter
from edge_runtime.errors import ModelError
from edge_runtime.graph_check import check_graph


def changed(model: bytes, change: Callable[[schema.ModelT], None]) -> bytes:
    """Return the model with its tree changed; its packed files stay."""
    tree = schema.ModelT.InitFromPackedBuf(model)
    change(tree)
    return packed(tree)


def packed(tree: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def second_graph(tree: schema.ModelT) -> None:
    tree.subgraphs = tree.subgraphs * 2


def no_graph(tree: schema.ModelT) -> None:
    tree.subgraphs = []


def huge_tensor(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[2].shape = [1, 40_000, 40_000]


def negative_size(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[2].shape = [1, -3]


def many_dimensions(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[2].shape = [1] * 9


def short_weights(tree: schema.ModelT) -> None:
    tree.buffers[tree.subgraphs[0].tensors[3].buffer].data = np.zeros(7, np.uint8)


def lost_weights(tree: schema.ModelT) -> None:
    tree.buffers[tree.subgraphs[0].tensors[3].buffer].data = None


def lost_scale(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[4].quantization = None


def no_number_as_scale(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[4].quantization.scale = [float("nan")]


def scales_of_other_channels(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[3].quantization.scale = [0.5, 0.5]


def unknown_tensor(tree: schema.ModelT) -> None:
    tree.subgraphs[0].operators[0].inputs = [0, 99]


def unknown_kind(tree: schema.ModelT) -> None:
    tree.subgraphs[0].operators[0].opcodeIndex = 9


def operations_in_reverse(tree: schema.ModelT) -> None:
    tree.subgraphs[0].operators.reverse()


def name_in_no_script(tree: schema.ModelT) -> None:
    tree.subgraphs[0].tensors[5].name = b"sc\xe9res"


def no_operations(tree: schema.ModelT) -> None:
    tree.subgraphs[0].operators = []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (second_graph, "2 graphs"),
        (no_graph, "no entry 0"),
        (huge_tensor, "1.5 GiB at once"),
        (negative_size, "has the shape"),
        (many_dimensions, "has the shape"),
        (short_weights, "7 bytes instead of 30"),
        (lost_weights, "nothing has computed"),
        (lost_scale, "without a usable scale"),
        (no_number_as_scale, "without a usable scale"),
        (scales_of_other_channels, "without a usable scale"),
        (unknown_tensor, "not there"),
        (unknown_kind, "no kind"),
        (operations_in_reverse, "nothing has computed"),
        (no_operations, "computed by no operation"),
        (name_in_no_script, "not UTF-8"),
    ],
)
def test_what_native_code_would_trust_is_checked_first(
    tiny_model_bytes: bytes, change: Callable[[schema.ModelT], None], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        open_interpreter(changed(tiny_model_bytes, change), 1, DelegateName.CPU)


def test_good_models_pass(tiny_model_bytes: bytes, bundled_model: Path) -> None:
    check_graph(tiny_model_bytes)
    check_graph(bundled_model.read_bytes())


def test_what_is_of_no_more_use_takes_no_memory() -> None:
    """Tensors in a row make room for each other; eight of 100 MiB that the last one joins are needed at once."""
    check_graph(chain([[at - 1] for at in range(1, 21)]))
    with pytest.raises(ModelError, match=r"1\.0 GiB at once"):
        check_graph(chain([*([0] for _ in range(8)), list(range(1, 9))]))


def chain(inputs: list[list[int]]) -> bytes:
    """Return a graph of 100 MiB tensors, each made of those whose numbers are given; the first of them goes in."""
    shape = [100, 1 << 20]
    tensors = [schema.TensorT(shape, schema.TensorType.UINT8) for _ in range(len(inputs) + 1)]
    operators = [schema.OperatorT(0, each, [place]) for place, each in enumerate(inputs, 1)]
    graph = schema.SubGraphT(tensors, [0], [len(inputs)], operators)
    code = schema.BuiltinOperator.RESHAPE
    codes = [schema.OperatorCodeT(code, builtinCode=code)]
    return packed(schema.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=[schema.BufferT()]))


def test_a_fault_that_shows_only_when_the_model_runs_is_found_when_it_is_opened(tiny_model_bytes: bytes) -> None:
    """The axes of the tiny model's MEAN name a fifth one, which its kernel finds out when it runs, or before."""

    def change(tree: schema.ModelT) -> None:
        tree.buffers[tree.subgraphs[0].tensors[1].buffer].data = np.array([1, 9], "<i4").view(np.uint8)

    with pytest.raises(ModelError, match="interpreter refuses the model"):
        open_interpreter(changed(tiny_model_bytes, change), 1, DelegateName.CPU)
