"""Everything a model file says about itself beyond its weights.

A `ModelSpec` is written beside the Keras model by `train`, packed into the `.tflite` file by `convert`, and read back
from that file by the runtime. No label list, mean or size is stated anywhere else.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge_runtime.errors import MetadataError


class ResizeRule(StrEnum):
    """How a frame of any shape becomes the model's input shape.

    `STRETCH` scales both axes independently, as MediaPipe Tasks does.
    """

    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model's image input expects.

    Attributes:
        height: Pixels.
        width: Pixels.
        mean: Per channel in RGB order, subtracted from pixel values in [0, 255].
        std: Per channel in RGB order, divided by after `mean` is subtracted.
        resize: How a frame is brought to height x width.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: ResizeRule = ResizeRule.STRETCH


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One classification output of a model.

    Attributes:
        name: What is being told apart, for example `garment`; later also `colour` or `pattern`.
        labels: Class names in the order of the output's last axis.
        threshold: Scores in [0, 1] below it are not reported.
    """

    name: str
    labels: tuple[str, ...]
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model's contract: its input, its heads in output order, and where it comes from.

    Attributes:
        name: Short name, for example `garment-mobilenet_v2-224`.
        version: Version of the model, not of the package.
        input: The image input.
        heads: One entry per output tensor, in order.
        license: Terms of the weights.
        provenance: JSON-ready facts: training command, data hashes, scores.
    """

    name: str
    version: str
    input: InputSpec
    heads: tuple[HeadSpec, ...]
    license: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that `from_dict` turns back into an equal spec."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ModelSpec":
        """Build a spec from `to_dict` values, for example parsed JSON.

        Raises:
            MetadataError: A field is missing or of the wrong kind.
        """
        try:
            return cls(
                name=str(values["name"]),
                version=str(values["version"]),
                input=_input_from_dict(values["input"]),
                heads=tuple(_head_from_dict(head) for head in values["heads"]),
                license=str(values["license"]),
                provenance=dict(values["provenance"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MetadataError(
                f"The model description is damaged ({error!r}); make the model again with edge-train or edge-convert."
            ) from error


def _input_from_dict(values: Mapping[str, Any]) -> InputSpec:
    return InputSpec(
        height=int(values["height"]),
        width=int(values["width"]),
        mean=_per_channel(values["mean"]),
        std=_per_channel(values["std"]),
        resize=ResizeRule(values["resize"]),
    )


def _per_channel(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _head_from_dict(values: Mapping[str, Any]) -> HeadSpec:
    return HeadSpec(
        name=str(values["name"]),
        labels=tuple(str(label) for label in values["labels"]),
        threshold=float(values["threshold"]),
    )
