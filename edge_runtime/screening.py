"""Which frames are worth an answer."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from edge_runtime.errors import SourceError
from edge_runtime.events.event import HealthKind
from edge_runtime.frame import Frame
from edge_runtime.sources.live import OnHealth
from edge_runtime.tiny import TinyPicture, has_moved, is_dark, tiny_picture

# A light that is switched, or a hand before the lens, is no fault.
_DARK_FOR_S: Final = 2.0


class Verdict(Enum):
    """What to do with a frame.

    `ANSWER` it; it is `STILL` what the last answer was about; or it is `DARK` and shows nothing.
    """

    ANSWER = auto()
    STILL = auto()
    DARK = auto()


@dataclass(slots=True)
class _Seen:
    size: tuple[int, int] | None = None
    answered: TinyPicture | None = None
    dark_since_s: float | None = None
    dark_told: bool = False


class Screening:
    """Looks at the frames of live sources before the model does, and tells of what is wrong with them."""

    def __init__(self, *, live: bool, skip_still: bool, on_health: OnHealth) -> None:
        """Start without a frame.

        Args:
            live: Look for black frames and changes of size, which in files are nobody's fault.
            skip_still: Look for frames in which nothing has moved since the last answer.
            on_health: Told of sources that are dark or light again, or change their size.
        """
        self._live = live
        self._skip_still = skip_still
        self._on_health = on_health
        self._seen: dict[str, _Seen] = {}

    def measure(self, frame: Frame) -> None:
        """Look at how large a frame came, before a view of it may hide that."""
        if not (self._live or self._skip_still):
            return
        seen = self._seen_of(frame)
        before, seen.size = seen.size, frame.size
        if before is not None and before != frame.size:
            seen.answered = None
            self._tell_size(frame, before)

    def judge(self, frame: Frame) -> Verdict:
        """Say what to do with a frame, which has been measured.

        Args:
            frame: As it is looked at.

        Raises:
            SourceError: Nothing of it is left by the region that is looked at.
        """
        if frame.image.size == 0:
            raise SourceError(f"The region of --roi lies outside the picture of {frame.source}; give another one.")
        if not (self._live or self._skip_still):
            return Verdict.ANSWER
        seen = self._seen_of(frame)
        picture = tiny_picture(frame.image)
        if self._live and self._is_dark(frame, seen, picture):
            seen.answered = None
            return Verdict.DARK
        if self._skip_still and seen.answered is not None and not has_moved(seen.answered, picture):
            return Verdict.STILL
        seen.answered = picture
        return Verdict.ANSWER

    def want_answers(self) -> None:
        """Let the next frame of each source be answered even if nothing has moved."""
        for seen in self._seen.values():
            seen.answered = None

    def forget(self, source: str) -> None:
        """Let go of what is known about a source that has ended."""
        self._seen.pop(source, None)

    def _seen_of(self, frame: Frame) -> _Seen:
        return self._seen.setdefault(frame.source, _Seen())

    def _tell_size(self, frame: Frame, before: tuple[int, int]) -> None:
        if self._live:
            height, width = frame.size
            message = f"{frame.source} sends {width} x {height} pixels now, {before[1]} x {before[0]} before."
            self._on_health(HealthKind.SIZE_CHANGED, frame.source, message)

    def _is_dark(self, frame: Frame, seen: _Seen, picture: TinyPicture) -> bool:
        if not is_dark(picture):
            if seen.dark_told:
                self._on_health(HealthKind.SOURCE_LIGHT, frame.source, f"{frame.source} is no longer black.")
            seen.dark_since_s, seen.dark_told = None, False
            return False
        if seen.dark_since_s is None:
            seen.dark_since_s = frame.clock_s
        if not seen.dark_told and frame.clock_s - seen.dark_since_s >= _DARK_FOR_S:
            seen.dark_told = True
            self._on_health(HealthKind.SOURCE_DARK, frame.source, f"{frame.source} sends black frames; see its lens.")
        return True
