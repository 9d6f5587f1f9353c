"""Results as lines of text, for eyes and for programs."""

import json
from collections.abc import Sequence
from typing import Protocol

from edge_runtime.errors import OutputError
from edge_runtime.events.event import Event
from edge_runtime.frame import Frame
from edge_runtime.results import Classification, Detection, FrameResult
from edge_runtime.sinks.sink import Sink
from edge_runtime.streams import tells_of_no_reader

_LEAST_SOURCE_WIDTH = 18
_MOST_SOURCE_WIDTH = 40


class LineStream(Protocol):
    """What lines are written to: a text stream, or what does as much of it."""

    @property
    def encoding(self) -> str | None:
        """What the text becomes; None stands for UTF-8."""

    def write(self, text: str, /) -> int:
        """Write text and return its length."""

    def flush(self) -> None:
        """Pass on what was written."""


class JsonSink(Sink):
    """One JSON object per frame and line (JSON Lines), ASCII only, flushed at once."""

    def __init__(self, stream: LineStream) -> None:
        self._stream = stream

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write `FrameResult.to_dict()`.

        Raises:
            OutputError: The stream takes no more.
            BrokenPipeError: Its reader is gone.
        """
        _write_line(self._stream, json.dumps(result.to_dict()))


class EventSink(Sink):
    """One JSON object per event and line (JSON Lines), ASCII only, flushed at once; frames are left out."""

    def __init__(self, stream: LineStream) -> None:
        self._stream = stream

    def tell(self, event: Event) -> None:
        """Write the event's `to_dict()`.

        Raises:
            OutputError: The stream takes no more.
            BrokenPipeError: Its reader is gone.
        """
        _write_line(self._stream, json.dumps(event.to_dict()))


class LineSink(Sink):
    """One aligned line per frame: number, source, labels with per cent, and milliseconds."""

    def __init__(self, stream: LineStream, labels: Sequence[str]) -> None:
        """Write to a stream.

        Args:
            stream: Open for writing text.
            labels: All that the model knows, to align by the longest.
        """
        self._stream = stream
        self._label_width = max((len(label) for label in labels), default=0)
        self._source_width = _LEAST_SOURCE_WIDTH

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write a line.

        Raises:
            OutputError: The stream takes no more.
            BrokenPipeError: Its reader is gone.
        """
        self._source_width = min(max(self._source_width, len(result.source)), _MOST_SOURCE_WIDTH)
        source = _shortened(result.source, self._source_width)
        text = "  ".join(self._answer(answer) for answer in result.answers) or "nothing above the threshold"
        line = f"{result.frame:>5}  {source:<{self._source_width}}  {text}  {result.times.answer:6.1f} ms"
        _write_line(self._stream, line)

    def _answer(self, answer: Classification | Detection) -> str:
        text = f"{answer.label:<{self._label_width}} {answer.score:>6.1%}"
        if isinstance(answer, Detection) and answer.classifications:
            best = answer.classifications[0]
            text += f" ({best.label} {best.score:.1%})"
        return text


def _shortened(source: str, width: int) -> str:
    # The end of a path says more than its start.
    return source if len(source) <= width else "..." + source[-(width - 3) :]


def _write_line(stream: LineStream, line: str) -> None:
    encoding = stream.encoding or "utf-8"
    # A file name may hold bytes, and a label letters, that this terminal cannot show.
    printable = line.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(printable + "\n")
        stream.flush()
    except OSError as error:
        if tells_of_no_reader(error):
            raise BrokenPipeError(*error.args) from error
        raise OutputError(f"Results cannot be written ({error.strerror}); check where the output goes.") from error
