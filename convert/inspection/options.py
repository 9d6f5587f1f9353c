"""Which options of which operations are read, and where they lie in the public `schema.fbs`."""

from collections.abc import Mapping
from typing import Final

from edge_runtime.flatbuffer import Table

# Per operation: name, slot, whether it takes one byte (else four), and the value that an absent field has.
_Field = tuple[str, int, bool, int]

_ACTIVATION: Final = "fused_activation"
_STRIDES: Final[tuple[_Field, ...]] = (("stride_w", 1, False, 0), ("stride_h", 2, False, 0))

_FIELDS: Final[Mapping[str, tuple[_Field, ...]]] = {
    "ADD": ((_ACTIVATION, 0, True, 0),),
    "SUB": ((_ACTIVATION, 0, True, 0),),
    "MUL": ((_ACTIVATION, 0, True, 0),),
    "CONV_2D": (*_STRIDES, (_ACTIVATION, 3, True, 0), ("dilation_w", 4, False, 1), ("dilation_h", 5, False, 1)),
    "DEPTHWISE_CONV_2D": (
        *_STRIDES,
        (_ACTIVATION, 4, True, 0),
        ("dilation_w", 5, False, 1),
        ("dilation_h", 6, False, 1),
    ),
    "AVERAGE_POOL_2D": (*_STRIDES, (_ACTIVATION, 5, True, 0)),
    "MAX_POOL_2D": (*_STRIDES, (_ACTIVATION, 5, True, 0)),
    "FULLY_CONNECTED": ((_ACTIVATION, 0, True, 0), ("weights_format", 1, True, 0)),
    "CONCATENATION": (("axis", 0, False, 0), (_ACTIVATION, 1, True, 0)),
    "L2_NORMALIZATION": ((_ACTIVATION, 0, True, 0),),
    "PACK": (("axis", 1, False, 0),),
    "STRIDED_SLICE": (("ellipsis_mask", 2, False, 0), ("new_axis_mask", 3, False, 0)),
    "TRANSPOSE_CONV": (*_STRIDES, (_ACTIVATION, 3, True, 0)),
}


def read_options(kind: str, table: Table | None) -> Mapping[str, int]:
    """Return an operation's options by name; empty for kinds whose options are not read.

    Args:
        kind: Name of the operation, for example `CONV_2D`.
        table: Its table of options; None where the file has none, and every option has its default.

    Raises:
        FlatBufferError: The table is damaged.
    """
    return {name: _read(table, slot, byte, default) for name, slot, byte, default in _FIELDS.get(kind, ())}


def _read(table: Table | None, slot: int, byte: bool, default: int) -> int:
    if table is None or not table.has(slot):
        return default
    return table.int8(slot) if byte else table.int32(slot)
