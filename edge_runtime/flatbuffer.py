"""A reader of FlatBuffers tables that trusts no byte.

A device should not need a second package to read the model file it runs, and the generated readers follow any offset
they meet. Here every offset, count and length is checked against the data first, so damaged bytes end in one
`FlatBufferError`, in little time and little memory.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# No list that is read whole (shapes, means, indices, metadata) is longer; a damaged count costs no time or memory.
_MAX_LISTED: Final = 4096


class FlatBufferError(Exception):
    """Bytes that are not the FlatBuffers table they should be."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table within a FlatBuffers file; fields are read when asked for.

    A field that is absent reads as 0, None or empty, as the FlatBuffers format has it. Every method raises
    `FlatBufferError` when an offset, count or length points outside the data.

    Attributes:
        data: The whole file.
        position: Byte at which the table starts.
    """

    data: bytes
    position: int

    def has(self, slot: int) -> bool:
        """Tell whether a field is there; one that is absent has its default, which need not be 0."""
        return self._field(slot) is not None

    def int8(self, slot: int) -> int:
        """Return a byte or enumeration value in [-128, 127]."""
        return int(self._scalar(slot, "<b"))

    def int32(self, slot: int) -> int:
        """Return a signed 32 bit number."""
        return int(self._scalar(slot, "<i"))

    def uint32(self, slot: int) -> int:
        """Return an unsigned 32 bit number."""
        return int(self._scalar(slot, "<I"))

    def float32(self, slot: int) -> float:
        """Return a 32 bit float, possibly infinite or NaN."""
        return float(self._scalar(slot, "<f"))

    def int32s(self, slot: int) -> tuple[int, ...]:
        """Return a vector of signed 32 bit numbers, at most 4096 of them."""
        return self._numbers(slot, "i")

    def float32s(self, slot: int) -> tuple[float, ...]:
        """Return a vector of 32 bit floats, at most 4096 of them."""
        return self._numbers(slot, "f")

    def array(self, slot: int, dtype: str) -> NDArray[Any]:
        """Return a vector of numbers of any length as a read-only view of the data; empty when absent.

        Args:
            slot: The field.
            dtype: numpy's name of the numbers' type with its byte order, for example `<f4`.
        """
        field = self._field(slot)
        if field is None:
            return np.empty(0, dtype)
        start, length = _vector(self.data, _target(self.data, field), np.dtype(dtype).itemsize)
        return np.frombuffer(self.data, dtype, length, start)

    def blob(self, slot: int) -> bytes | None:
        """Return a vector of bytes."""
        field = self._field(slot)
        if field is None:
            return None
        start, length = _vector(self.data, _target(self.data, field), 1)
        return self.data[start : start + length]

    def string(self, slot: int) -> str | None:
        """Return a UTF-8 string."""
        encoded = self.blob(slot)
        try:
            return None if encoded is None else encoded.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FlatBufferError("a string is not UTF-8") from error

    def table(self, slot: int) -> "Table | None":
        """Return a table held by this one."""
        field = self._field(slot)
        return None if field is None else Table(self.data, _target(self.data, field))

    def union(self, type_slot: int) -> tuple[int, "Table | None"]:
        """Return a union's type number and its table; FlatBuffers puts the table in the slot after the type's."""
        return self.int8(type_slot), self.table(type_slot + 1)

    def count(self, slot: int) -> int:
        """Return the length of a vector of tables."""
        field = self._field(slot)
        return 0 if field is None else _vector(self.data, _target(self.data, field), 4)[1]

    def table_at(self, slot: int, index: int) -> "Table":
        """Return one table of a vector of tables.

        Raises:
            FlatBufferError: There is no such index, or the data are damaged.
        """
        field = self._field(slot)
        start, length = (0, 0) if field is None else _vector(self.data, _target(self.data, field), 4)
        if not 0 <= index < length:
            raise FlatBufferError(f"a list of {length} has no entry {index}")
        return Table(self.data, _target(self.data, start + 4 * index))

    def tables(self, slot: int) -> Iterator["Table"]:
        """Yield the tables of a vector of tables, at most 4096 of them, one by one."""
        for index in range(_listed(self.count(slot))):
            yield self.table_at(slot, index)

    def _scalar(self, slot: int, kind: str) -> float:
        field = self._field(slot)
        return 0 if field is None else _number(self.data, kind, field)

    def _numbers(self, slot: int, kind: str) -> tuple[Any, ...]:
        field = self._field(slot)
        if field is None:
            return ()
        start, length = _vector(self.data, _target(self.data, field), 4)
        return struct.unpack_from(f"<{_listed(length)}{kind}", self.data, start)

    def _field(self, slot: int) -> int | None:
        """Return the byte at which a field starts, or None when the table leaves it out."""
        vtable = self.position - int(_number(self.data, "<i", self.position))
        entry = 4 + 2 * slot
        if entry + 2 > _number(self.data, "<H", vtable):
            return None
        offset = int(_number(self.data, "<H", vtable + entry))
        return self.position + offset if offset else None


def root_table(data: bytes) -> Table:
    """Return the outermost table of a FlatBuffers file.

    Raises:
        FlatBufferError: The data are too short to hold one.
    """
    return Table(data, _target(data, 0))


def _number(data: bytes, kind: str, position: int) -> float:
    # struct counts a negative position from the end, which would hide a damaged offset.
    if not 0 <= position <= len(data) - struct.calcsize(kind):
        raise FlatBufferError(f"an offset points to byte {position} of {len(data)}")
    number: float = struct.unpack_from(kind, data, position)[0]
    return number


def _listed(length: int) -> int:
    if length > _MAX_LISTED:
        raise FlatBufferError(f"a list of {length} is too long")
    return length


def _target(data: bytes, position: int) -> int:
    return position + int(_number(data, "<I", position))


def _vector(data: bytes, position: int, item_size: int) -> tuple[int, int]:
    """Return the first item's byte and the number of items, all of them within the data."""
    length = int(_number(data, "<I", position))
    if length * item_size > len(data) - position - 4:
        raise FlatBufferError(f"a list of {length} runs past the end of the data")
    return position + 4, length
