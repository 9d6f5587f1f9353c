"""The frame loop: every frame of a source is answered by a recognizer and given to the sinks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from edge_runtime.recognizer import Recognizer
from edge_runtime.results import FrameResult, StageTimes
from edge_runtime.sinks import Sink
from edge_runtime.sources import Frame, FrameSource


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What became of the frames of a run.

    Attributes:
        answered: Frames that were recognised and written.
        failed: Pictures that could not be read.
        dropped: Frames of a live source that came faster than they were answered.
    """

    answered: int
    failed: int
    dropped: int


def run(
    source: FrameSource,
    recognizer: Recognizer,
    sinks: Iterable[Sink],
    *,
    top_k: int = 3,
    threshold: float | None = None,
    max_frames: int | None = None,
) -> RunCounts:
    """Answer the frames of a source until it ends.

    Args:
        source: Opened and closed here.
        recognizer: Answers the frames.
        sinks: Open; each gets every frame with its result.
        top_k: How many labels at most.
        threshold: Least score in [0, 1]; None takes the model's own.
        max_frames: Stop after so many answers; None goes on to the end.

    Raises:
        SourceError: The source cannot be opened or stops giving frames.
        PictureError: A picture cannot be read and the source makes that an error.
        OutputError: A sink cannot write.
    """
    sinks = tuple(sinks)
    answered = 0
    with source:
        for frame in islice(source, max_frames):
            result = _answer(recognizer, frame, answered, top_k, threshold)
            for sink in sinks:
                sink.write(frame, result)
            answered += 1
    return RunCounts(answered, source.failed, source.dropped)


def _answer(recognizer: Recognizer, frame: Frame, number: int, top_k: int, threshold: float | None) -> FrameResult:
    height, width = frame.image.shape[:2]
    answer = recognizer.recognize(frame.image, top_k=top_k, threshold=threshold)
    return FrameResult(
        source=frame.source,
        frame=number,
        timestamp=frame.timestamp,
        width=width,
        height=height,
        classifications=answer.classifications,
        detections=answer.detections,
        times=StageTimes(frame.capture_ms, answer.preprocess_ms, answer.inference_ms, answer.postprocess_ms),
        model_sha256=recognizer.model_sha256,
    )
