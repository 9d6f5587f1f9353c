"""The frame loop: every frame of a source is answered by a recognizer and given to the sinks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from edge_runtime.answering import Answer, open_answerer
from edge_runtime.events import EventHub, Scanner
from edge_runtime.model_watch import ModelWatch
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import Detection, FrameResult, Recognition, StageTimes
from edge_runtime.screening import Screening, Verdict
from edge_runtime.sinks import Sink
from edge_runtime.sources import Enough, Frame, FrameSource
from edge_runtime.view import View
from edge_runtime.watchdog import Watchdog

_T = TypeVar("_T")


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
        at_once: Answer so many frames at once, in threads of their own, for most answers a second; None answers each
            as soon as it is there, for the soonest one. Results come in the order of the frames.
    """

    top_k: int = 3
    threshold: float | None = None
    max_frames: int | None = None
    view: View = field(default_factory=View)
    skip_still: bool = False
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A frame on its way to a result.

    Attributes:
        frame: As it is looked at.
        begins: It is the first of its file.
        verdict: What is done with it.
        answer: None where there is none to wait for.
    """

    frame: Frame
    begins: bool
    verdict: Verdict
    answer: Answer | None


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
    enough: Enough | None = None,
) -> RunCounts:
    """Answer the frames of a source until it ends.

    Args:
        source: Opened and closed here.
        recognizer: Answers the frames.
        sinks: Open; each gets every frame with its result, and every event.
        options: How frames are answered.
        hub: Numbers and passes on the events of the run; None takes the scanner's, or a new one.
        scanner: Turns results into scan events through the same hub; None for no such events.
        models: Says when to go on with another recognizer; None keeps the one given.
        watchdog: Open; watches each answer.
        enough: Told how large the frames of the source have to be; None where the sinks want whole ones.

    Raises:
        SourceError: The source cannot be opened or stops giving frames.
        PictureError: A picture cannot be read and the source makes that an error.
        OutputError: A sink cannot write.
        ValueError: The scanner sends through another hub.
    """
    hub = _hub_of(hub, scanner)
    loop = FrameLoop(recognizer, sinks, options or LoopOptions(), hub, scanner, models, watchdog, enough)
    return loop.run(source)


def _hub_of(hub: EventHub | None, scanner: Scanner | None) -> EventHub:
    if scanner is None:
        return hub or EventHub()
    if hub is not None and hub is not scanner.hub:
        raise ValueError("No sink would hear the scanner, whose hub is another one than the run's; give both the same.")
    return scanner.hub


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
        enough: Enough | None,
    ) -> None:
        self._answerer = open_answerer(recognizer, options.at_once)
        self._sinks = tuple(sinks)
        self._options = options
        self._hub = hub
        self._scanner = scanner
        self._models = models
        self._enough = enough
        self._tell_enough()
        self._guarding: Callable[[], AbstractContextManager[None]] = watchdog.guarding if watchdog else nullcontext
        self._judged = deque[_Judged]()
        self._writes = deque[Callable[[], None]]()
        self._last: dict[str, FrameResult] = {}
        self._taken: tuple[str, int] | None = None
        self._finished_of: str | None = None
        self._begun = self._answered = self._still = self._dark = 0

    def run(self, source: FrameSource) -> RunCounts:
        """Answer the frames of a source until it ends."""
        screening = Screening(live=source.live, skip_still=self._options.skip_still, on_health=self._hub.health)
        source.while_waiting(self._tell_of_sinks)
        with self._hub.listened_to(*(sink.tell for sink in self._sinks)):
            try:
                with source:
                    self._take_all(source, screening)
            finally:
                self._answerer.close()
                if self._scanner is not None:
                    self._scanner.end()
        return RunCounts(self._answered, source.failed, source.dropped, self._still, self._dark)

    def _take_all(self, source: FrameSource, screening: Screening) -> None:
        try:
            for frame in source:
                self._take(frame, not source.live and self._begins_file(frame, screening), screening)
                self._finish(self._answerer.most_waiting)
                self._tell_of_sinks()
                if self._begun == self._options.max_frames:
                    break
            self._finish(0)
        except BaseException:
            # Whatever ended the run, what was begun is worth finishing, though not worth waiting for ever.
            self._hurry_sinks()
            self._finish(0)
            raise

    def _begins_file(self, frame: Frame, screening: Screening) -> bool:
        """Tell whether a frame is the first of a file, and forget the one before: there may be any number of them."""
        before, self._taken = self._taken, (frame.source, frame.index)
        # The same file may come again.
        if before is not None and before[0] == frame.source and before[1] < frame.index:
            return False
        if before is not None:
            screening.forget(before[0])
        return True

    def _tell_of_sinks(self) -> None:
        for sink in self._sinks:
            for notice in sink.take_notices():
                self._hub.health(*notice)

    def _hurry_sinks(self) -> None:
        for sink in self._sinks:
            sink.hurry()

    def _take(self, frame: Frame, begins: bool, screening: Screening) -> None:
        screening.measure(frame)
        frame = replace(frame, image=self._options.view.apply(frame.image))
        self._renew_model(screening)
        verdict = screening.judge(frame)
        answer = self._begin(frame) if verdict is Verdict.ANSWER else None
        self._judged.append(_Judged(frame, begins, verdict, answer))

    def _begin(self, frame: Frame) -> Answer:
        self._begun += 1
        return self._answerer.begin(frame.image, self._options.top_k, self._options.threshold)

    def _renew_model(self, screening: Screening) -> None:
        if self._models is not None and (newer := self._models.newer(self._answerer.recognizer)) is not None:
            self._finish(0)
            self._answerer.close()
            self._answerer = open_answerer(newer, self._options.at_once)
            self._tell_enough()
            screening.want_answers()

    def _tell_enough(self) -> None:
        if self._enough is not None:
            self._enough.size = self._options.view.enough_for(self._answerer.recognizer.enough)

    def _finish(self, most_left: int) -> None:
        """Pass on results, in the order of their frames, until at most so many frames are left."""
        self._write()
        while len(self._judged) > most_left:
            self._pass_on_first()

    def _pass_on_first(self) -> None:
        with _taking(self._judged) as judged:
            answer = None if judged.answer is None else self._wait(judged.answer)
            if judged.begins:
                self._begin_file(judged.frame.source)
            result = self._result(judged, answer)
        self._write()
        if self._scanner is not None:
            self._scanner.see(judged.frame, result)

    def _begin_file(self, following: str) -> None:
        # Live sources, which have no beginning, go on side by side.
        if self._finished_of is not None:
            self._last.pop(self._finished_of, None)
            if self._scanner is not None:
                self._scanner.end_source(self._finished_of)
        self._finished_of = following

    def _wait(self, answer: Answer) -> Recognition:
        with self._guarding():
            return answer()

    def _result(self, judged: _Judged, answer: Recognition | None) -> FrameResult | None:
        if answer is not None:
            return self._answer(judged.frame, answer)
        if judged.verdict is Verdict.STILL:
            self._still += 1
            return self._last[judged.frame.source]
        self._dark += 1
        return None

    def _answer(self, frame: Frame, answer: Recognition) -> FrameResult:
        height, width = frame.size
        result = FrameResult(
            source=frame.source,
            frame=self._answered,
            timestamp=frame.timestamp,
            video_s=frame.video_s,
            width=width,
            height=height,
            classifications=answer.classifications,
            detections=_enlarge(answer.detections, frame.shrunk_by),
            times=StageTimes(frame.capture_ms, answer.preprocess_ms, answer.inference_ms, answer.postprocess_ms),
            model_sha256=self._answerer.recognizer.model_sha256,
            classifier_sha256=self._answerer.recognizer.classifier_sha256,
        )
        self._answered += 1
        if self._options.skip_still:
            self._last[frame.source] = result
        self._writes.extend(partial(sink.write, frame, result) for sink in self._sinks)
        return result

    def _write(self) -> None:
        """Give sinks what they have not got yet."""
        while self._writes:
            with _taking(self._writes) as write:
                write()


@contextmanager
def _taking(waiting: deque[_T]) -> Iterator[_T]:
    """Take the first of a queue, but leave it there when a signal breaks into the block, for another try."""
    try:
        yield waiting[0]
    except Exception:
        # It would fail again.
        waiting.popleft()
        raise
    waiting.popleft()


def _enlarge(detections: tuple[Detection, ...] | None, times: int) -> tuple[Detection, ...] | None:
    if detections is None or times == 1:
        return detections
    return tuple(each.enlarged(times) for each in detections)
