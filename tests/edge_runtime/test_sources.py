import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import CameraError, PictureError, SourceError, StreamError
from edge_runtime.sources import (
    DemoSource,
    Endpoint,
    Frame,
    FrameSource,
    LiveSettings,
    LiveSource,
    PictureSource,
    VideoSource,
    open_source,
    open_sources,
)
from edge_runtime.sources.handover import Latest

_NO_OUTAGE = LiveSettings(max_outage_s=0)


def _picture(path: Path, level: int = 7) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, np.full((6, 8, 3), level, np.uint8))[1].tobytes())
    return path


def _video(path: Path, frames: int = 5, fps: float = 10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 40, np.uint8))
    writer.release()
    return path


def _frames(source: FrameSource) -> list[Frame]:
    with source:
        return list(source)


class TestPictures:
    def test_a_file_is_one_frame(self, tmp_path: Path) -> None:
        path = _picture(tmp_path / "a.png")
        (frame,) = _frames(open_source(str(path)))
        assert (frame.source, frame.index, frame.image.shape) == (str(path), 0, (6, 8, 3))
        assert abs(frame.timestamp - time.time()) < 5
        assert frame.capture_ms > 0

    def test_a_folder_is_read_by_name_without_the_rest(self, tmp_path: Path) -> None:
        for name in ("b.PNG", "a.jpg", "._a.jpg"):
            _picture(tmp_path / name)
        (tmp_path / "notes.txt").write_text("no picture")
        (tmp_path / "below.png").mkdir()
        assert [Path(frame.source).name for frame in _frames(open_source(str(tmp_path)))] == ["a.jpg", "b.PNG"]

    def test_a_pattern_takes_the_pictures_that_match(self, tmp_path: Path) -> None:
        for name in ("a1.png", "a2.png", "b1.png"):
            _picture(tmp_path / name)
        (tmp_path / "a3.txt").write_text("no picture")
        frames = _frames(open_source(str(tmp_path / "a*")))
        assert [Path(frame.source).name for frame in frames] == ["a1.png", "a2.png"]

    def test_two_stars_of_a_pattern_stand_for_any_folders(self, tmp_path: Path) -> None:
        (tmp_path / "b" / "c").mkdir(parents=True)
        paths = [_picture(tmp_path / name) for name in ("a.png", "b/a.png", "b/c/a.png")]
        assert [Path(frame.source) for frame in _frames(open_source(f"{tmp_path}/**/*.png"))] == paths
        assert len(_frames(open_source(f"{tmp_path}/**/**/*.png"))) == 3

    def test_a_file_whose_name_looks_like_a_pattern_is_the_file(self, tmp_path: Path) -> None:
        path = _picture(tmp_path / "photo[1].png")
        assert _frames(open_source(str(path)))[0].source == str(path)

    def test_a_name_that_is_no_utf_8_is_read(self, tmp_path: Path) -> None:
        (frame,) = _frames(open_source(str(_picture(tmp_path / "b\udcff.png"))))
        assert frame.image.shape == (6, 8, 3)

    def test_a_picture_without_a_known_suffix_is_found_by_its_bytes(self, tmp_path: Path) -> None:
        path = _picture(tmp_path / "a.png").rename(tmp_path / "a")
        assert len(_frames(open_source(str(path)))) == 1

    def test_a_bad_picture_is_told_and_the_rest_go_on(self, tmp_path: Path) -> None:
        _picture(tmp_path / "a.png")
        (tmp_path / "b.png").write_text("no picture")
        _picture(tmp_path / "c.png")
        told: list[PictureError] = []
        source = open_source(str(tmp_path), on_bad_picture=told.append)
        assert [Path(frame.source).name for frame in _frames(source)] == ["a.png", "c.png"]
        assert source.failed == 1
        assert "b.png" in str(told[0])

    def test_a_single_bad_picture_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "b.jpg").write_text("no picture")
        with pytest.raises(PictureError):
            _frames(open_sources([str(tmp_path / "b.jpg")], on_bad_picture=lambda _: None))

    def test_a_bad_picture_among_several_is_none(self, tmp_path: Path) -> None:
        good = _picture(tmp_path / "a.png")
        (tmp_path / "b.png").write_text("no picture")
        told: list[PictureError] = []
        source = open_sources([str(tmp_path / "b.png"), str(good)], on_bad_picture=told.append)
        assert [frame.source for frame in _frames(source)] == [str(good)]
        assert (source.failed, len(told)) == (1, 1)


class TestVideos:
    def test_every_frame_comes_in_order(self, tmp_path: Path) -> None:
        source = open_source(str(_video(tmp_path / "a.avi")))
        frames = _frames(source)
        assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
        assert [round(frame.image.mean() / 40) for frame in frames] == [0, 1, 2, 3, 4]
        assert source.fps == pytest.approx(10.0)

    def test_a_colon_in_a_name_is_no_protocol(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _video(tmp_path / "a.avi").rename(tmp_path / "concat:b.avi")
        monkeypatch.chdir(tmp_path)
        assert len(_frames(open_source("concat:b.avi"))) == 5

    def test_a_video_goes_on_behind_a_damaged_picture(self, tmp_path: Path) -> None:
        path, random = tmp_path / "clip.avi", np.random.default_rng(0)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
        for _ in range(40):
            writer.write(random.integers(0, 256, (48, 64, 3), np.uint8))
        writer.release()
        content = bytearray(path.read_bytes())
        start = 0
        for _ in range(21):
            start = content.index(b"00dc", start) + 8
        content[start : start + 600] = bytes(600)
        path.write_bytes(content)
        assert len(list(VideoSource(str(path)))) == 39

    @pytest.mark.parametrize("name", ["b\udcff.avi", "b\udcff/a.avi", "b\udcff"])
    def test_a_name_that_would_crash_opencv_is_refused(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _video(tmp_path / "a.avi").rename(tmp_path / name)
        with pytest.raises(SourceError, match=r"udcff.* is no UTF-8, and OpenCV reads no video of such a name; rename"):
            open_source(str(tmp_path / name))

    def test_a_text_file_is_no_video(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_text("no video")
        with pytest.raises(SourceError, match=r"a\.mp4 is neither a picture nor a video"):
            _frames(open_source(str(tmp_path / "a.mp4")))

    def test_several_sources_follow_one_another(self, tmp_path: Path) -> None:
        video, picture = _video(tmp_path / "a.avi", frames=2), _picture(tmp_path / "b.png")
        source = open_sources([str(video), str(picture)], on_bad_picture=lambda _: None)
        assert [(Path(frame.source).name, frame.index) for frame in _frames(source)] == [
            ("a.avi", 0),
            ("a.avi", 1),
            ("b.png", 0),
        ]
        assert source.fps == pytest.approx(10.0)


class TestOpening:
    @pytest.mark.parametrize("text", ["", "gone.jpg", "0", "a\0b"])
    def test_what_is_not_there_is_said(self, text: str) -> None:
        with pytest.raises(SourceError, match="is neither a file, a folder, nor an address"):
            open_source(text)

    def test_an_unknown_scheme_is_said(self) -> None:
        with pytest.raises(SourceError, match="kind ftp://"):
            open_source("ftp://host/a.jpg")

    @pytest.mark.parametrize("scheme", ["rtsp", "http", "https"])
    def test_an_address_that_would_crash_opencv_is_refused(self, scheme: str) -> None:
        with pytest.raises(SourceError, match=r"'\w+://me:\*\*\*@host/\\udcff' is no UTF-8, and OpenCV opens nothing"):
            open_source(f"{scheme}://me:secret@host/\udcff")

    @pytest.mark.parametrize("password", ["pa#ss", "pa/ss", "pa?ss"])
    def test_a_password_that_would_end_the_host_is_refused(self, password: str) -> None:
        with pytest.raises(SourceError, match=r"'rtsp://me:\*\*\*@host/1' has a #, / or \?.*write %23 for #") as caught:
            open_source(f"rtsp://me:{password}@host/1")
        assert password not in str(caught.value)

    def test_a_device_file_that_would_crash_opencv_is_refused(self) -> None:
        with pytest.raises(SourceError, match=r"'camera:/dev/v\\udcff' is no UTF-8"):
            Endpoint.camera("/dev/v\udcff")

    def test_a_folder_without_pictures_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="holds no picture"):
            open_source(str(tmp_path))

    def test_a_folder_with_pictures_below_says_where(self, tmp_path: Path) -> None:
        (tmp_path / "hats").mkdir()
        _picture(tmp_path / "hats" / "a.png")
        with pytest.raises(
            SourceError, match=r"itself holds no picture, but folders below do; name them, .*hats first"
        ):
            open_source(str(tmp_path))

    @pytest.mark.parametrize("pattern", ["", "*.HEIC"])
    def test_pictures_of_a_kind_that_is_not_read_are_said(self, pattern: str, tmp_path: Path) -> None:
        path = tmp_path / "a.HEIC"
        path.write_bytes(b"picture")
        with pytest.raises(SourceError, match=rf"o picture that is read.*: {path} is of .*; save it as JPEG"):
            open_source(str(tmp_path / pattern))

    @pytest.mark.parametrize(("name", "advice"), [("a.HEIC", "save it as JPEG"), ("a.tflite", "name it with --model")])
    def test_what_is_no_video_is_not_taken_for_one(self, name: str, advice: str, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(b"other bytes")
        with pytest.raises(SourceError, match=advice):
            open_source(str(tmp_path / name))

    def test_a_pattern_that_matches_nothing_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="No picture matches"):
            open_source(str(tmp_path / "*.jpg"))

    def test_all_sources_are_looked_at_first(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"gone\.jpg"):
            open_sources([str(_picture(tmp_path / "a.png")), "gone.jpg"], on_bad_picture=lambda _: None)

    @pytest.mark.parametrize("text", ["http://host/v", "https://host/v", "rtsp://host/v", "RTSP://host/v"])
    def test_addresses_are_live(self, text: str) -> None:
        assert open_source(text).live

    def test_files_are_not_live(self, tmp_path: Path) -> None:
        sources = [PictureSource([tmp_path]), VideoSource(tmp_path), DemoSource()]
        assert not any(source.live for source in sources)


def test_the_demo_draws_each_garment_once() -> None:
    frames = _frames(DemoSource())
    assert [frame.source.split(":")[1] for frame in frames] == list(GARMENTS)
    assert all(frame.image.shape in {(360, 480, 3), (480, 360, 3)} for frame in frames)


class TestLatest:
    def test_a_new_item_replaces_the_old(self) -> None:
        latest = Latest[int]()
        latest.put("a", 1)
        latest.put("a", 2)
        assert latest.take(0) == 2
        assert latest.dropped == 1

    def test_a_fast_sender_cannot_keep_a_slow_one_waiting(self) -> None:
        latest = Latest[str]()
        latest.put("slow", "slow")
        taken = []
        for _ in range(4):
            latest.put("fast", "fast")
            latest.put("slow", "slow")
            taken.append(latest.take(0))
        assert taken == ["slow", "fast", "slow", "fast"]

    def test_waiting_has_an_end(self) -> None:
        with pytest.raises(TimeoutError):
            Latest[int]().take(0.01)

    def test_notices_stay_and_come_in_order(self) -> None:
        latest = Latest[int]()
        latest.put("a", 1)
        latest.tell("a", 2)
        latest.tell("a", 3)
        latest.put("b", 4)
        assert [latest.take(0) for _ in range(4)] == [1, 2, 3, 4]
        assert latest.dropped == 0

    def test_no_item_overtakes_a_notice_of_its_sender(self) -> None:
        latest = Latest[str]()
        for item in ("before", "latest before"):
            latest.put("a", item)
        latest.put("b", "before")
        latest.tell("a", "lost")
        latest.tell("a", "back")
        for item in ("after", "latest after"):
            latest.put("a", item)
        latest.put("b", "latest")
        assert [latest.take(0) for _ in range(5)] == ["latest before", "latest", "lost", "back", "latest after"]
        assert latest.dropped == 3


class TestStreams:
    def test_frames_come_at_the_pace_of_the_sender(self, serve: Callable[..., str]) -> None:
        with open_source(serve(fps=25.0)) as source:
            frames = [frame for frame, _ in zip(source, range(15), strict=False)]
        assert 0.3 < frames[-1].timestamp - frames[0].timestamp < 3
        assert sum(frame.capture_ms for frame in frames[3:]) > 200

    def test_slow_answers_drop_frames_and_stay_current(self, serve: Callable[..., str]) -> None:
        behind_s = []
        with open_source(serve(fps=50.0)) as source:
            for frame, _ in zip(source, range(5), strict=False):
                behind_s.append(time.time() - frame.timestamp)
                time.sleep(0.2)
        assert source.dropped >= 10
        assert frame.index >= 10
        assert max(behind_s) < 0.2

    def test_a_stream_that_ends_is_an_error(self, serve: Callable[..., str]) -> None:
        with open_source(serve(frames=5), live=_NO_OUTAGE) as source:
            frames = iter(source)
            while next(frames).index < 4:
                pass
            with pytest.raises(StreamError, match="stopped sending frames"):
                next(frames)

    def test_a_stream_that_stalls_is_an_error_in_time(self, serve: Callable[..., str]) -> None:
        address = serve(frames=5, stall=True)
        start = time.monotonic()
        with (
            open_source(address, live=LiveSettings(0.5, 0)) as source,
            pytest.raises(StreamError, match=r"no frame for 0\.5 s"),
        ):
            list(source)
        assert time.monotonic() - start < 5

    @pytest.mark.parametrize("scheme", ["http", "rtsp", "rtsps"])
    def test_a_server_that_never_answers_is_an_error_in_time(self, scheme: str, silent_port: int) -> None:
        start = time.monotonic()
        source = open_source(f"{scheme}://127.0.0.1:{silent_port}/v", live=LiveSettings(0.5))
        with source, pytest.raises(StreamError, match=r"did not answer within 0\.5 s"):
            list(source)
        assert time.monotonic() - start < 5

    def test_opencv_that_never_returns_is_left_behind(self, silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        never = threading.Event()
        monkeypatch.setattr(Endpoint, "open", lambda *_: (never.wait(10), cv2.VideoCapture())[1])
        monkeypatch.setattr("edge_runtime.sources.live._GRACE_S", 0.1)
        source = open_source(f"http://127.0.0.1:{silent_port}/v", live=LiveSettings(0.1))
        start = time.monotonic()
        with source, pytest.raises(StreamError, match="did not answer"):
            list(source)
        assert time.monotonic() - start < 5
        never.set()

    def test_a_thread_that_dies_ends_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Endpoint, "open", lambda *_: 1 // 0)
        monkeypatch.setattr(threading, "excepthook", lambda _: None)
        with open_source("http://host/v") as source, pytest.raises(StreamError, match="fault of this program"):
            list(source)

    def test_nobody_listening_is_an_error_at_once(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with open_source(f"http://127.0.0.1:{port}/v") as source, pytest.raises(StreamError, match="cannot be opened"):
            list(source)

    def test_passwords_are_not_repeated(self) -> None:
        assert Endpoint.stream("rtsp://me:secret@host:554/v").name == "rtsp://me:***@host:554/v"
        assert Endpoint.stream("rtsp://me@host/v?a=b").name == "rtsp://me@host/v?a=b"
        query = "http://host/v?user=me&pwd=secret&channel=1&api_key=secret#a"
        assert Endpoint.stream(query).name == "http://host/v?user=me&pwd=***&channel=1&api_key=***#a"
        assert Endpoint.stream("rtsp://me:secret@[bad/1").name == "rtsp://me:***@[bad/1"
        assert Endpoint.stream("rtsp://[::1]:554/v@w").name == "rtsp://[::1]:554/v@w"


@pytest.mark.skipif(Path("/dev/video63").exists(), reason="there is a camera of this number")
def test_a_camera_that_is_not_there_is_an_error() -> None:
    source = LiveSource([Endpoint.camera(63)], LiveSettings(5))
    with source, pytest.raises(CameraError, match="camera:63 cannot be opened; check"):
        list(source)
