"""Several sources, one after another."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from edge_runtime.errors import SourceError
from edge_runtime.frame import Frame
from edge_runtime.sources.source import FrameSource


class ChainedSource(FrameSource):
    """The frames of several sources that are not live, in the order given."""

    def __init__(self, sources: Sequence[FrameSource]) -> None:
        self._sources = tuple(sources)
        self._pacer = next((source for source in self._sources if not source.alone), self._sources[0])

    @property
    def fps(self) -> float | None:  # type: ignore[override]
        """Frames a second of the first source that is no picture, or of the first picture."""
        return self._pacer.fps

    @property
    def alone(self) -> bool:  # type: ignore[override]
        """All sources give pictures that have nothing to do with each other."""
        return all(source.alone for source in self._sources)

    @property
    def failed(self) -> int:  # type: ignore[override]
        """Pictures that could not be read so far."""
        return sum(source.failed for source in self._sources)

    def __iter__(self) -> Iterator[Frame]:
        if self._pacer is not self._sources[0]:
            self._learn_fps()
        for source in self._sources:
            with source:
                yield from source

    def _learn_fps(self) -> None:
        """Have a video looked into before the pictures that come before it, since they are shown at its rate."""
        # One that cannot be read says so when its turn comes.
        with suppress(SourceError):
            next(iter(self._pacer), None)
