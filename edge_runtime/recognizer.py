"""A model that answers frames."""

import os
import time
import traceback
from functools import partial
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.backend import Backend, DelegateName, default_threads, open_interpreter
from edge_runtime.bundled import find_model
from edge_runtime.errors import ModelError
from edge_runtime.metadata.reading import model_sha256, read_detector_outputs, read_spec
from edge_runtime.model_file import read_model
from edge_runtime.outputs import ClassifierOutputs, DetectorOutputs
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.refining import refine
from edge_runtime.results import Classification, Detection, Recognition
from edge_runtime.spec import InputSpec, ModelSpec, Task


class Recognizer:
    """Recognises garments in frames with one TFLite model.

    Example:
        >>> recognizer = Recognizer.load()
        >>> best = recognizer.classify(cv2.imread("shirt.jpg"))[0]
        >>> best.label, best.score

    Not safe to share between threads: give each its own.
    """

    def __init__(
        self,
        model: bytes,
        *,
        threads: int | None = None,
        delegate: DelegateName | str = DelegateName.CPU,
        classifier: "Recognizer | None" = None,
    ) -> None:
        """Open a model.

        Args:
            model: A whole `.tflite` file with metadata.
            threads: CPU threads; None takes what the process may use, at most four.
            delegate: Where to run, or its name: `cpu` or `edgetpu`.
            classifier: Looks again at each box that a detector finds; None for no second look.

        Raises:
            ModelError: The bytes are not TFLite, the interpreter refuses them, or one of two models is of the wrong
                kind.
            MetadataError: The metadata are missing or contradict the tensors.
            BackendError: No interpreter, or the delegate is not to be had.
            ValueError: There are fewer threads than 1.
        """
        self._model = model
        self.spec: ModelSpec = read_spec(model)
        self.model_sha256: str = model_sha256(model)
        self._second = classifier
        if classifier is not None:
            check_pair(self.spec, classifier.spec)
        self.backend: Backend
        threads = default_threads() if threads is None else threads
        self._interpreter, self.backend = open_interpreter(model, threads, delegate)
        self._preprocess = Preprocessor(self.spec.input)
        self._input = self._interpreter.get_input_details()[0]
        self._classifier, self._detector = self._open_outputs(model)
        self._pixel_table = _pixel_table(self.spec.input, self._input)
        self._image: Image = np.empty((self.spec.input.height, self.spec.input.width, 3), np.uint8)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        delegate: DelegateName | str = DelegateName.CPU,
        classifier: "Recognizer | None" = None,
    ) -> Self:
        """Open a model file, a bundled model by its name, or the bundled garment classifier when `path` is None.

        The other arguments are those of the constructor.

        Raises:
            ModelError: The file cannot be read, is not TFLite, or one of two models is of the wrong kind.
            MetadataError: The metadata are missing or contradict the tensors.
            BackendError: No interpreter, or the delegate is not to be had.
            ValueError: There are fewer threads than 1.
        """
        return cls(read_model(find_model(path)), threads=threads, delegate=delegate, classifier=classifier)

    def copy(self) -> "Recognizer":
        """Open the same model once more, with as many threads and the same delegate, for use in another thread."""
        classifier = None if self._second is None else self._second.copy()
        return Recognizer(
            self._model, threads=self.backend.threads, delegate=self.backend.delegate, classifier=classifier
        )

    @property
    def classifier_sha256(self) -> str | None:
        """Hash of the classifier that looks at boxes again, None without one."""
        return None if self._second is None else self._second.model_sha256

    @property
    def enough(self) -> tuple[int, int] | None:
        """Height and width in pixels that frames need; None where a second look needs all there is."""
        return None if self._second is not None else (self.spec.input.height, self.spec.input.width)

    def classify(self, frame: Image, *, top_k: int = 3, threshold: float | None = None) -> tuple[Classification, ...]:
        """Return the best labels of the first head.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], as OpenCV reads it.
            top_k: How many labels at most, at least 1.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Best first; empty when no score reaches the threshold.

        Raises:
            ModelError: The model is a detector.
            ValueError: `top_k` is below 1.
        """
        self._require_classifier()
        return self.recognize(frame, top_k=top_k, threshold=threshold).classifications

    def detect(self, frame: Image, *, threshold: float | None = None) -> tuple[Detection, ...]:
        """Return the garments that a detector finds.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], as OpenCV reads it.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Best first, boxes in pixels of the frame; empty when no score reaches the threshold.

        Raises:
            ModelError: The model is a classifier.
        """
        detections = self.recognize(frame, threshold=threshold).detections
        if detections is None:
            raise ModelError(f"The model {self.spec.name} is a classifier and finds no boxes; give a detector's file.")
        return detections

    def recognize(self, frame: Image, *, top_k: int = 3, threshold: float | None = None) -> Recognition:
        """Answer one frame, with the time each stage took; arguments as for `classify`.

        Raises:
            ValueError: `top_k` is below 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k has to be at least 1, not {top_k}.")
        answer = self._recognize(frame, top_k, threshold)
        if self._second is None or answer.detections is None:
            return answer
        return refine(answer, answer.detections, frame, partial(self._second.recognize, top_k=top_k))

    def _recognize(self, frame: Image, top_k: int, threshold: float | None) -> Recognition:
        start = time.perf_counter()
        self._fill_input(frame)
        filled = time.perf_counter()
        self._interpreter.invoke()
        invoked = time.perf_counter()
        classifications = self._classifier.rank(top_k, threshold) if self._classifier else ()
        detections = self._detector.find(frame.shape[0], frame.shape[1], threshold) if self._detector else None
        done = time.perf_counter()
        return Recognition(
            classifications=classifications,
            detections=detections,
            preprocess_ms=(filled - start) * 1e3,
            inference_ms=(invoked - filled) * 1e3,
            postprocess_ms=(done - invoked) * 1e3,
        )

    def scores(self, frame: Image) -> NDArray[np.float32]:
        """Return the first head's (labels,) float32 scores in [0, 1] for a (height, width, 3) uint8 BGR frame.

        Raises:
            ModelError: The model is a detector.
        """
        classifier = self._require_classifier()
        self._fill_input(frame)
        self._interpreter.invoke()
        return classifier.scores()

    def _open_outputs(self, model: bytes) -> tuple[ClassifierOutputs | None, DetectorOutputs | None]:
        if self.spec.detection is None:
            return ClassifierOutputs(self._interpreter, self.spec.heads[0]), None
        return None, DetectorOutputs(self._interpreter, self.spec.detection, read_detector_outputs(model))

    def _require_classifier(self) -> ClassifierOutputs:
        if self._classifier is None:
            raise ModelError(f"The model {self.spec.name} is a detector; give a classifier's file.")
        return self._classifier

    def _fill_input(self, frame: Image) -> None:
        # The view must not outlive this call: the interpreter refuses to run while one is held.
        tensor = self._interpreter.tensor(self._input["index"])()[0]
        try:
            if self._pixel_table is None:
                self._preprocess(frame, out=tensor)
            else:
                cv2.LUT(self._preprocess(frame, out=self._image), self._pixel_table, dst=tensor)
        except BaseException as error:
            # A signal may break in, and frames that were begun are answered while its error is under way.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            del tensor


def check_pair(first: ModelSpec, second: ModelSpec) -> None:
    """Raise a `ModelError` where the first model finds no boxes, or the second one is no classifier for them."""
    if first.task is not Task.DETECTION:
        raise ModelError(
            f"The model {first.name} is a classifier and finds no boxes that another one could look at; "
            "give a detector's file."
        )
    if second.task is not Task.CLASSIFICATION:
        raise ModelError(
            f"The model {second.name} is a detector, but boxes are looked at again by a classifier; "
            "give a classifier's file."
        )


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
