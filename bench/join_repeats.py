"""Let a finished model repeat pixels by one operation, where Keras's UpSampling2D has become five.

python bench/join_repeats.py old.tflite new.tflite

The converter writes nearest upsampling by 2 as RESHAPE, TILE, RESHAPE, TILE, RESHAPE over tensors of five dimensions,
which no Edge TPU takes. RESIZE_NEAREST_NEIGHBOR copies the same values. `edge-train detect` has built its pyramids with
that operation since; this is for files from before, whose Keras models are gone.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from convert.metadata_writer import add_metadata
from convert.model_tree import add_buffer, add_tensor, pack_tree, read_tree
from edge_runtime.files import write_bytes
from edge_runtime.metadata.reading import read_spec

_KIND = schema.BuiltinOperator
_REPEAT = (_KIND.RESHAPE, _KIND.TILE, _KIND.RESHAPE, _KIND.TILE, _KIND.RESHAPE)


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
def main(old: Path, new: Path) -> None:
    """Write the model OLD to NEW with its repeats joined."""
    content = old.read_bytes()
    tree = read_tree(content)
    joined = _join(tree)
    write_bytes(new, add_metadata(pack_tree(tree), read_spec(content)))
    click.echo(f"{joined} joined; {len(content):,} bytes before, {new.stat().st_size:,} after")


def _join(tree: Any) -> int:
    """Join every repeat of a model's only graph; return how many there were."""
    graph = tree.subgraphs[0]
    kinds = [tree.operatorCodes[each.opcodeIndex].builtinCode for each in graph.operators]
    starts = [at for at in range(len(kinds)) if tuple(kinds[at : at + len(_REPEAT)]) == _REPEAT]
    starts = [at for at in starts if _is_chain(graph.operators[at : at + len(_REPEAT)])]
    for at in reversed(starts):
        group = graph.operators[at : at + len(_REPEAT)]
        graph.operators[at : at + len(_REPEAT)] = [_resize(tree, group[0].inputs[0], group[-1].outputs[0])]
    _drop_unused_tensors(tree)
    return len(starts)


def _is_chain(operators: Iterable[Any]) -> bool:
    first, *others = operators
    output = first.outputs[0]
    for each in others:
        if each.inputs[0] != output:
            return False
        output = each.outputs[0]
    return True


def _resize(tree: Any, source: int, target: int) -> Any:
    _, height, width, _ = (int(side) for side in tree.subgraphs[0].tensors[target].shape)
    size = np.array([height, width], np.int32)
    constant = schema.TensorT([2], schema.TensorType.INT32, add_buffer(tree, size), f"size_{height}x{width}")
    code = schema.OperatorCodeT(_KIND.RESIZE_NEAREST_NEIGHBOR, None, 2, _KIND.RESIZE_NEAREST_NEIGHBOR)
    tree.operatorCodes.append(code)
    return schema.OperatorT(
        len(tree.operatorCodes) - 1,
        [source, add_tensor(tree, constant)],
        [target],
        schema.BuiltinOptions.ResizeNearestNeighborOptions,
        schema.ResizeNearestNeighborOptionsT(),
    )


def _drop_unused_tensors(tree: Any) -> None:
    graph = tree.subgraphs[0]
    used = {index for each in graph.operators for index in (*each.inputs, *each.outputs) if index >= 0}
    kept = sorted(used | {*graph.inputs, *graph.outputs})
    place = {index: at for at, index in enumerate(kept)} | {-1: -1}
    for each in graph.operators:
        each.inputs, each.outputs = ([place[int(index)] for index in side] for side in (each.inputs, each.outputs))
    graph.inputs, graph.outputs = ([place[int(index)] for index in side] for side in (graph.inputs, graph.outputs))
    for signature in tree.signatureDefs or []:
        for each in (*signature.inputs, *signature.outputs):
            each.tensorIndex = place[each.tensorIndex]
    graph.tensors = [graph.tensors[index] for index in kept]


if __name__ == "__main__":
    main()
