import copy
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import Classification, Recognizer
from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.errors import ModelError
from edge_runtime.frame import Frame
from edge_runtime.recognizer import _pixel_table
from edge_runtime.spec import InputSpec

HALF = InputSpec(8, 8, mean=(127.5,) * 3, std=(127.5,) * 3)
IMAGENET = InputSpec(8, 8, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))


def solid(hue: int) -> np.ndarray:
    """One of the ten hues that the tiny model tells apart, as a BGR frame."""
    hsv = np.full((40, 50, 3), (hue * 18, 255, 255), np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def test_each_hue_gets_its_label(tiny_recognizer: Recognizer) -> None:
    assert [tiny_recognizer.classify(solid(hue))[0].label for hue in range(10)] == list(GARMENTS)


def test_answers_are_best_first_and_as_many_as_asked(tiny_recognizer: Recognizer) -> None:
    answers = tiny_recognizer.classify(solid(3), top_k=4)
    assert len(answers) == 4
    assert all(isinstance(answer, Classification) for answer in answers)
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert tiny_recognizer.scores(solid(3)).sum() == pytest.approx(1.0, abs=0.03)


def test_scores_below_the_threshold_are_left_out(tiny_recognizer: Recognizer) -> None:
    assert tiny_recognizer.classify(solid(3), threshold=1.0) == ()
    all_answers = tiny_recognizer.classify(solid(3), top_k=10, threshold=0.0)
    least = all_answers[2].score
    assert len(tiny_recognizer.classify(solid(3), top_k=10, threshold=least)) == sum(
        a.score >= least for a in all_answers
    )


@pytest.mark.parametrize(
    ("given", "advice"), [(b"abc", "decode_picture"), ("a.jpg", "read_picture"), (Path("a.jpg"), "read_picture")]
)
def test_what_is_no_frame_yet_is_refused_with_what_makes_one(
    given: object, advice: str, tiny_recognizer: Recognizer
) -> None:
    for refuse in (tiny_recognizer.classify, tiny_recognizer.scores, lambda image: Frame(image, "mine", 0, 0.0, 0.0)):
        with pytest.raises(TypeError, match=f"must be an array, not {type(given).__name__}; {advice} makes one of it"):
            refuse(given)


def test_an_image_of_pillow_is_refused_with_what_makes_a_frame_of_it(tiny_recognizer: Recognizer) -> None:
    image = pytest.importorskip("PIL.Image").fromarray(solid(3)[..., ::-1])
    with pytest.raises(TypeError, match=r"not Image; np\.asarray\(.*\)\[\.\.\., ::-1\] makes one of it"):
        tiny_recognizer.classify(image)
    frame = np.asarray(image.convert("RGB"))[..., ::-1]
    assert tiny_recognizer.classify(frame) == tiny_recognizer.classify(solid(3))


@pytest.mark.parametrize("top_k", [0, -1])
def test_fewer_labels_than_one_are_refused(tiny_recognizer: Recognizer, top_k: int) -> None:
    with pytest.raises(ValueError, match=f"top_k has to be at least 1, not {top_k}"):
        tiny_recognizer.classify(solid(3), top_k=top_k, threshold=0.0)


@pytest.mark.parametrize("top_k", [1.5, "3", None])
def test_a_number_of_labels_is_whole(tiny_recognizer: Recognizer, top_k: object) -> None:
    with pytest.raises(TypeError, match=f"top_k has to be a whole number, not {top_k!r}"):
        tiny_recognizer.classify(solid(3), top_k=top_k)


def test_whole_numbers_of_numpy_are_whole(tiny_recognizer: Recognizer) -> None:
    assert len(tiny_recognizer.classify(solid(3), top_k=np.int64(2), threshold=0.0)) == 2


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), 2, -1])
def test_a_threshold_that_is_no_score_is_refused(
    tiny_model_bytes: bytes, tiny_detector_bytes: bytes, threshold: float
) -> None:
    with pytest.raises(ValueError, match=f"threshold has to be from 0 to 1, not {threshold}"):
        Recognizer(tiny_model_bytes, threads=1).classify(solid(3), threshold=threshold)
    with pytest.raises(ValueError, match="threshold has to be from 0 to 1"):
        Recognizer(tiny_detector_bytes, threads=1).detect(solid(3), threshold=threshold)


def test_no_thread_at_all_is_not_the_usual_number(tiny_model_bytes: bytes) -> None:
    with pytest.raises(ValueError, match="at least 1 thread, not 0"):
        Recognizer(tiny_model_bytes, threads=0)


def test_an_answer_that_a_signal_broke_off_does_not_hinder_the_next(tiny_model_bytes: bytes) -> None:
    recognizer = Recognizer(tiny_model_bytes, threads=1)

    def break_off(_: np.ndarray, out: np.ndarray) -> None:
        assert out.size
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognizer, "_preprocess", break_off)
        with pytest.raises(KeyboardInterrupt) as broken_off:
            recognizer.classify(solid(3))
    # As long as the error is held, so are the frames that it went through.
    assert broken_off.value
    assert recognizer.classify(solid(3))[0].label == GARMENTS[3]


def test_a_recognition_carries_its_times(tiny_recognizer: Recognizer) -> None:
    recognition = tiny_recognizer.recognize(solid(0))
    assert recognition.detections is None
    assert min(recognition.preprocess_ms, recognition.inference_ms, recognition.postprocess_ms) > 0


def test_frames_of_any_size_may_follow_one_another(tiny_recognizer: Recognizer) -> None:
    for size in [(1, 1), (33, 31), (1080, 1920), (32, 32)]:
        frame = cv2.resize(solid(6), size[::-1])
        assert tiny_recognizer.classify(frame)[0].label == GARMENTS[6]


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite cannot be read"):
        Recognizer.load(tmp_path / "gone.tflite")


def test_pixels_go_in_as_they_are_where_quantisation_is_the_normalisation() -> None:
    assert _pixel_table(HALF, {"dtype": np.uint8, "quantization": (2 / 255, 127)}) is None
    assert _pixel_table(HALF, {"dtype": np.uint8, "quantization": (2 / 255, 128)}) is None


def test_pixels_go_in_as_they_are_where_the_input_has_no_scale() -> None:
    raw = InputSpec(8, 8, (0.0,) * 3, (1.0,) * 3)
    assert _pixel_table(raw, {"dtype": np.uint8, "quantization": (0.0, 0)}) is None


def test_other_input_types_are_looked_up() -> None:
    int8 = _pixel_table(HALF, {"dtype": np.int8, "quantization": (1 / 64, 3)})
    assert int8 is not None
    assert (int8[0, 0].tolist(), int8[0, 255].tolist()) == ([-61] * 3, [67] * 3)
    real = _pixel_table(IMAGENET, {"dtype": np.float32, "quantization": (0.0, 0)})
    assert real is not None
    np.testing.assert_allclose(
        real[0, 255], [(255 - m) / s for m, s in zip(IMAGENET.mean, IMAGENET.std, strict=True)], 1e-5
    )


def test_a_normalisation_that_quantisation_cannot_express_is_looked_up_per_channel() -> None:
    table = _pixel_table(IMAGENET, {"dtype": np.uint8, "quantization": (0.02, 110)})
    assert table is not None
    assert table[0, 124].tolist() == [
        np.rint((124 - m) / s / 0.02 + 110) for m, s in zip(IMAGENET.mean, IMAGENET.std, strict=True)
    ]


def test_a_copy_and_any_number_of_threads_answer_alike(bundled_model: Path) -> None:
    one, two = Recognizer.load(bundled_model, threads=1), Recognizer.load(bundled_model, threads=2)
    picture = draw_garment("dress", 0)
    np.testing.assert_array_equal(one.scores(picture), two.scores(picture))
    np.testing.assert_array_equal(one.scores(picture), two.copy().scores(picture))


def test_threads_that_share_a_recognizer_each_get_their_own_answer(bundled_model: Path) -> None:
    recognizer = Recognizer.load(bundled_model, threads=1)
    pictures = [draw_garment(garment, 0) for garment in ("hat", "dress", "shoes", "pants")] * 6
    alone = [recognizer.classify(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(recognizer.classify, pictures)) == alone
        for scores, best in zip(threads.map(recognizer.scores, pictures), alone, strict=True):
            assert scores.max() == best[0].score


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
# Of newer Pythons, which would rather have no process with threads forked.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_forked_in_the_middle_of_an_answer_can_answer(tiny_recognizer: Recognizer) -> None:
    begun, forked = threading.Event(), threading.Event()
    preprocess = tiny_recognizer._preprocess

    def pause(frame: np.ndarray, out: np.ndarray) -> None:
        begun.set()
        assert forked.wait(60)
        preprocess(frame, out=out)

    tiny_recognizer._preprocess = pause
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(tiny_recognizer.classify, solid(3))
        assert begun.wait(60)
        child = os.fork()
        if child == 0:
            _answer_and_exit(tiny_recognizer)
        forked.set()
        assert answer.result()[0].label == GARMENTS[3]
    assert os.waitpid(child, 0)[1] == 0


def _answer_and_exit(recognizer: Recognizer) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(30)
    label = None
    try:
        label = recognizer.classify(solid(5))[0].label
    finally:
        os._exit(label != GARMENTS[5])


def test_a_recognizer_can_be_sent_to_another_process(tiny_model_bytes: bytes, tiny_detector_bytes: bytes) -> None:
    sent = Recognizer(tiny_detector_bytes, threads=2, classifier=Recognizer(tiny_model_bytes, threads=1))
    arrived = pickle.loads(pickle.dumps(sent))
    assert arrived.backend == sent.backend
    assert (arrived.model_sha256, arrived.classifier_sha256) == (sent.model_sha256, sent.classifier_sha256)
    assert arrived.detect(solid(0)) == sent.detect(solid(0))


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_no_copy_shares_an_interpreter(tiny_recognizer: Recognizer, make: type) -> None:
    copied = make(tiny_recognizer)
    assert copied._interpreter is not tiny_recognizer._interpreter
    assert copied.backend == tiny_recognizer.backend
    assert copied.classify(solid(3)) == tiny_recognizer.classify(solid(3))


class _Counting(Recognizer):
    """A recognizer of a program's own."""

    def __init__(self, model: bytes, shop: str) -> None:
        super().__init__(model, threads=1)
        self.shop = shop


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, Recognizer.copy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_is_of_the_same_class(tiny_model_bytes: bytes, make: Callable[[Recognizer], Recognizer]) -> None:
    copied = make(_Counting(tiny_model_bytes, "Kiel"))
    assert type(copied) is _Counting
    assert (copied.shop, copied.backend.threads) == ("Kiel", 1)
    assert copied.classify(solid(3))[0].label == GARMENTS[3]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_model_may_be_in_any_buffer(tiny_model_bytes: bytes, kind: type) -> None:
    recognizer = Recognizer(kind(tiny_model_bytes))
    assert recognizer.model_sha256 == Recognizer(tiny_model_bytes).model_sha256
    assert recognizer.copy().classify(solid(3))[0].label == GARMENTS[3]


@pytest.mark.parametrize("given", ["shop.tflite", Path("shop.tflite"), None, 7])
def test_a_path_is_no_model(given: object) -> None:
    with pytest.raises(
        TypeError, match=r"a model must be given as bytes, not \w+; Recognizer\.load opens a file"
    ) as caught:
        Recognizer(given)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200
