"""Pictures of garments alone, cut out of their frames."""

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from edge_runtime.boxes import Box
from edge_runtime.events.event import Event, ScanEvent, ScanKind
from edge_runtime.events.tracker import observe
from edge_runtime.files import write_bytes
from edge_runtime.frame import Frame
from edge_runtime.preprocess import Image
from edge_runtime.results import FrameResult
from edge_runtime.sinks.pictures import (
    FolderSink,
    as_name,
    encode_picture,
    picture_name,
    refuse_own_folder,
    short_stem,
)
from edge_runtime.sinks.sink import Sink
from edge_runtime.veil import box_pixels

_SUFFIX: Final = ".jpg"


class PictureCropSink(FolderSink):
    """Cuts each garment out of each picture; a classifier's answer is the whole picture."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write a picture of each garment, named after its frame and label.

        Raises:
            OutputError: It cannot be written, or would lie among the pictures it is cut from.
        """
        refuse_own_folder(self.folder, frame.source, "--save-crops")
        stem = short_stem(Path(picture_name(frame)))
        for garment in observe(result):
            path = self.free_path(f"{stem}-{as_name(garment.label)}{_SUFFIX}")
            _write(path, _cut(frame.image, garment.box))


class TrackCropSink(FolderSink):
    """Cuts each garment out of the frame in which it settled, once, and keeps so many pictures.

    A picture's name begins with its time (UTC) and ends with the id of the event.
    """

    def __init__(self, folder: Path, most: int, *, live: bool) -> None:
        """Write to a folder.

        Args:
            folder: Made when it is not there.
            most: Pictures to keep; beyond that the oldest are removed.
            live: Several sources may give frames in turns.
        """
        super().__init__(folder)
        self._most = most
        self._live = live
        self._kept = deque[Path]()
        self._frames: dict[str, Frame] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        self._kept.extend(sorted(self.folder.glob(f"????????T??????.???Z-*{_SUFFIX}")))
        return self

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Remember the frame, which the next events may be about."""
        if not self._live:
            # Files may be many, and come one after another.
            self._frames.clear()
        self._frames[frame.source] = frame

    def tell(self, event: Event) -> None:
        """Write a picture of a garment that has settled, if its frame was not left out for a busy disk.

        Raises:
            OutputError: It cannot be written.
        """
        if not isinstance(event, ScanEvent) or event.kind is not ScanKind.SETTLED:
            return
        frame = self._frames.get(event.source)
        if frame is not None and frame.timestamp == event.timestamp:
            self._keep(event, _cut(frame.image, event.box))

    def _keep(self, event: ScanEvent, image: Image) -> None:
        moment = datetime.fromtimestamp(event.timestamp, UTC)
        time = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"
        path = self.folder / f"{time}-{as_name(event.label)}-{event.id}{_SUFFIX}"
        _write(path, image)
        self._kept.append(path)
        while len(self._kept) > self._most:
            self._kept.popleft().unlink(missing_ok=True)


class CropSink(Sink):
    """Cuts garments out of whatever comes: of pictures each one, of all else once it has settled."""

    def __init__(self, folder: Path, most: int, *, live: bool) -> None:
        """Write to a folder; arguments as for `TrackCropSink`, whose limit is not for those out of pictures."""
        self._pictures = PictureCropSink(folder)
        self._tracks = TrackCropSink(folder, most, live=live)

    def __enter__(self) -> Self:
        self._tracks.__enter__()
        return self

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Cut garments out of a picture, or remember the frame; errors as of the sinks for each."""
        sink = self._pictures if frame.alone else self._tracks
        sink.write(frame, result)

    def tell(self, event: Event) -> None:
        """Write a picture of a garment that has settled; errors as of `TrackCropSink`."""
        self._tracks.tell(event)


def _cut(image: Image, box: Box | None) -> Image:
    return image if box is None else image[box_pixels(box, *image.shape[:2])]


def _write(path: Path, image: Image) -> None:
    # A box may lie outside the part of the picture that is looked at.
    if image.size:
        write_bytes(path, encode_picture(image, path.suffix))
