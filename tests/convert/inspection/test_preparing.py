import numpy as np
import pytest

from convert.inspection.contents import Quantization, TensorFacts
from convert.inspection.preparing import describe_preparing
from edge_runtime.recognizer import _pixel_table
from edge_runtime.spec import InputSpec

HALF = InputSpec(24, 32, mean=(127.5,) * 3, std=(127.5,) * 3)
IMAGENET = InputSpec(24, 32, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
RAW = InputSpec(24, 32, mean=(0.0,) * 3, std=(1.0,) * 3)
SIZE = "RGB, 32 pixels wide, 24 high, by the rule 'stretch'; "
AS_THEY_ARE = "pixels go in as they are, 0 to 255"


def picture(kind: str, *quantization: float) -> TensorFacts:
    """Return an input tensor of this type, and of this scale and zero point."""
    if not quantization:
        return TensorFacts(0, "image", kind, (1, 24, 32, 3), None)
    scale, zero_point = quantization
    parameters = Quantization(1, 0, scale, scale, int(zero_point), int(zero_point))
    return TensorFacts(0, "image", kind, (1, 24, 32, 3), parameters)


def test_pixels_whose_scale_is_the_normalisation_go_in_as_they_are() -> None:
    words = describe_preparing(HALF, picture("UINT8", 2 / 255, 127))
    scaled = "the input's scale normalises by mean 127.5 and standard deviation 127.5"
    assert words == f"{SIZE}{AS_THEY_ARE}: {scaled}"


@pytest.mark.parametrize("quantization", [(), (0.0, 0)])
def test_pixels_without_a_scale_go_in_as_they_are(quantization: tuple[float, ...]) -> None:
    assert describe_preparing(RAW, picture("UINT8", *quantization)) == SIZE + AS_THEY_ARE


def test_floats_are_normalised_channel_by_channel() -> None:
    assert describe_preparing(IMAGENET, picture("FLOAT32")) == (
        f"{SIZE}normalised by mean 123.675, 116.28, 103.53 and standard deviation 58.395, 57.12, 57.375: "
        "(pixel - mean) / deviation"
    )


def test_whole_numbers_of_another_scale_are_quantised_too() -> None:
    words = describe_preparing(HALF, picture("INT8", 2 / 255, -1))
    assert words.endswith("127.5, then quantised: (pixel - mean) / deviation / scale + zero point, rounded")


@pytest.mark.parametrize("spec", [HALF, IMAGENET, RAW])
@pytest.mark.parametrize("kind", ["UINT8", "INT8"])
@pytest.mark.parametrize("quantization", [(2 / 255, 127), (2 / 255, 128), (1 / 128, 128), (0.02, 110), (1.0, 0)])
def test_the_words_say_what_edge_run_does(spec: InputSpec, kind: str, quantization: tuple[float, int]) -> None:
    table = _pixel_table(spec, {"dtype": np.dtype(kind.lower()), "quantization": quantization})
    assert (AS_THEY_ARE in describe_preparing(spec, picture(kind, *quantization))) == (table is None)
