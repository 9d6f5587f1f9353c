import numpy as np
import pytest

from edge_runtime.events import HealthKind
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sinks import Sink
from edge_runtime.sinks.sink import Notice
from edge_runtime.sinks.veiled import VeiledSink
from edge_runtime.sources import Frame
from edge_runtime.veil import blur_outside, box_pixels

_HEIGHT, _WIDTH = 160, 240


@pytest.fixture
def image() -> np.ndarray:
    """Noise, in which every pixel has a colour of its own."""
    return np.random.default_rng(1).integers(0, 256, (_HEIGHT, _WIDTH, 3), np.uint8)


def _result(*boxes: tuple[float, float, float, float], detector: bool = True) -> FrameResult:
    detections = tuple(Detection("hat", 0.9, box) for box in boxes) if detector else None
    times = StageTimes(1, 1, 1, 1)
    return FrameResult("a", 0, 1.5, _WIDTH, _HEIGHT, (Classification("hat", 0.9),), detections, times, "ab")


def _colours(pixels: np.ndarray) -> int:
    return len(np.unique(pixels.reshape(-1, 3) @ np.array([1, 256, 65536])))


def test_boxes_stay_as_they_are_and_nothing_else_does(image: np.ndarray) -> None:
    veiled = blur_outside(image, _result((20, 30, 100, 90)))
    outside = np.ones(image.shape[:2], bool)
    outside[30:90, 20:100] = False
    assert np.array_equal(veiled[~outside], image[~outside])
    assert (veiled[outside] == image[outside]).mean() < 0.05
    # Blocks of ten pixels, each of one colour.
    assert _colours(veiled[outside]) <= 16 * 24


def test_what_stood_in_a_block_cannot_be_told_from_its_mean(image: np.ndarray) -> None:
    shuffled = image.copy()
    shuffled[:10, :10] = image[:10, :10][::-1, ::-1]
    assert np.array_equal(blur_outside(image, _result()), blur_outside(shuffled, _result()))


@pytest.mark.parametrize("detector", [True, False])
def test_without_boxes_the_whole_picture_is_veiled(image: np.ndarray, detector: bool) -> None:
    veiled = blur_outside(image, _result(detector=detector))
    assert _colours(veiled) <= 16 * 24


def test_the_frame_itself_is_left_alone(image: np.ndarray) -> None:
    before = image.copy()
    blur_outside(image, _result((20, 30, 100, 90)))
    assert np.array_equal(image, before)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (480, 640)])
def test_any_size_keeps_its_size(shape: tuple[int, int]) -> None:
    assert blur_outside(np.zeros((*shape, 3), np.uint8), _result((-5, -5, 2, 2))).shape == (*shape, 3)


def test_boxes_are_cut_at_the_edges_of_the_picture() -> None:
    assert box_pixels((-3.4, 2.6, 500, 90), 80, 100) == (slice(3, 80), slice(0, 100))
    assert box_pixels((200, 2, 300, 90), 80, 100) == (slice(2, 80), slice(100, 100))


def test_a_sink_behind_a_veil_never_gets_the_frame(image: np.ndarray) -> None:
    class Kept(Sink):
        def write(self, frame: Frame, result: FrameResult) -> None:
            assert (frame.source, frame.index) == ("a", 7)
            assert np.array_equal(frame.image, blur_outside(image, result))

    with VeiledSink(Kept(), blur_outside) as sink:
        sink.write(Frame(image, "a", 7, 1.5, 2.0), _result((0, 0, 50, 50)))


def test_what_becomes_of_a_sink_is_told_through_its_veil() -> None:
    class Busy(Sink):
        hurried = False

        def take_notices(self) -> list[Notice]:
            return [(HealthKind.SINK_SLOW, "busy", "busy is slow.")]

        def hurry(self) -> None:
            self.hurried = True

    busy = Busy()
    veiled = VeiledSink(busy, blur_outside)
    veiled.hurry()
    assert busy.hurried
    assert veiled.take_notices() == [(HealthKind.SINK_SLOW, "busy", "busy is slow.")]
