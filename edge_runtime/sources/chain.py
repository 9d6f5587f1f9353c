"""Several sources, one after another."""

from collections.abc import Iterator, Sequence

from edge_runtime.frame import Frame
from edge_runtime.sources.source import FrameSource


class ChainedSource(FrameSource):
    """The frames of several sources that are not live, in the order given."""

    def __init__(self, sources: Sequence[FrameSource]) -> None:
        self._sources = tuple(sources)

    @property
    def fps(self) -> float | None:  # type: ignore[override]
        """Frames a second of the first source."""
        return self._sources[0].fps

    @property
    def alone(self) -> bool:  # type: ignore[override]
        """All sources give pictures that have nothing to do with each other."""
        return all(source.alone for source in self._sources)

    @property
    def failed(self) -> int:  # type: ignore[override]
        """Pictures that could not be read so far."""
        return sum(source.failed for source in self._sources)

    def __iter__(self) -> Iterator[Frame]:
        for source in self._sources:
            with source:
                yield from source
