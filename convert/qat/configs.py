"""How the model optimisation toolkit is to round each layer. Import it after `load_toolkit`.

The toolkit's own configurations round depthwise kernels with one scale for all channels, which the converter does not.
"""

from typing import Any, Final

import tensorflow as tf
import tensorflow_model_optimization as optimization

from convert.qat.rounding import round_kernel

_toolkit: Final = optimization.quantization.keras
_BITS: Final = 8


class KernelQuantizer(_toolkit.quantizers.Quantizer):  # type: ignore[misc, name-defined]
    """Rounds a kernel by output channel."""

    def __init__(self, *, depthwise: bool) -> None:
        self._depthwise = depthwise

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> tf.Tensor:
        return round_kernel(inputs, depthwise=self._depthwise)

    def get_config(self) -> dict[str, Any]:
        return {"depthwise": self._depthwise}


class LayerConfig(_toolkit.QuantizeConfig):  # type: ignore[misc, name-defined]
    """Rounds a layer's kernel, where it has one, and its output, where the int8 file stores it."""

    def __init__(self, kernel: str | None, rounds_output: bool) -> None:
        """Choose what is rounded.

        Args:
            kernel: The layer's attribute that holds the kernel; None where it has none.
            rounds_output: Whether to round the output.
        """
        self._kernel = kernel
        self._rounds_output = rounds_output

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        if self._kernel is None:
            return []
        return [(getattr(layer, self._kernel), KernelQuantizer(depthwise=self._kernel != "kernel"))]

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        for weight in quantize_weights:
            setattr(layer, self._kernel or "", weight)

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        return []

    # It has nothing to convert, and AutoGraph warns of that.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        """Do nothing: activations are layers of their own here."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        if not self._rounds_output:
            return []
        # From the least to the largest value ever seen, as the converter takes it.
        return [_toolkit.quantizers.AllValuesQuantizer(_BITS, per_axis=False, symmetric=False, narrow_range=False)]

    def get_config(self) -> dict[str, Any]:
        return {"kernel": self._kernel, "rounds_output": self._rounds_output}
