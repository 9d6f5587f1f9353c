import io
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from train.networks.torch_files import read_torch_weights

MAGIC = 0x1950A86A20F9469CFC6C


class FloatStorage:
    """Stands for PyTorch's class in the pickles; only its name is written."""


class LongStorage:
    """See `FloatStorage`."""


def _rebuild_tensor_v2() -> None:
    """Stands for PyTorch's function in the pickles; only its name is written."""


class Tensor:
    """Pickles as PyTorch's tensors do."""

    def __init__(self, array: np.ndarray, offset: int = 0) -> None:
        self.array, self.offset = array, offset

    def __reduce__(self) -> tuple[Any, ...]:
        strides = tuple(step // self.array.itemsize for step in self.array.strides)
        return _rebuild_tensor_v2, (self, self.offset, self.array.shape, strides, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        # The tensor's own reduction names it once more, as the storage that it is a view of.
        if isinstance(obj, Tensor) and getattr(obj, "seen", False):
            kind = FloatStorage if obj.array.dtype == np.float32 else LongStorage
            return ("storage", kind, str(id(obj)), "cpu", obj.array.size, None)
        if isinstance(obj, Tensor):
            obj.seen = True  # type: ignore[attr-defined]
        return None


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-ins be pickled under PyTorch's names, whether or not PyTorch is installed."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for module, things in ((torch, (FloatStorage, LongStorage)), (utils, (_rebuild_tensor_v2,))):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        for thing in things:
            monkeypatch.setattr(thing, "__module__", module.__name__)
            setattr(module, thing.__name__, thing)


def write(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    content = io.BytesIO()
    for value in (MAGIC, 1001, {}):
        pickle.dump(value, content, protocol=2)
    _Pickler(content, protocol=2).dump(OrderedDict(tensors))
    pickle.dump([str(id(tensor)) for tensor in tensors.values()], content, protocol=2)
    for tensor in tensors.values():
        content.write(struct.pack("<q", tensor.array.size))
        # As it lies in memory, whatever the order of its axes.
        content.write(np.lib.stride_tricks.as_strided(tensor.array, (tensor.array.size,), (4,)).tobytes())
    path.write_bytes(content.getvalue())
    return path


def test_tensors_come_back_whatever_the_order_of_their_axes_in_memory(tmp_path: Path) -> None:
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    read = read_torch_weights(write(tmp_path / "w.pth", {"kernel": Tensor(kernel), "turned": Tensor(turned)}))
    assert list(read) == ["kernel", "turned"]
    np.testing.assert_array_equal(read["kernel"], kernel)
    np.testing.assert_array_equal(read["turned"], turned)
    assert read["kernel"].dtype == np.float32


def test_a_view_outside_its_storage_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "w.pth", {"kernel": Tensor(np.zeros(4, np.float32), offset=1)})
    with pytest.raises(ValueError, match="outside its storage"):
        read_torch_weights(file)


def test_a_file_that_calls_anything_is_refused(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "owned",)

    file = write(tmp_path / "w.pth", {"kernel": Tensor(np.zeros(4, np.float32))})
    start = file.read_bytes()[: len(pickle.dumps(MAGIC, protocol=2))]
    file.write_bytes(start + pickle.dumps(Attack(), protocol=2))
    with pytest.raises(ValueError, match="it names"):
        read_torch_weights(file)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    content = write(tmp_path / "w.pth", {"kernel": Tensor(np.zeros(100, np.float32))}).read_bytes()
    (tmp_path / "cut.pth").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="does not read"):
        read_torch_weights(tmp_path / "cut.pth")


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(ValueError, match="does not read"):
        read_torch_weights(tmp_path / "w.pth")
