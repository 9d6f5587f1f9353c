"""A model that answers frames."""

import os
import time
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.backend import Backend, DelegateName, default_threads, open_interpreter
from edge_runtime.errors import ModelError
from edge_runtime.metadata import model_sha256, read_spec
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.results import Classification, Recognition
from edge_runtime.spec import InputSpec, ModelSpec

BUNDLED_MODEL = "garment_classifier.tflite"


class Recognizer:
    """Recognises garments in frames with one TFLite model.

    Example:
        >>> recognizer = Recognizer.load()
        >>> best = recognizer.classify(cv2.imread("shirt.jpg"))[0]
        >>> best.label, best.score

    Not safe to share between threads: give each its own.
    """

    def __init__(self, model: bytes, *, threads: int | None = None, delegate: DelegateName = DelegateName.CPU) -> None:
        """Open a model.

        Args:
            model: A whole `.tflite` file with metadata.
            threads: CPU threads; None takes what the process may use, at most four.
            delegate: Where to run.

        Raises:
            ModelError: The bytes are not TFLite or the interpreter refuses them.
            MetadataError: The metadata are missing or contradict the tensors.
            BackendError: No interpreter, or the delegate is not to be had.
        """
        self.spec: ModelSpec = read_spec(model)
        self.model_sha256: str = model_sha256(model)
        self.backend: Backend
        self._interpreter, self.backend = open_interpreter(model, threads or default_threads(), delegate)
        self._preprocess = Preprocessor(self.spec.input)
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self._pixel_table = _pixel_table(self.spec.input, self._input)
        self._image: Image = np.empty((self.spec.input.height, self.spec.input.width, 3), np.uint8)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        delegate: DelegateName = DelegateName.CPU,
    ) -> "Recognizer":
        """Open a model file, or the bundled garment classifier when `path` is None.

        Raises:
            ModelError: The file cannot be read or is not TFLite.
            MetadataError: The metadata are missing or contradict the tensors.
            BackendError: No interpreter, or the delegate is not to be had.
        """
        return cls(_read_model(path), threads=threads, delegate=delegate)

    def classify(self, frame: Image, *, top_k: int = 3, threshold: float | None = None) -> tuple[Classification, ...]:
        """Return the best labels of the first head.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], as OpenCV reads it.
            top_k: How many labels at most.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Best first; empty when no score reaches the threshold.
        """
        return self.recognize(frame, top_k=top_k, threshold=threshold).classifications

    def recognize(self, frame: Image, *, top_k: int = 3, threshold: float | None = None) -> Recognition:
        """Answer one frame, with the time each stage took; arguments as for `classify`."""
        start = time.perf_counter()
        self._fill_input(frame)
        filled = time.perf_counter()
        self._interpreter.invoke()
        invoked = time.perf_counter()
        ranked = self._rank(top_k, threshold)
        done = time.perf_counter()
        return Recognition(
            classifications=ranked,
            detections=None,
            preprocess_ms=(filled - start) * 1e3,
            inference_ms=(invoked - filled) * 1e3,
            postprocess_ms=(done - invoked) * 1e3,
        )

    def scores(self, frame: Image) -> NDArray[np.float32]:
        """Return the first head's (labels,) float32 scores in [0, 1] for a (height, width, 3) uint8 BGR frame."""
        self._fill_input(frame)
        self._interpreter.invoke()
        return self._read_scores()

    def _fill_input(self, frame: Image) -> None:
        # The view must not outlive this call: the interpreter refuses to run while one is held.
        tensor = self._interpreter.tensor(self._input["index"])()[0]
        if self._pixel_table is None:
            self._preprocess(frame, out=tensor)
        else:
            cv2.LUT(self._preprocess(frame, out=self._image), self._pixel_table, dst=tensor)

    def _read_scores(self) -> NDArray[np.float32]:
        output = self._outputs[0]
        values: NDArray[Any] = self._interpreter.get_tensor(output["index"])[0]
        scale, zero_point = output["quantization"]
        scores: NDArray[np.float32] = values.astype(np.float32)
        return scores if scale == 0.0 else (scores - zero_point) * np.float32(scale)

    def _rank(self, top_k: int, threshold: float | None) -> tuple[Classification, ...]:
        head = self.spec.heads[0]
        least = head.threshold if threshold is None else threshold
        scores = self._read_scores()
        best = np.argsort(-scores, kind="stable")[:top_k]
        return tuple(Classification(head.labels[i], float(scores[i])) for i in best if scores[i] >= least)


def _pixel_table(spec: InputSpec, tensor: dict[str, Any]) -> NDArray[Any] | None:
    """Return what each pixel value becomes in the input tensor, (1, 256, 3); None where it stays as it is."""
    levels = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1)
    real = normalize(levels, spec)
    if tensor["dtype"] == np.float32:
        return real[np.newaxis]
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    quantized = np.clip(np.rint(real / scale + zero_point), limits.min, limits.max)
    # A zero point is whole, so the exact 127.5 of a [-1, 1] input is off by half a level: not worth a second pass.
    if tensor["dtype"] == np.uint8 and np.abs(quantized - levels).max() <= 1:
        return None
    table: NDArray[Any] = quantized.astype(tensor["dtype"])[np.newaxis]
    return table


def _read_model(path: str | os.PathLike[str] | None) -> bytes:
    file = Path(path) if path is not None else resources.files("edge_runtime").joinpath("models", BUNDLED_MODEL)
    try:
        return file.read_bytes()
    except OSError as error:
        advice = "check the path given" if path is not None else "install edge-garment again"
        raise ModelError(f"The model {file} cannot be read ({error.strerror}); {advice}.") from error
