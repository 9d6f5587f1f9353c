"""Frames answered one after another, or several at once."""

import queue
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from edge_runtime.preprocess import Image
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Recognition

Answer = Callable[[], Recognition]
"""Waits for an answer and returns it."""


class Answerer(Protocol):
    """Has frames answered.

    Attributes:
        recognizer: What answers them.
        most_waiting: How many frames may be begun before the answer of the first is asked for.
    """

    recognizer: Recognizer
    most_waiting: int

    @abstractmethod
    def begin(self, frame: Image, top_k: int, threshold: float | None) -> Answer:
        """Have a frame answered as by `Recognizer.recognize`."""

    def close(self) -> None:
        """Let go of threads; what was begun is finished."""
        return


def open_answerer(recognizer: Recognizer, at_once: int | None) -> Answerer:
    """Return what answers so many frames at once, or for None each only when it is asked for."""
    return OneByOne(recognizer) if at_once is None else SeveralAtOnce(recognizer, at_once)


class OneByOne(Answerer):
    """Each frame is answered when its answer is asked for, by all threads of the recognizer: the soonest answer."""

    most_waiting = 0

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer

    def begin(self, frame: Image, top_k: int, threshold: float | None) -> Answer:
        return partial(self.recognizer.recognize, frame, top_k=top_k, threshold=threshold)


class SeveralAtOnce(Answerer):
    """Copies of a recognizer, each in a thread of its own: most answers a second.

    Two copies of one thread each answer more frames than one copy of two threads, which wait for each other at the end
    of every layer. A copy is made when a frame finds all others busy, so that the first answer waits for none.
    """

    def __init__(self, recognizer: Recognizer, size: int) -> None:
        """Prepare.

        Args:
            recognizer: Used as the first of the copies.
            size: How many frames are answered at once.
        """
        self.recognizer = recognizer
        # One more than are being answered, so that whoever is done finds the next one ready.
        self.most_waiting = size + 1
        self._idle = queue.SimpleQueue[Recognizer]()
        self._idle.put(recognizer)
        self._threads = ThreadPoolExecutor(size, "answer")

    def begin(self, frame: Image, top_k: int, threshold: float | None) -> Answer:
        return self._threads.submit(self._recognize, frame, top_k, threshold).result

    def close(self) -> None:
        self._threads.shutdown()

    def _recognize(self, frame: Image, top_k: int, threshold: float | None) -> Recognition:
        recognizer = self._take()
        try:
            return recognizer.recognize(frame, top_k=top_k, threshold=threshold)
        finally:
            self._idle.put(recognizer)

    def _take(self) -> Recognizer:
        # There are no more threads than copies, so one that finds none idle is new.
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self.recognizer.copy()
