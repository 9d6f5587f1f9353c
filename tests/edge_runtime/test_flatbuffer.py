import random
import struct

import flatbuffers
import numpy as np
import pytest

from edge_runtime.flatbuffer import FlatBufferError, Table, root_table

TEXT, NUMBERS, CODE, COUNT, SHARE, UNION_TYPE, UNION, CHILDREN, FLOATS, ABSENT = range(10)


def build_table() -> bytes:
    builder = flatbuffers.Builder(0)
    children = []
    for code in (5, 6, 7):
        builder.StartObject(CODE + 1)
        builder.PrependInt8Slot(CODE, code, 0)
        children.append(builder.EndObject())
    builder.StartVector(4, 3, 4)
    for child in reversed(children):
        builder.PrependUOffsetTRelative(child)
    vector = builder.EndVector()
    text = builder.CreateString("größe")
    numbers = builder.CreateNumpyVector(np.array([1, -2, 300], "<i4"))
    floats = builder.CreateNumpyVector(np.array([0.5, -1.5], "<f4"))
    builder.StartObject(ABSENT)
    for slot, offset in ((TEXT, text), (NUMBERS, numbers), (CHILDREN, vector), (FLOATS, floats), (UNION, children[1])):
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.PrependInt8Slot(CODE, -3, 0)
    builder.PrependUint8Slot(UNION_TYPE, 2, 0)
    builder.PrependUint32Slot(COUNT, 2**32 - 1, 0)
    builder.PrependFloat32Slot(SHARE, 0.25, 0.0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def data() -> bytes:
    return build_table()


@pytest.fixture
def table(data: bytes) -> Table:
    return root_table(data)


def read_everything(data: bytes) -> None:
    table = root_table(data)
    for slot in range(ABSENT + 1):
        for read in (table.int8, table.uint32, table.float32, table.int32s, table.float32s, table.blob, table.string):
            try:
                read(slot)
            except FlatBufferError:
                continue
    table.union(UNION_TYPE)
    for child in table.tables(CHILDREN):
        child.int8(CODE)


def test_scalars(table: Table) -> None:
    assert table.int8(CODE) == -3
    assert table.uint32(COUNT) == 2**32 - 1
    assert table.float32(SHARE) == 0.25


def test_text_and_numbers(table: Table) -> None:
    assert table.string(TEXT) == "größe"
    assert table.blob(TEXT) == "größe".encode()
    assert table.int32s(NUMBERS) == (1, -2, 300)
    assert table.float32s(FLOATS) == (0.5, -1.5)


def test_tables(table: Table) -> None:
    assert table.count(CHILDREN) == 3
    assert [child.int8(CODE) for child in table.tables(CHILDREN)] == [5, 6, 7]
    assert table.table_at(CHILDREN, 2).int8(CODE) == 7


def test_union(table: Table) -> None:
    kind, child = table.union(UNION_TYPE)
    assert kind == 2
    assert child is not None
    assert child.int8(CODE) == 6


def test_absent_fields_are_empty(table: Table) -> None:
    assert table.int8(ABSENT) == 0
    assert table.string(ABSENT) is None
    assert table.blob(ABSENT) is None
    assert table.table(ABSENT) is None
    assert table.int32s(ABSENT) == ()
    assert table.count(ABSENT) == 0
    assert list(table.tables(ABSENT)) == []


@pytest.mark.parametrize("index", [-1, 3, 2**31])
def test_no_such_entry(table: Table, index: int) -> None:
    with pytest.raises(FlatBufferError, match="no entry"):
        table.table_at(CHILDREN, index)


def test_text_must_be_utf8(data: bytes) -> None:
    with pytest.raises(FlatBufferError, match="UTF-8"):
        root_table(data.replace("ö".encode(), b"\xff\xff")).string(TEXT)


def test_a_table_cannot_start_before_the_data() -> None:
    # The offset back to the vtable leads to byte -4, which struct alone would read from the end.
    with pytest.raises(FlatBufferError, match="offset"):
        root_table(struct.pack("<IiI", 4, 8, 0)).int8(0)


def test_lists_longer_than_the_data_are_refused(data: bytes) -> None:
    forged = data.replace(struct.pack("<Ii", 3, 1), struct.pack("<Ii", 2**31, 1))
    with pytest.raises(FlatBufferError, match="past the end"):
        root_table(forged).int32s(NUMBERS)


def test_lists_of_absurd_length_are_refused(data: bytes) -> None:
    forged = data.replace(struct.pack("<Ii", 3, 1), struct.pack("<Ii", 5000, 1)) + bytes(20_000)
    with pytest.raises(FlatBufferError, match="too long"):
        root_table(forged).int32s(NUMBERS)


def test_cut_short_anywhere(data: bytes) -> None:
    for length in range(4):
        with pytest.raises(FlatBufferError):
            root_table(data[:length])
    for length in range(len(data)):
        try:
            read_everything(data[:length])
        except FlatBufferError:
            continue


def test_any_byte_may_be_wrong(data: bytes) -> None:
    generator = random.Random(1)
    for _ in range(500):
        damaged = bytearray(data)
        damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        try:
            read_everything(bytes(damaged))
        except FlatBufferError:
            continue


def test_views_of_numbers(table: Table) -> None:
    numbers = table.array(NUMBERS, "<i4")
    assert numbers.tolist() == [1, -2, 300]
    assert not numbers.flags.writeable
    assert table.array(TEXT, "u1").tobytes().decode() == "größe"
    assert len(table.array(ABSENT, "<f4")) == 0


def test_present_fields_are_told_from_absent_ones(table: Table) -> None:
    assert table.has(CODE)
    assert not table.has(ABSENT)


def test_a_view_never_leaves_the_data(data: bytes) -> None:
    with pytest.raises(FlatBufferError, match="past the end"):
        root_table(data.replace(struct.pack("<Ii", 3, 1), struct.pack("<Ii", 99, 1))).array(NUMBERS, "<i4")
