from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.events import ScanEvent, ScanKind
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sinks.crops import PictureCropSink, TrackCropSink
from edge_runtime.sources import Frame


def _frame(timestamp: float = 1.5, source: str = "camera:0") -> Frame:
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:40, 20:50] = (0, 0, 250)
    return Frame(image, source, 3, timestamp, 2.0)


def _result(*detections: Detection, classifier: bool = False) -> FrameResult:
    answers = (Classification("hat", 0.9), Classification("t-shirt", 0.1)) if classifier else ()
    found = None if classifier else detections
    return FrameResult("camera:0", 0, 1.5, 80, 60, answers, found, StageTimes(1, 1, 1, 1), "ab")


def _event(
    number: int,
    kind: ScanKind = ScanKind.SETTLED,
    timestamp: float = 1.5,
    box: tuple[float, float, float, float] | None = (20, 10, 50, 40),
) -> ScanEvent:
    return ScanEvent(f"id{number}", "run", number, timestamp, kind, "camera:0", 0, "hat", 0.9, box, 1.0, "ab")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestPictures:
    def test_garments_that_are_cut_out_do_not_join_the_photos(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "a.png"), _frame().image)
        with PictureCropSink(tmp_path) as sink, pytest.raises(OutputError, match="another one for --save-crops"):
            sink.write(_frame(source=str(tmp_path / "a.png")), _result(Detection("hat", 0.9, (20, 10, 50, 40))))
        assert _names(tmp_path) == ["a.png"]

    def test_each_garment_is_cut_out(self, tmp_path: Path) -> None:
        with PictureCropSink(tmp_path / "crops") as sink:
            boxes = Detection("hat", 0.9, (20, 10, 50, 40)), Detection("hat", 0.8, (-5, 0, 10, 100))
            sink.write(_frame(), _result(*boxes))
        assert _names(tmp_path / "crops") == ["camera-0-000003-hat-2.jpg", "camera-0-000003-hat.jpg"]
        first, second = (cv2.imread(str(tmp_path / "crops" / name)) for name in reversed(_names(tmp_path / "crops")))
        assert first.shape == (30, 30, 3)
        assert first[:, :, 2].min() > 200
        assert second.shape == (60, 10, 3)

    def test_a_classifiers_answer_is_the_whole_picture(self, tmp_path: Path) -> None:
        with PictureCropSink(tmp_path) as sink:
            sink.write(_frame(source="photo.jpg"), _result(classifier=True))
        (name,) = _names(tmp_path)
        assert name == "photo-000003-hat.jpg"
        assert cv2.imread(str(tmp_path / name)).shape == (60, 80, 3)

    def test_a_long_name_leaves_room_for_the_label(self, tmp_path: Path) -> None:
        photo = tmp_path / ("x" * 246 + ".jpg")
        photo.touch()
        with PictureCropSink(tmp_path / "crops") as sink:
            sink.write(_frame(source=str(photo)), _result(classifier=True))
        (name,) = _names(tmp_path / "crops")
        assert name.startswith("x" * 100)
        assert name.endswith("-hat.jpg")

    def test_a_box_outside_the_picture_makes_no_file(self, tmp_path: Path) -> None:
        with PictureCropSink(tmp_path) as sink:
            sink.write(_frame(), _result(Detection("hat", 0.9, (200, 10, 250, 40))))
        assert _names(tmp_path) == []

    def test_a_folder_that_cannot_be_made_is_an_output_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="cannot be made"):
            PictureCropSink(tmp_path / "file" / "crops").__enter__()


class TestTracks:
    def test_a_garment_is_saved_once_when_it_settles(self, tmp_path: Path) -> None:
        with TrackCropSink(tmp_path, 10, live=True) as sink:
            for timestamp, kind in [(1.0, ScanKind.APPEARED), (1.5, ScanKind.SETTLED), (2.0, ScanKind.LEFT)]:
                sink.write(_frame(timestamp), _result())
                sink.tell(_event(0, kind, timestamp))
        assert _names(tmp_path) == ["19700101T000001.500Z-hat-id0.jpg"]
        assert cv2.imread(str(tmp_path / _names(tmp_path)[0])).shape == (30, 30, 3)

    def test_without_a_box_it_is_the_whole_frame(self, tmp_path: Path) -> None:
        with TrackCropSink(tmp_path, 10, live=True) as sink:
            sink.write(_frame(), _result())
            sink.tell(_event(0, box=None))
        assert cv2.imread(str(tmp_path / _names(tmp_path)[0])).shape == (60, 80, 3)

    def test_no_other_frame_is_taken_for_the_one_that_decided(self, tmp_path: Path) -> None:
        with TrackCropSink(tmp_path, 10, live=True) as sink:
            sink.tell(_event(0))
            sink.write(_frame(1.0), _result())
            sink.tell(_event(1))
        assert _names(tmp_path) == []

    def test_the_oldest_go_beyond_the_limit_also_those_of_earlier_runs(self, tmp_path: Path) -> None:
        (tmp_path / "mine.jpg").touch()
        for first in (0, 3):
            with TrackCropSink(tmp_path, 2, live=True) as sink:
                for number in range(first, first + 3):
                    sink.write(_frame(float(number)), _result())
                    sink.tell(_event(number, timestamp=float(number)))
        assert _names(tmp_path) == [
            "19700101T000004.000Z-hat-id4.jpg",
            "19700101T000005.000Z-hat-id5.jpg",
            "mine.jpg",
        ]
