from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import Classification, Recognizer
from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.errors import ModelError
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


@pytest.mark.parametrize("top_k", [0, -1])
def test_fewer_labels_than_one_are_refused(tiny_recognizer: Recognizer, top_k: int) -> None:
    with pytest.raises(ValueError, match=f"top_k has to be at least 1, not {top_k}"):
        tiny_recognizer.classify(solid(3), top_k=top_k, threshold=0.0)


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
