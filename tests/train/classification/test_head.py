"""What a classifier begins with of the bundled one, a file of int8 whose labels it carries."""

import logging
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.bundled import find_model  # noqa: E402
from edge_runtime.drawing import draw_garment  # noqa: E402
from edge_runtime.preprocess import Preprocessor, normalize  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from train.classification.head import Sample, take_over_head  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_classifier  # noqa: E402

BUNDLED = find_model(None)
LABELS = Recognizer.load().spec.heads[0].labels


def draw(*garments: str) -> np.ndarray:
    """Return what a model is given of drawings."""
    spec = Recognizer.load().spec.input
    frames = [draw_garment(garment, 3) for garment in garments]
    return normalize(np.stack([Preprocessor(spec)(frame) for frame in frames]), spec)


def build(labels: tuple[str, ...], weights: Path = BUNDLED) -> "keras.Model":
    """Build a classifier on a sample of drawings, each of one of the bundled model's labels or else of the first."""
    shown = [label if label in labels else labels[0] for label in LABELS]
    targets = np.array([[float(label == each) for label in labels] for each in shown], np.float32)
    classifier = build_classifier(ARCHITECTURES["efficientnet_lite0"], 224, labels, str(BUNDLED), 0.0)
    take_over_head(classifier, labels, str(weights), Sample(draw(*LABELS), targets))
    return classifier


@pytest.fixture(scope="module")
def same() -> "keras.Model":
    return build(LABELS)


def test_the_bundled_classifier_goes_on_as_it_answers(same: "keras.Model") -> None:
    recognizer = Recognizer.load()
    scores = same.predict_on_batch(draw(*LABELS))
    for label, row in zip(LABELS, scores, strict=True):
        answers = recognizer.classify(draw_garment(label, 3), top_k=len(LABELS), threshold=0.0)
        device = [next(each.score for each in answers if each.label == label) for label in LABELS]
        np.testing.assert_allclose(row, device, atol=0.15)
        assert row.argmax() == np.argmax(device)


def test_labels_are_taken_over_by_name(same: "keras.Model", caplog: pytest.LogCaptureFixture) -> None:
    """In another order, some gone."""
    kernel, bias = same.layers[-1].get_weights()
    with caplog.at_level(logging.INFO):
        fewer = build(LABELS[7:2:-1]).layers[-1].get_weights()
    np.testing.assert_array_equal(fewer[0], kernel[:, 7:2:-1])
    np.testing.assert_array_equal(fewer[1], bias[7:2:-1])
    assert caplog.messages == [f"the head begins as in {BUNDLED}, which knows 5 of 5 labels"]


def test_a_new_label_answers_as_many_photos_as_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        classifier = build(("scarf", *LABELS[1:]))
    assert caplog.messages[0].endswith("which knows 9 of 10 labels; begun anew: scarf")
    np.testing.assert_array_equal(classifier.predict_on_batch(draw(*LABELS)).argmax(axis=1) == 0, [True] + [False] * 9)


@pytest.mark.parametrize("labels", [("belt", "scarf"), tuple(f"kind {number}" for number in range(10))])
def test_other_labels_begin_afresh(labels: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert not any(weights.any() for weights in build(labels).layers[-1].get_weights())
    assert caplog.messages[0].endswith("knows none of the labels, only " + ", ".join(LABELS[:8]) + " and 2 more")


def test_a_file_that_tells_no_labels_gives_no_head(tmp_path: Path) -> None:
    """Made anew by another tool, say, which left the metadata away."""
    stripped = tmp_path / "stripped.tflite"
    stripped.write_bytes(BUNDLED.read_bytes().replace(b"TFLITE_METADATA", b"OTHERS_METADATA"))
    assert not build(LABELS, stripped).layers[-1].get_weights()[0].any()
