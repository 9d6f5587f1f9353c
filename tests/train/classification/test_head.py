"""What a classifier begins with of the bundled one, a file of int8 whose labels it carries."""

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.bundled import find_model  # noqa: E402
from edge_runtime.drawing import draw_garment  # noqa: E402
from edge_runtime.preprocess import Preprocessor, normalize  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from train.classification.head import take_over_head  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_classifier  # noqa: E402

BUNDLED = find_model(None)


def build(labels: tuple[str, ...], weights: Path = BUNDLED) -> "keras.Model":
    classifier = build_classifier(ARCHITECTURES["efficientnet_lite0"], 224, labels, str(BUNDLED), 0.0)
    take_over_head(classifier, labels, str(weights))
    return classifier


def test_the_bundled_classifier_goes_on_as_it_answers() -> None:
    recognizer = Recognizer.load()
    spec, labels = recognizer.spec.input, recognizer.spec.heads[0].labels
    frames = [draw_garment(label, 3) for label in labels]
    pixels = np.stack([Preprocessor(spec)(frame) for frame in frames])
    scores = build(labels).predict_on_batch(normalize(pixels, spec))
    for frame, row in zip(frames, scores, strict=True):
        answers = recognizer.classify(frame, top_k=len(labels), threshold=0.0)
        device = [next(each.score for each in answers if each.label == label) for label in labels]
        np.testing.assert_allclose(row, device, atol=0.15)
        assert row.argmax() == np.argmax(device)


@pytest.mark.parametrize("labels", [("belt", "scarf"), tuple(f"kind {number}" for number in range(10))])
def test_other_labels_begin_afresh(labels: tuple[str, ...]) -> None:
    assert not any(weights.any() for weights in build(labels).layers[-1].get_weights())


def test_a_file_that_tells_no_labels_gives_no_head(tmp_path: Path) -> None:
    """Made anew by another tool, say, which left the metadata away."""
    stripped = tmp_path / "stripped.tflite"
    stripped.write_bytes(BUNDLED.read_bytes().replace(b"TFLITE_METADATA", b"OTHERS_METADATA"))
    labels = Recognizer.load().spec.heads[0].labels
    assert not build(labels, stripped).layers[-1].get_weights()[0].any()
