import errno
import io
import json
import shutil
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sinks import JsonSink, LineSink, PictureFileSink, PictureFolderSink, VideoSink, open_save_sink
from edge_runtime.sources import ChainedSource, DemoSource, Endpoint, Frame, LiveSource, PictureSource, VideoSource

_IMAGE = np.full((48, 64, 3), 90, np.uint8)


def _frame(source: str = "a.jpg", index: int = 0, image: np.ndarray = _IMAGE, clock_s: float = 1.5) -> Frame:
    return Frame(image, source, index, 1.5, 2.0, clock_s)


def _result(
    source: str = "a.jpg", frame: int = 0, label: str = "hat", detections: tuple[Detection, ...] | None = None
) -> FrameResult:
    answers = (Classification(label, 0.875), Classification("t-shirt", 0.125))
    return FrameResult(source, frame, 1.5, 64, 48, answers, detections, StageTimes(2.0, 1.0, 3.0, 0.25), "ab" * 32)


def _picture(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, _IMAGE)[1].tobytes())
    return path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _read_video(path: Path) -> tuple[list[np.ndarray], float]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames, capture.get(cv2.CAP_PROP_FPS)


class _FullStream(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


class TestJson:
    def test_one_object_per_line_with_the_documented_keys(self) -> None:
        stream = io.StringIO()
        with JsonSink(stream) as sink:
            sink.write(_frame(), _result(label="Träger"))
            sink.write(_frame(), _result(frame=1))
        first, second = (json.loads(line) for line in stream.getvalue().splitlines())
        assert first == {
            "source": "a.jpg",
            "frame": 0,
            "timestamp": 1.5,
            "width": 64,
            "height": 48,
            "classifications": [{"label": "Träger", "score": 0.875}, {"label": "t-shirt", "score": 0.125}],
            "times_ms": {"capture": 2.0, "preprocess": 1.0, "inference": 3.0, "postprocess": 0.25},
            "model_sha256": "ab" * 32,
        }
        assert second["frame"] == 1

    def test_a_name_that_is_no_unicode_can_be_written(self) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        JsonSink(stream).write(_frame(), _result(source="b\udcff.jpg"))

    def test_a_full_disk_is_an_output_error(self) -> None:
        stream = _FullStream(OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OutputError, match="No space left"):
            JsonSink(stream).write(_frame(), _result())

    def test_a_broken_pipe_is_left_to_the_command(self) -> None:
        with pytest.raises(BrokenPipeError):
            JsonSink(_FullStream(BrokenPipeError())).write(_frame(), _result())

    def test_windows_says_of_a_broken_pipe_that_it_is_invalid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sink = JsonSink(_FullStream(OSError(errno.EINVAL, "Invalid argument")))
        with pytest.raises(OutputError, match="Invalid argument"):
            sink.write(_frame(), _result())
        monkeypatch.setattr("edge_runtime.streams._ON_WINDOWS", True)
        with pytest.raises(BrokenPipeError):
            sink.write(_frame(), _result())


class TestLines:
    def test_columns_are_aligned(self) -> None:
        stream = io.StringIO()
        sink = LineSink(stream, ["hat", "t-shirt", "longsleeve"])
        sink.write(_frame(), _result())
        sink.write(_frame(), _result(frame=12, label="longsleeve"))
        first, second = stream.getvalue().splitlines()
        assert first == "    0  a.jpg               hat         87.5%  t-shirt     12.5%     4.2 ms"
        assert second == "   12  a.jpg               longsleeve  87.5%  t-shirt     12.5%     4.2 ms"

    def test_long_names_keep_their_end(self) -> None:
        stream = io.StringIO()
        LineSink(stream, ["hat"]).write(_frame(), _result(source="x" * 50 + "/shirt.jpg"))
        assert "...xxx" in stream.getvalue()
        assert "/shirt.jpg" in stream.getvalue()

    def test_detections_take_the_place_of_classifications(self) -> None:
        stream = io.StringIO()
        LineSink(stream, ["pants"]).write(_frame(), _result(detections=(Detection("pants", 0.5, (0, 0, 1, 1)),)))
        assert "pants  50.0%" in stream.getvalue()
        assert "hat" not in stream.getvalue()

    def test_no_answer_is_said(self) -> None:
        stream = io.StringIO()
        LineSink(stream, ["hat"]).write(_frame(), _result(detections=()))
        assert "nothing above the threshold" in stream.getvalue()

    def test_letters_that_a_terminal_lacks_are_escaped(self) -> None:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        LineSink(stream, ["hat"]).write(_frame(), _result(label="Träger"))
        stream.seek(0)
        assert "Tr\\xe4ger" in stream.read()


class TestPictureFolder:
    def test_pictures_are_named_after_their_sources_and_kept_apart(self, tmp_path: Path) -> None:
        sources = [_picture(tmp_path / name) for name in ("in/a.png", "in/a.jpg", "other/a.jpg", "in/b.WEBP")]
        with PictureFolderSink(tmp_path / "new" / "out") as sink:
            for source in sources:
                sink.write(_frame(str(source)), _result())
        assert _names(tmp_path / "new" / "out") == ["a-2.jpg", "a.jpg", "a.png", "b.WEBP"]
        assert (cv2.imread(str(tmp_path / "new" / "out" / "a.png")) != _IMAGE).any()

    def test_a_name_of_many_is_not_counted_through_each_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[Path] = []
        exists = Path.exists
        monkeypatch.setattr(Path, "exists", lambda path: (looked.append(path), exists(path))[1])
        with PictureFolderSink(tmp_path) as sink:
            for _ in range(30):
                sink.write(_frame("camera:0"), _result())
        assert len(_names(tmp_path)) == 30
        assert len(looked) < 100

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("clip.mp4", "clip-000007.jpg"),
            ("camera:0", "camera-0-000007.jpg"),
            ("demo:t-shirt:0", "demo-t-shirt-0.jpg"),
            ("rtsp://me:***@shop/cam?key=1", "rtsp-me-shop-cam-000007.jpg"),
            ("/photos/gone.jpg", "gone-000007.jpg"),
        ],
    )
    def test_other_frames_carry_source_and_index(self, source: str, name: str, tmp_path: Path) -> None:
        with PictureFolderSink(tmp_path) as sink:
            sink.write(_frame(source, 7), _result())
        assert _names(tmp_path) == [name]

    def test_a_folder_that_cannot_be_made_is_an_output_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(OutputError, match="cannot be made"), PictureFolderSink(tmp_path / "file" / "out"):
            pass

    def test_drawn_pictures_do_not_join_the_photos(self, tmp_path: Path) -> None:
        source = _picture(tmp_path / "a.png")
        before = source.read_bytes()
        with PictureFolderSink(tmp_path) as sink, pytest.raises(OutputError, match=r"the folder that a\.png lies in"):
            sink.write(_frame(str(source)), _result())
        assert (_names(tmp_path), source.read_bytes()) == (["a.png"], before)

    def test_pictures_of_a_video_may_lie_beside_it(self, tmp_path: Path) -> None:
        (tmp_path / "clip.mp4").touch()
        with PictureFolderSink(tmp_path) as sink:
            sink.write(_frame(str(tmp_path / "clip.mp4"), 7), _result())
        assert _names(tmp_path) == ["clip-000007.jpg", "clip.mp4"]

    def test_two_of_the_longest_names_are_kept_apart(self, tmp_path: Path) -> None:
        sources = [_picture(tmp_path / folder / ("x" * 251 + ".png")) for folder in "ab"]
        with PictureFolderSink(tmp_path / "out") as sink:
            for source in sources:
                sink.write(_frame(str(source)), _result(str(source)))
        assert len(_names(tmp_path / "out")) == 2


class TestPictureFile:
    def test_the_picture_is_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "out.png"
        path.write_text("old")
        PictureFileSink(path).write(_frame(), _result())
        assert cv2.imread(str(path)).shape == _IMAGE.shape
        assert _names(tmp_path) == ["out.png"]

    def test_the_source_is_not(self, tmp_path: Path) -> None:
        source = _picture(tmp_path / "a.png")
        (tmp_path / "link.png").symlink_to(source)
        with pytest.raises(OutputError, match="is the source itself"):
            PictureFileSink(tmp_path / "link.png").write(_frame(str(source)), _result())

    def test_a_full_disk_leaves_nothing_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="No space left on device"):
            PictureFileSink(tmp_path / "a.png").write(_frame(), _result())
        assert _names(tmp_path) == []

    def test_a_picture_too_large_for_its_format_is_an_output_error(self, tmp_path: Path) -> None:
        wide = np.zeros((1, 17_000, 3), np.uint8)
        with pytest.raises(OutputError, match=r"as \.webp"):
            PictureFileSink(tmp_path / "a.webp").write(_frame(image=wide), _result())


class TestVideo:
    @pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
    def test_the_video_has_every_frame_at_the_rate_of_its_source(
        self, suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        source = VideoSource(tmp_path / "in.mp4")
        source.fps = 12.0
        with VideoSink(tmp_path / f"out{suffix}", source) as sink:
            for index in range(6):
                sink.write(_frame("in.mp4", index), _result())
        frames, fps = _read_video(tmp_path / f"out{suffix}")
        assert (len(frames), fps) == (6, pytest.approx(12.0))
        assert _names(tmp_path) == [f"out{suffix}"]
        assert capfd.readouterr().err == ""

    def test_pictures_before_a_video_do_not_slow_it(self, tmp_path: Path) -> None:
        clip = tmp_path / "clip.avi"
        writer = cv2.VideoWriter(str(clip), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (64, 48))
        for _ in range(3):
            writer.write(_IMAGE)
        writer.release()
        source = ChainedSource([PictureSource([_picture(tmp_path / "a.jpg")]), VideoSource(clip)])
        with VideoSink(tmp_path / "out.mp4", source) as sink:
            for frame in source:
                sink.write(frame, _result())
        frames, fps = _read_video(tmp_path / "out.mp4")
        assert (len(frames), fps) == (4, pytest.approx(12.0))

    @pytest.mark.parametrize(("frames", "rate"), [(30, 5), (4, 8)])
    def test_the_rate_of_a_live_source_is_measured(self, frames: int, rate: int, tmp_path: Path) -> None:
        with VideoSink(tmp_path / "out.mp4", LiveSource([Endpoint.camera(0)])) as sink:
            for index in range(frames):
                sink.write(_frame("camera:0", index, clock_s=100 + index / rate), _result())
        written, fps = _read_video(tmp_path / "out.mp4")
        assert (len(written), fps) == (frames, pytest.approx(rate))

    def test_frames_that_cannot_be_written_do_not_pile_up(self, tmp_path: Path) -> None:
        """And no frame in between is taken for a sink that works again."""
        target = tmp_path / "file" / "out.mp4"
        target.parent.touch()
        with VideoSink(target, LiveSource([Endpoint.camera(0)])) as sink:
            for index in range(9):
                sink.write(_frame("camera:0", index, clock_s=100 + index / 5), _result())
            for index in range(9, 30):
                with pytest.raises(OutputError):
                    sink.write(_frame("camera:0", index, clock_s=100 + index / 5), _result())
                assert sink._held == []
            target.parent.unlink()
            for index in range(30, 33):
                sink.write(_frame("camera:0", index, clock_s=100 + index / 5), _result())
        written, fps = _read_video(target)
        assert (len(written), fps) == (3, pytest.approx(5))

    def test_pictures_of_other_sizes_are_fitted(self, tmp_path: Path) -> None:
        with VideoSink(tmp_path / "out.avi", PictureSource([])) as sink:
            for shape in ((48, 64), (480, 64), (10, 300)):
                sink.write(_frame(image=np.full((*shape, 3), 255, np.uint8)), _result())
        frames, fps = _read_video(tmp_path / "out.avi")
        assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
        assert frames[1][24, 2].max() < 30 < frames[1][40, 32].max()
        assert fps == pytest.approx(1.0)

    def test_an_interrupted_run_leaves_a_video_that_plays(self, tmp_path: Path) -> None:
        def interrupted_run() -> None:
            with VideoSink(tmp_path / "out.mp4", DemoSource()) as sink:
                sink.write(_frame(), _result())
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted_run()
        assert len(_read_video(tmp_path / "out.mp4")[0]) == 1

    def test_no_frame_means_no_video_and_no_loss(self, tmp_path: Path) -> None:
        (tmp_path / "out.mp4").write_text("old")
        with VideoSink(tmp_path / "out.mp4", DemoSource()):
            pass
        assert (tmp_path / "out.mp4").read_text() == "old"

    def test_a_disk_that_fills_up_ends_the_video_while_it_plays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "free")
        with VideoSink(tmp_path / "out.mp4", DemoSource()) as sink:
            sink.write(_frame(), _result())
            monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**20))
            with pytest.raises(OutputError, match="almost full"):
                sink.write(_frame(), _result())
        assert len(_read_video(tmp_path / "out.mp4")[0]) == 1

    def test_a_full_disk_is_said_before_anything_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0))
        with pytest.raises(OutputError, match="almost full"), VideoSink(tmp_path / "a.mp4", DemoSource()) as sink:
            sink.write(_frame(), _result())
        assert _names(tmp_path) == []

    def test_a_video_that_cannot_be_started_is_an_output_error(self, tmp_path: Path) -> None:
        wide = np.zeros((2, 20_000, 3), np.uint8)
        with pytest.raises(OutputError, match="20000 x 2 pixels"), VideoSink(tmp_path / "a.mp4", DemoSource()) as sink:
            sink.write(_frame(image=wide), _result())
        assert _names(tmp_path) == []

    def test_the_source_is_not_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.write_text("a video")
        with pytest.raises(OutputError, match="is the source itself"), VideoSink(path, VideoSource(path)) as sink:
            sink.write(_frame(str(path)), _result())
        assert path.read_text() == "a video"


class TestSave:
    def test_the_path_says_what_is_written(self, tmp_path: Path) -> None:
        one, many = PictureSource([tmp_path / "a.jpg"]), DemoSource()
        (tmp_path / "dir.mp4").mkdir()
        assert isinstance(open_save_sink("out", many), PictureFolderSink)
        assert isinstance(open_save_sink("v1.2/", many), PictureFolderSink)
        assert isinstance(open_save_sink(str(tmp_path / "dir.mp4"), many), PictureFolderSink)
        assert isinstance(open_save_sink("out.MP4", many), VideoSink)
        assert isinstance(open_save_sink("out.JPG", one), PictureFileSink)
        assert isinstance(open_save_sink("out.jpg", many, max_frames=1), PictureFileSink)

    def test_one_picture_cannot_hold_many(self) -> None:
        with pytest.raises(OutputError, match="one picture only"):
            open_save_sink("out.jpg", DemoSource())

    @pytest.mark.parametrize("path", ["b\udcff.mp4", "b\udcff/a.mp4"])
    def test_a_video_whose_name_would_crash_opencv_is_refused(self, path: str) -> None:
        with pytest.raises(OutputError, match=r"udcff.* is no UTF-8, and OpenCV writes no video of such a name"):
            open_save_sink(path, DemoSource())

    def test_an_unknown_suffix_is_said(self) -> None:
        with pytest.raises(OutputError, match="no known format"):
            open_save_sink("out.xyz", DemoSource())


def test_a_folder_may_end_in_either_separator_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_save_sink("seen.v1/", DemoSource()), PictureFolderSink)
    monkeypatch.setattr("os.altsep", "\\")
    assert isinstance(open_save_sink("seen.v1\\", DemoSource()), PictureFolderSink)
