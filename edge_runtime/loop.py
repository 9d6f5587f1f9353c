"""The frame loop: every frame of a source is answered by a recognizer and given to the sinks."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from edge_runtime.events import EventHub, Scanner
from edge_runtime.model_watch import ModelWatch
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import FrameResult, StageTimes
from edge_runtime.screening import Screening, Verdict
from edge_runtime.sinks import Sink, SinkThread
from edge_runtime.sources import Frame, FrameSource
from edge_runtime.view import View
from edge_runtime.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What became of the frames of a run.

    Attributes:
        answered: Frames that were recognised and written.
        failed: Pictures that could not be read.
        dropped: Frames of a live source that came faster than they were answered.
        still: Frames without motion, for which the last answer still holds.
        dark: Black frames of a live source, which are not answered.
    """

    answered: int
    failed: int
    dropped: int
    still: int = 0
    dark: int = 0


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How frames are answered.

    Attributes:
        top_k: How many labels at most.
        threshold: Least score in [0, 1]; None takes the model's own.
        max_frames: Stop after so many answers; None goes on to the end.
        view: What is done to each frame first.
        skip_still: Give no answer while nothing moves.
    """

    top_k: int = 3
    threshold: float | None = None
    max_frames: int | None = None
    view: View = field(default_factory=View)
    skip_still: bool = False


def run(
    source: FrameSource,
    recognizer: Recognizer,
    sinks: Iterable[Sink],
    options: LoopOptions | None = None,
    *,
    hub: EventHub | None = None,
    scanner: Scanner | None = None,
    models: ModelWatch | None = None,
    watchdog: Watchdog | None = None,
) -> RunCounts:
    """Answer the frames of a source until it ends.

    Args:
        source: Opened and closed here.
        recognizer: Answers the frames.
        sinks: Open; each gets every frame with its result, and every event.
        options: How frames are answered.
        hub: Numbers and passes on the events of the run.
        scanner: Turns results into scan events through the same hub; None for no such events.
        models: Says when to go on with another recognizer; None keeps the one given.
        watchdog: Open; watches each answer.

    Raises:
        SourceError: The source cannot be opened or stops giving frames.
        PictureError: A picture cannot be read and the source makes that an error.
        OutputError: A sink cannot write.
    """
    loop = FrameLoop(recognizer, sinks, options or LoopOptions(), hub or EventHub(), scanner, models, watchdog)
    return loop.run(source)


class FrameLoop:
    """The state of one run; see `run`."""

    def __init__(
        self,
        recognizer: Recognizer,
        sinks: Iterable[Sink],
        options: LoopOptions,
        hub: EventHub,
        scanner: Scanner | None,
        models: ModelWatch | None,
        watchdog: Watchdog | None,
    ) -> None:
        self._recognizer = recognizer
        self._sinks = tuple(sinks)
        self._options = options
        self._hub = hub
        self._scanner = scanner
        self._models = models
        self._guarding: Callable[[], AbstractContextManager[None]] = watchdog.guarding if watchdog else nullcontext
        self._last: dict[str, FrameResult] = {}
        self._source: str | None = None
        self._answered = self._still = self._dark = 0
        for sink in self._sinks:
            hub.listen(sink.tell)

    def run(self, source: FrameSource) -> RunCounts:
        """Answer the frames of a source until it ends."""
        screening = Screening(live=source.live, skip_still=self._options.skip_still, on_health=self._hub.health)
        try:
            with source:
                for frame in source:
                    if not source.live and frame.source != self._source:
                        self._begin_file(frame.source, screening)
                    self._take(frame, screening)
                    self._tell_of_sinks()
                    if self._answered == self._options.max_frames:
                        break
        finally:
            if self._scanner is not None:
                self._scanner.end()
        return RunCounts(self._answered, source.failed, source.dropped, self._still, self._dark)

    def _begin_file(self, source: str, screening: Screening) -> None:
        """Forget the file before: there may be any number of them."""
        if self._source is not None:
            screening.forget(self._source)
            self._last.pop(self._source, None)
            if self._scanner is not None:
                self._scanner.end_source(self._source)
        self._source = source

    def _tell_of_sinks(self) -> None:
        for sink in self._sinks:
            if isinstance(sink, SinkThread):
                while sink.notices:
                    kind, message = sink.notices.popleft()
                    self._hub.health(kind, sink.name, message)

    def _take(self, frame: Frame, screening: Screening) -> None:
        frame = replace(frame, image=self._options.view.apply(frame.image))
        self._renew_model(screening)
        result = None
        match screening.judge(frame):
            case Verdict.ANSWER:
                result = self._answer(frame)
            case Verdict.STILL:
                self._still += 1
                result = self._last[frame.source]
            case Verdict.DARK:
                self._dark += 1
        if self._scanner is not None:
            self._scanner.see(frame, result)

    def _renew_model(self, screening: Screening) -> None:
        if self._models is not None and (newer := self._models.newer(self._recognizer)) is not None:
            self._recognizer = newer
            screening.want_answers()

    def _answer(self, frame: Frame) -> FrameResult:
        options = self._options
        height, width = frame.image.shape[:2]
        with self._guarding():
            answer = self._recognizer.recognize(frame.image, top_k=options.top_k, threshold=options.threshold)
        result = FrameResult(
            source=frame.source,
            frame=self._answered,
            timestamp=frame.timestamp,
            width=width,
            height=height,
            classifications=answer.classifications,
            detections=answer.detections,
            times=StageTimes(frame.capture_ms, answer.preprocess_ms, answer.inference_ms, answer.postprocess_ms),
            model_sha256=self._recognizer.model_sha256,
            classifier_sha256=self._recognizer.classifier_sha256,
        )
        self._answered += 1
        if options.skip_still:
            self._last[frame.source] = result
        for sink in self._sinks:
            sink.write(frame, result)
        return result
