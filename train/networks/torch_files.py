"""Reading weights that PyTorch saved, without PyTorch.

This is the layout of `torch.save` before version 1.6, as `torch/serialization.py` documents it: five pickles (a magic
number, the protocol, the system, the objects, the keys of the storages), then each storage's count of elements as a
64-bit integer with the elements behind it.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage that has not been read yet; offset and strides count elements."""

    storage: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_weights(path: Path) -> Mapping[str, NDArray[Any]]:
    """Read a dictionary of tensors.

    Args:
        path: A file that `torch.save` of before 1.6 wrote.

    Returns:
        Arrays by name, in PyTorch's order of axes (a convolution's kernel is OIHW).

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not such a file, is cut off, or holds anything but tensors.
    """
    with path.open("rb") as file:
        try:
            return _read(file)
        except (
            pickle.UnpicklingError,
            EOFError,
            struct.error,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:
            raise ValueError(f"{path} does not read as PyTorch weights: {error}") from error


def _read(file: BinaryIO) -> Mapping[str, NDArray[Any]]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it does not begin as such a file does")
    _protocol, _system, tensors, keys = (_Unpickler(file).load() for _ in range(4))
    dtypes = {tensor.storage: tensor.dtype for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: _view(storages[tensor.storage], tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype, count)


def _view(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.strides)) < 0 or last >= storage.size:
        raise ValueError("a tensor lies outside its storage")
    steps = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, steps, writeable=False)


def _rebuild_tensor(storage: tuple[str, np.dtype[Any]], offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    return _Tensor(*storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Knows the few names that a dictionary of tensors is made of, so that a file cannot call anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any]]:
        _, dtype, key, *_ = pid
        return key, dtype
