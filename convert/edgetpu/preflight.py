"""Says of each operation of a model whether the Edge TPU will take it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from convert.edgetpu.rules import Objection, Operation, Placement, object_to
from convert.inspection.contents import FLOAT_TYPES, GraphFacts, ModelContents, OperatorFacts
from convert.inspection.listing import plain
from edge_runtime.backend import EDGETPU_OP
from edge_runtime.errors import ModelError
from edge_runtime.tables import format_table

# What makes bytes of a float input; the compiler leaves it to the CPU and goes on behind it.
_HEAD: Final = "QUANTIZE"
# What a detector or a float output ends in; it is meant for the CPU, and nothing follows it that could be lost.
_TAIL: Final = frozenset({"DEQUANTIZE", "TFLite_Detection_PostProcess"})
# Compilers report 7 MiB of the 8 MB on the chip as free for parameters; the rest holds the program.
_PARAMETER_BYTES: Final = 7 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where one operation will run, and why.

    Attributes:
        index: Its place in the order of execution, from 0.
        kind: Its name.
        placement: Where it runs if it is looked at alone.
        reason: Why it may not run on the Edge TPU; empty where it does.
        remedy: What to change; empty where nothing has to be.
    """

    index: int
    kind: str
    placement: Placement
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is to be expected of a model on the Edge TPU.

    Attributes:
        verdicts: One per operation, in order of execution.
        first: Index of the first operation that is meant for the Edge TPU: behind what makes bytes of float inputs.
        breaks: The first operation from there on that cannot be delegated, but for a detector's tail; the compiler
            leaves it and everything after it to the CPU. None where there is none.
        parameter_bytes: Size of the weights, but for a detector's tail.
    """

    verdicts: tuple[Verdict, ...]
    first: int
    breaks: Verdict | None
    parameter_bytes: int

    @property
    def delegated(self) -> int:
        """How many operations run on the Edge TPU: those from `first` to the next one that does not."""
        meant = self.verdicts[self.first :]
        return next((at for at, verdict in enumerate(meant) if verdict.placement is Placement.CPU), len(meant))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**dataclasses.asdict(self), "delegated": self.delegated}


def preflight_model(contents: ModelContents) -> Preflight:
    """Judge each operation of a model by Coral's table.

    Raises:
        ModelError: The model is compiled for the Edge TPU already, or is not one graph.
    """
    if len(contents.graphs) != 1:
        raise ModelError(f"The model has {len(contents.graphs)} graphs, the Edge TPU takes one; remove control flow.")
    graph = contents.graphs[0]
    if any(operator.kind == EDGETPU_OP for operator in graph.operators):
        raise ModelError("The model is compiled for the Edge TPU already; give the file that it was compiled from.")
    verdicts = tuple(_judge(graph, operator) for operator in graph.operators)
    first = sum(1 for _ in takewhile(lambda operator: _is_head(graph, operator), graph.operators))
    tail = next((at for at in range(len(verdicts), 0, -1) if verdicts[at - 1].kind not in _TAIL), 0)
    stops = (verdict for verdict in verdicts[first:tail] if verdict.placement is Placement.CPU)
    return Preflight(verdicts, first, next(stops, None), _count_weights(graph, graph.operators[:tail]))


def format_preflight(preflight: Preflight) -> str:
    """Return what `edge-convert preflight` prints."""
    rows = [("#", "operation", "where", "why not the Edge TPU")]
    rows += [
        (str(each.index), plain(each.kind), each.placement.value, plain(each.reason, 100))
        for each in preflight.verdicts
    ]
    table = format_table(rows, right=frozenset({0}))
    return "\n".join([table, "", *_summary(preflight)])


def describe_break(verdict: Verdict) -> str:
    """Return one sentence about the operation that ends delegation, with its remedy."""
    where = f"Operation {verdict.index}, {plain(verdict.kind)}, breaks delegation"
    return f"{where}: {plain(verdict.reason, 100)}; {verdict.remedy}."


def _is_head(graph: GraphFacts, operator: OperatorFacts) -> bool:
    floats = {index for index in graph.inputs if graph.tensors[index].type in FLOAT_TYPES}
    return operator.kind == _HEAD and floats.issuperset(operator.inputs)


def _count_weights(graph: GraphFacts, operators: Sequence[OperatorFacts]) -> int:
    """Return the bytes of the constants that operations take; several tensors may be of the same ones."""
    taken = {index for operator in operators for index in operator.inputs if index >= 0}
    buffers = [data for index in taken if (data := graph.tensors[index].data) is not None]
    return sum({data.ctypes.data: data.nbytes for data in buffers}.values())


def _judge(graph: GraphFacts, operator: OperatorFacts) -> Verdict:
    objection: Objection | None = object_to(Operation(operator, graph))
    if objection is None:
        return Verdict(operator.index, operator.kind, Placement.EDGE_TPU)
    return Verdict(operator.index, operator.kind, objection.placement, objection.reason, objection.remedy)


def _summary(preflight: Preflight) -> list[str]:
    lines = [
        f"{preflight.delegated} of {len(preflight.verdicts)} operations can run on the Edge TPU, by Coral's table."
    ]
    unsure = [verdict for verdict in preflight.verdicts if verdict.placement is Placement.UNSURE]
    lines += sorted({f"Unsure about {plain(each.kind)}: {each.reason}; {each.remedy}." for each in unsure})
    if preflight.parameter_bytes > _PARAMETER_BYTES:
        size = preflight.parameter_bytes / (1 << 20)
        lines.append(f"Its {size:.1f} MiB of weights exceed the 7 MiB on the chip: the rest is sent for every frame.")
    return lines
