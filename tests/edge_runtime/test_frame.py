from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime import Recognizer
from edge_runtime.loop import run
from edge_runtime.sources import Frame, FrameSource


class _Grey(FrameSource):
    def __init__(self, *, live: bool) -> None:
        self.live = live

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(np.full((48, 64), 90, np.uint8), "mine", 0, 0.0, 0.0)


@pytest.mark.parametrize("live", [False, True])
def test_a_source_of_grey_frames_is_told_what_a_frame_is(tiny_recognizer: Recognizer, live: bool) -> None:
    with pytest.raises(ValueError, match=r"must be of shape \(height, width, 3\), not \(48, 64\)"):
        run(_Grey(live=live), tiny_recognizer, [])


def test_a_frame_holds_an_array_of_bytes() -> None:
    with pytest.raises(TypeError, match="not NoneType; OpenCV gives None"):
        Frame(None, "mine", 0, 0.0, 0.0)
    with pytest.raises(ValueError, match="must hold uint8"):
        Frame(np.zeros((4, 4, 3), np.float32), "mine", 0, 0.0, 0.0)
