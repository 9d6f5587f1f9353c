"""A model that answers frames."""

import os
import threading
import time
import traceback
import weakref
from functools import partial
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.backend import Backend, DelegateName, as_whole, default_threads, open_interpreter
from edge_runtime.buffers import as_bytes
from edge_runtime.bundled import find_model
from edge_runtime.errors import ModelError
from edge_runtime.metadata.reading import model_sha256, read_detector_outputs, read_spec
from edge_runtime.model_file import read_model
from edge_runtime.outputs import ClassifierOutputs, DetectorOutputs
from edge_runtime.preprocess import AnyImage, Image, Preprocessor, normalize
from edge_runtime.refining import refine
from edge_runtime.results import Classification, Detection, Recognition
from edge_runtime.spec import InputSpec, ModelSpec, Task

_RECOGNIZERS: Final = weakref.WeakSet["Recognizer"]()
_OPENED: Final = frozenset({"_lock", "_interpreter", "_preprocess", "_input", "_classifier", "_detector", "_image"})
"""Attributes that belong to one opened interpreter."""


class Recognizer:
    """Recognises garments in frames with one TFLite model.

    Example:
        >>> recognizer = Recognizer.load()
        >>> best = recognizer.classify(read_picture("shirt.jpg"))[0]
        >>> best.label, best.score

    Safe to share between threads, which then wait for each other: it answers one frame at a time. Give each a `copy()`
    to answer frames at once. One that is pickled, or that a forked process takes over in the middle of an answer, is
    opened anew there.
    """

    def __init__(
        self,
        model: bytes | bytearray | memoryview,
        *,
        threads: int | None = None,
        delegate: DelegateName | str = DelegateName.CPU,
        classifier: "Recognizer | None" = None,
    ) -> None:
        """Open a model.

        Args:
            model: A whole `.tflite` file with metadata.
            threads: CPU threads, from 1 to 256; None takes what the process may use, at most four.
            delegate: Where to run, or its name: `cpu` or `edgetpu`.
            classifier: Looks again at each box that a detector finds; None for no second look.

        Raises:
            ModelError: The bytes are not TFLite, the interpreter refuses them, or one of two models is of the wrong
                kind.
            MetadataError: The metadata are missing or contradict the tensors.
            BackendError: No interpreter, or the delegate is not to be had.
            TypeError: The model is no bytes, or the number of threads is not whole.
            ValueError: There are fewer threads than 1 or more than 256.
        """
        self._model = as_bytes(model, "a model", "Recognizer.load opens a file by its path")
        self.spec: ModelSpec = read_spec(self._model)
        self.model_sha256: str = model_sha256(self._model)
        self._second = classifier
        if classifier is not None:
            check_pair(self.spec, classifier.spec)
        # Input, outputs and scratch buffers have room for one frame.
        self._lock = threading.Lock()
        self.backend: Backend
        self._open(default_threads() if threads is None else threads, delegate)
        _RECOGNIZERS.add(self)

    def _open(self, threads: int, delegate: DelegateName | str) -> None:
        self._interpreter, self.backend = open_interpreter(self._model, threads, delegate)
        self._preprocess = Preprocessor(self.spec.input)
        self._input = self._interpreter.get_input_details()[0]
        self._classifier, self._detector = self._open_outputs(self._model)
        self._pixel_table = _pixel_table(self.spec.input, self._input)
        self._image: Image = np.empty((self.spec.input.height, self.spec.input.width, 3), np.uint8)
        self._broken_off = False

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
            TypeError: The number of threads is not whole.
            ValueError: There are fewer threads than 1 or more than 256.
        """
        return cls(read_model(find_model(path)), threads=threads, delegate=delegate, classifier=classifier)

    def copy(self) -> Self:
        """Open the same model once more, with as many threads and the same delegate, to answer frames at once."""
        # Not by the constructor, which a class of a program's own may have another one of.
        copied = type(self).__new__(type(self))
        copied.__setstate__(self.__getstate__() | {"_second": None if self._second is None else self._second.copy()})
        return copied

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        # An interpreter cannot go to another process, but what it was opened with can.
        return {name: value for name, value in self.__dict__.items() if name not in _OPENED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        self._open(self.backend.threads, self.backend.delegate)
        _RECOGNIZERS.add(self)

    @property
    def classifier_sha256(self) -> str | None:
        """Hash of the classifier that looks at boxes again, None without one."""
        return None if self._second is None else self._second.model_sha256

    @property
    def enough(self) -> tuple[int, int] | None:
        """Height and width in pixels that frames need; None where a second look needs all there is."""
        return None if self._second is not None else (self.spec.input.height, self.spec.input.width)

    def classify(
        self, frame: AnyImage, *, top_k: int = 3, threshold: float | None = None
    ) -> tuple[Classification, ...]:
        """Return the best labels of the first head.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], as OpenCV reads it.
            top_k: How many labels at most, at least 1.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Best first; empty when no score reaches the threshold.

        Raises:
            ModelError: The model is a detector.
            TypeError: The frame is no array, or `top_k` is not whole.
            ValueError: The frame is of another shape or type, `top_k` is below 1, or the threshold outside [0, 1].
        """
        self._require_classifier()
        return self.recognize(frame, top_k=top_k, threshold=threshold).classifications

    def detect(self, frame: AnyImage, *, threshold: float | None = None) -> tuple[Detection, ...]:
        """Return the garments that a detector finds.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], as OpenCV reads it.
            threshold: Least score in [0, 1]; None takes the model's own.

        Returns:
            Best first, boxes in pixels of the frame; empty when no score reaches the threshold.

        Raises:
            ModelError: The model is a classifier.
            TypeError: The frame is no array.
            ValueError: The frame is of another shape or type, or the threshold outside [0, 1].
        """
        detections = self.recognize(frame, threshold=threshold).detections
        if detections is None:
            raise ModelError(f"The model {self.spec.name} is a classifier and finds no boxes; give a detector's file.")
        return detections

    def recognize(self, frame: AnyImage, *, top_k: int = 3, threshold: float | None = None) -> Recognition:
        """Answer one frame, with the time each stage took; arguments as for `classify`.

        Raises:
            TypeError: The frame is no array, or `top_k` is not whole.
            ValueError: The frame is of another shape or type, `top_k` is below 1, or the threshold outside [0, 1].
        """
        top_k = as_whole("top_k", top_k)
        if top_k < 1:
            raise ValueError(f"top_k has to be at least 1, not {top_k}.")
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"threshold has to be from 0 to 1, not {threshold}.")
        answer = self._recognize(frame, top_k, threshold)
        if self._second is None or answer.detections is None:
            return answer
        return refine(answer, answer.detections, frame, partial(self._second.recognize, top_k=top_k))

    def _recognize(self, frame: AnyImage, top_k: int, threshold: float | None) -> Recognition:
        with self._lock:
            start = time.perf_counter()
            self._mend()
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

    def scores(self, frame: AnyImage) -> NDArray[np.float32]:
        """Return the first head's (labels,) float32 scores in [0, 1] for a (height, width, 3) uint8 BGR frame.

        Raises:
            ModelError: The model is a detector.
            TypeError: The frame is no array.
            ValueError: The frame is of another shape or type.
        """
        self._require_classifier()
        with self._lock:
            self._mend()
            self._fill_input(frame)
            self._interpreter.invoke()
            return self._require_classifier().scores()

    def _let_go(self) -> None:
        """Forget what a thread of the parent process was doing; a forked one has no such thread."""
        if self._lock.locked():
            self._broken_off = True
            self._lock = threading.Lock()

    def _mend(self) -> None:
        # Such an interpreter is in the middle of a frame for ever, and refuses another one.
        if self._broken_off:
            self._open(self.backend.threads, self.backend.delegate)

    def _open_outputs(self, model: bytes) -> tuple[ClassifierOutputs | None, DetectorOutputs | None]:
        if self.spec.detection is None:
            return ClassifierOutputs(self._interpreter, self.spec.heads[0]), None
        return None, DetectorOutputs(self._interpreter, self.spec.detection, read_detector_outputs(model))

    def _require_classifier(self) -> ClassifierOutputs:
        if self._classifier is None:
            raise ModelError(f"The model {self.spec.name} is a detector; give a classifier's file.")
        return self._classifier

    def _fill_input(self, frame: AnyImage) -> None:
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


def _let_all_go() -> None:
    for recognizer in _RECOGNIZERS:
        recognizer._let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_all_go)


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
    # Without a scale, 0 here, the model computes with the pixels themselves.
    quantized = np.clip(np.rint(real / (scale or 1.0) + zero_point), limits.min, limits.max)
    # A zero point is whole, so the exact 127.5 of a [-1, 1] input is off by half a level: not worth a second pass.
    if tensor["dtype"] == np.uint8 and np.abs(quantized - levels).max() <= 1:
        return None
    table: NDArray[Any] = quantized.astype(tensor["dtype"])[np.newaxis]
    return table
