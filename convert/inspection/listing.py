"""A model's contents as text for a terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence

from convert.inspection.contents import GraphFacts, ModelContents, OperatorFacts, Quantization, TensorFacts
from convert.inspection.preparing import describe_preparing
from edge_runtime.spec import ModelSpec
from edge_runtime.tables import format_table

_MAX_TEXT = 56
_MAX_LINE = 200


def format_contents(contents: ModelContents, spec: ModelSpec | None, refusal: str | None) -> str:
    """Return what `edge-convert inspect` prints.

    Args:
        contents: What the file contains.
        spec: What `edge-run` reads from the file; None where it refuses it.
        refusal: Why it does.
    """
    blocks = ["\n".join(f"{name:<14}{value}" for name, value in (*_facts(contents), *_runs(contents, spec, refusal)))]
    for graph in contents.graphs:
        blocks += [_ends(graph), _kinds(graph), _operators(graph)]
    return "\n\n".join(blocks)


def plain(text: str, limit: int = _MAX_TEXT) -> str:
    """Return text that is safe and short enough for one cell; a file may hold escape sequences for the terminal."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def format_shape(shape: Sequence[int]) -> str:
    """Return a shape as `1x224x224x3`; `?` stands for a size known only when the model runs."""
    return "x".join("?" if size < 0 else str(size) for size in shape) or "scalar"


def _facts(contents: ModelContents) -> list[tuple[str, str]]:
    packed = ", ".join(f"{plain(name)} ({size:,} bytes)" for name, size in contents.packed_files.items())
    stated = {key: plain(text, _MAX_LINE) for key, text in contents.texts.items()}
    return [
        ("name", " ".join(stated[key] for key in ("name", "version") if key in stated) or "not stated"),
        ("licence", stated.get("license", "not stated")),
        ("author", stated.get("author", "not stated")),
        ("description", stated.get("description", "not stated")),
        ("size", f"{contents.size / 1e6:.2f} MB ({contents.size:,} bytes)"),
        ("sha256", contents.sha256),
        ("schema", f"{contents.version}, written by {plain(contents.description) or 'an unnamed converter'}"),
        ("metadata", ", ".join(plain(name) for name in contents.metadata) or "none"),
        ("packed files", packed or "none"),
        *(("quantisation", _quantisation(graph)) for graph in contents.graphs[:1]),
    ]


def _runs(contents: ModelContents, spec: ModelSpec | None, refusal: str | None) -> list[tuple[str, str]]:
    if spec is None:
        return [("edge-run", f"refuses it: {plain(refusal or '', 400)}")]
    graph = contents.graphs[0]
    return [("edge-run", _labels(spec)), ("picture", describe_preparing(spec.input, graph.tensors[graph.inputs[0]]))]


def _quote(label: str) -> str:
    """Return a label that has a comma in quotes, since labels are parted by commas."""
    return f'"{label}"' if "," in label else label


def _labels(spec: ModelSpec) -> str:
    described = [_answers(plain(head.name), head.labels, head.threshold) for head in spec.heads]
    if spec.detection is not None:
        found = _answers("boxes", spec.detection.labels, spec.detection.threshold)
        described.append(f"{found}, rows per box {spec.detection.labels_per_box}")
    return "; ".join(["takes it", *described])


def _answers(name: str, labels: Sequence[str], threshold: float) -> str:
    listed = plain(", ".join(map(_quote, labels)), 120)
    return f"{name} of {len(labels)} labels ({listed}), threshold {threshold:.3g}"


def _quantisation(graph: GraphFacts) -> str:
    types = Counter(tensor.type for tensor in graph.tensors)
    listed = ", ".join(f"{count} {kind}" for kind, count in types.most_common())
    floats = len(graph.float_tensors)
    if floats == 0:
        verdict = "full integer, no float tensor"
    elif any(tensor.quantization for tensor in graph.tensors):
        verdict = f"in part: {floats} of {len(graph.tensors)} tensors are float"
    else:
        verdict = "none"
    return f"{verdict} ({listed}; {_weight_scales(graph)})"


def _weight_scales(graph: GraphFacts) -> str:
    weights = [tensor.quantization for tensor in graph.tensors if tensor.is_constant and len(tensor.shape) > 1]
    scales = [each.channels for each in weights if each is not None]
    per_channel = sum(channels > 1 for channels in scales)
    return f"weights: {per_channel} per channel, {len(scales) - per_channel} per tensor"


def _ends(graph: GraphFacts) -> str:
    rows: list[tuple[str, ...]] = [("", "meaning", "signature", "tensor", "type", "shape", "scale", "zero point")]
    inputs, outputs = (graph.inputs, graph.input_names), (graph.outputs, graph.output_names)
    for title, (indices, named) in (("input", inputs), ("output", outputs)):
        for index, names in zip(indices, named, strict=True):
            called = (plain(name or "-") for name in (names.metadata, names.signature))
            rows.append((title, *called, *_describe(graph.tensors[index])))
    return format_table(rows)


def _describe(tensor: TensorFacts) -> tuple[str, str, str, str, str]:
    scale, zero_point = _parameters(tensor.quantization)
    return plain(tensor.name), tensor.type, format_shape(tensor.shape), scale, zero_point


def _parameters(quantization: Quantization | None) -> tuple[str, str]:
    if quantization is None:
        return "-", "-"
    low, high = quantization.scale_min, quantization.scale_max
    scale = f"{low:.6g}" if low == high else f"{low:.3g} to {high:.3g}"
    first, last = quantization.zero_point_min, quantization.zero_point_max
    return scale, str(first) if first == last else f"{first} to {last}"


def _kinds(graph: GraphFacts) -> str:
    counts = Counter((plain(each.kind), str(each.version)) for each in graph.operators)
    rows = [("operation", "version", "count"), *((*kind, str(count)) for kind, count in counts.most_common())]
    return format_table(rows, right=frozenset({1, 2}))


def _operators(graph: GraphFacts) -> str:
    rows: list[tuple[str, ...]] = [("#", "operation", "type", "shape", "scale", "zero point", "weights", "scales")]
    rows += [row for operator in graph.operators for row in _operator_rows(graph, operator)]
    return format_table(rows, right=frozenset({0}))


def _operator_rows(graph: GraphFacts, operator: OperatorFacts) -> Iterator[tuple[str, ...]]:
    weights = next((graph.tensors[at] for at in operator.inputs if at >= 0 and _is_weight(graph.tensors[at])), None)
    kernel = "-" if weights is None else f"{weights.type} {format_shape(weights.shape)}"
    channels = "-" if weights is None or weights.quantization is None else str(weights.quantization.channels)
    for at, index in enumerate(operator.outputs):
        first = (str(operator.index), plain(operator.kind)) if at == 0 else ("", "")
        yield (*first, *_describe(graph.tensors[index])[1:], kernel, channels)


def _is_weight(tensor: TensorFacts) -> bool:
    return tensor.is_constant and len(tensor.shape) > 1
