"""Taking over a model that is replaced on disk while frames are being answered."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import EdgeGarmentError
from edge_runtime.events.event import HealthKind
from edge_runtime.recognizer import Recognizer
from edge_runtime.sources.live import OnHealth

_INTERVAL_S: Final = 1.0

_Stamp = tuple[int, int, int]


class ModelWatch:
    """Looks at model files once a second and loads them when one has become another one.

    A file that is still being written is left alone: it has to look the same twice, a second apart, and then has to be
    a whole model, whose end carries its metadata. Until one is, the old model goes on.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        load: Callable[[], Recognizer],
        on_health: OnHealth,
        interval_s: float = _INTERVAL_S,
        spares: Sequence[Path] = (),
    ) -> None:
        """Take the files as they are now for the model in use: make the watch before the model is loaded.

        Args:
            paths: What is looked at: the model's file, and that of the classifier behind a detector.
            load: Loads the model anew.
            on_health: Told of models that are taken over or refused.
            interval_s: Seconds between looks.
            spares: Files that are looked at as well, and need not be there.
        """
        self._paths = tuple(paths)
        self._spares = tuple(spares)
        self._load = load
        self._on_health = on_health
        self._interval_s = interval_s
        self._due_s = time.monotonic()
        self._judged = self._before = self._stamps()

    def newer(self, current: Recognizer) -> Recognizer | None:
        """Return the model to go on with, None to go on with the current one; cheap between looks."""
        if time.monotonic() < self._due_s:
            return None
        stamps, before = self._stamps(), self._before
        self._due_s = time.monotonic() + self._interval_s
        self._before = stamps
        if None in stamps[: len(self._paths)] or stamps == self._judged or stamps != before:
            return None
        self._judged = stamps
        return self._take_over(current)

    def _stamps(self) -> tuple[_Stamp | None, ...]:
        return tuple(_stamp(path) for path in (*self._paths, *self._spares))

    def _take_over(self, current: Recognizer) -> Recognizer | None:
        names = " and ".join(map(str, self._paths))
        try:
            newer = self._load()
        except EdgeGarmentError as error:
            message = f"The new {names} is not taken over, and the old model goes on: {error}"
            self._on_health(HealthKind.MODEL_REFUSED, names, message)
            return None
        if _hashes(newer) == _hashes(current):
            return None
        if newer.spec.task is not current.spec.task:
            # Whoever acts on events of whole frames would be sent some of boxes, or the other way round.
            message = (
                f"The new {names} is not taken over, and the old model goes on: it is for {newer.spec.task} and the "
                f"old one for {current.spec.task}; start again to change that."
            )
            self._on_health(HealthKind.MODEL_REFUSED, names, message)
            return None
        message = f"{names} is taken over: {newer.spec.name}, sha256 {newer.model_sha256[:12]}"
        self._on_health(HealthKind.MODEL_RELOADED, names, f"{message}{_compare_labels(current, newer)}.")
        return newer


def _hashes(recognizer: Recognizer) -> tuple[str, str | None]:
    return recognizer.model_sha256, recognizer.classifier_sha256


def _compare_labels(current: Recognizer, newer: Recognizer) -> str:
    """Return which labels came and went, as the end of a sentence."""
    before, now = set(current.spec.labels), set(newer.spec.labels)
    changes = [("new labels", now - before), ("labels that it lacks", before - now)]
    return "".join(f"; {what}: {', '.join(sorted(labels))}" for what, labels in changes if labels)


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with a file's content, None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
