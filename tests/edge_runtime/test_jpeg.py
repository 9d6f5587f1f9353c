import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.drawing import draw_garment
from edge_runtime.jpeg import read_jpeg_size

_SIZE = (480, 640)
_SHIRT = draw_garment("shirt", 0, _SIZE)


def _jpeg(size: tuple[int, int]) -> bytes:
    return cv2.imencode(".jpg", cv2.resize(_SHIRT, size[::-1]))[1].tobytes()


def test_the_size_of_a_jpeg_is_read_from_its_header() -> None:
    plain = _jpeg((120, 160))
    progressive = cv2.imencode(".jpg", _SHIRT, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert read_jpeg_size(memoryview(plain)) == (120, 160)
    assert read_jpeg_size(memoryview(plain[:2] + b"\xff\xff" + plain[2:])) == (120, 160)
    assert read_jpeg_size(memoryview(progressive)) == _SIZE


@given(st.binary(max_size=40), st.integers(0, 700))
def test_damaged_headers_have_no_size_or_some(noise: bytes, position: int) -> None:
    plain = _jpeg((16, 16))
    damaged = memoryview(plain[:position] + noise + plain[position + len(noise) :])
    size = read_jpeg_size(damaged)
    assert size is None or all(0 <= side < 2**16 for side in size)


def test_a_marker_without_a_length_hides_no_size() -> None:
    plain = _jpeg((120, 160))
    frame = plain.index(b"\xff\xc0")
    header = plain[frame : frame + 19]
    # Read as a length, the first bytes of the true header lead to the small one, which stands in a comment.
    small = b"\xff\xc0\x00\x11\x08\x00\x08\x00\x08" + header[9:] + b"\xff\xd9"
    comment = b"\xff\xfe\xff\xfd" + b" " * 65_450 + small + b" " * (65_531 - 65_450 - len(small))
    hostile = plain[:2] + b"\xff\x01" + header + comment + plain[2:frame] + plain[frame + 19 :]
    assert cv2.imdecode(np.frombuffer(hostile, np.uint8), cv2.IMREAD_COLOR).shape == (120, 160, 3)
    assert read_jpeg_size(hostile) == (120, 160)
