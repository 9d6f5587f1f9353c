from importlib import resources

import flatbuffers
import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert")

from convert.model_tree import pack_tree, read_tree  # noqa: E402

# Quantised per channel, as every classifier here is.
CLASSIFIER = resources.files("edge_runtime").joinpath("models/garment_classifier.tflite").read_bytes()


def test_equal_vectors_are_written_once() -> None:
    plain = flatbuffers.Builder(1 << 20)
    plain.Finish(read_tree(CLASSIFIER).Pack(plain))
    assert len(pack_tree(read_tree(CLASSIFIER))) < 0.95 * len(plain.Output())


def test_a_packed_model_has_the_same_quantisation_and_data() -> None:
    before, after = read_tree(CLASSIFIER), read_tree(pack_tree(read_tree(CLASSIFIER)))
    for tensor, packed in zip(before.subgraphs[0].tensors, after.subgraphs[0].tensors, strict=True):
        np.testing.assert_array_equal(packed.shape, tensor.shape)
        np.testing.assert_array_equal(packed.quantization.scale, tensor.quantization.scale)
        np.testing.assert_array_equal(packed.quantization.zeroPoint, tensor.quantization.zeroPoint)
        np.testing.assert_array_equal(after.buffers[packed.buffer].data, before.buffers[tensor.buffer].data)


def test_the_data_of_a_packed_model_is_aligned() -> None:
    packed = pack_tree(read_tree(CLASSIFIER))
    model = schema.Model.GetRootAs(packed, 0)
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    starts = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in buffers if buffer.DataLength()]
    assert {start % 16 for start in starts} == {0}
