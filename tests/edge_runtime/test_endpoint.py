"""Cameras as OpenCV opens them, and the modules of a Raspberry Pi, which are none to it."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import cv2
import pytest

from edge_runtime.drawing import draw_garment
from edge_runtime.errors import StreamError
from edge_runtime.sources import CameraRequest, Endpoint, LiveSettings, open_source

_SIZE = (120, 160)


@contextlib.contextmanager
def _sending(pictures: list[bytes], fps: float) -> Iterator[str]:
    """Listen as `rpicam-vid --codec mjpeg --listen` does, and send one JPEG after another to one reader."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A reader that never comes would leave the thread waiting, and the test run with it.
        listener.settimeout(10)

        def send() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as reader:
                for number in range(100_000):
                    reader.sendall(pictures[number % len(pictures)])
                    time.sleep(1 / fps)

        sender = threading.Thread(target=send)
        sender.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    sender.join()


def test_jpegs_over_tcp_are_a_live_source() -> None:
    pictures = [cv2.imencode(".jpg", draw_garment("dress", seed, _SIZE))[1].tobytes() for seed in range(4)]
    with _sending(pictures, fps=200) as address, open_source(address) as source:
        frames = [frame for frame, _ in zip(source, range(10), strict=False)]
    assert source.live
    assert {frame.image.shape for frame in frames} == {(*_SIZE, 3)}
    assert {frame.source for frame in frames} == {address}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_an_encrypted_camera_is_asked_within_tls(tmp_path: Path) -> None:
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout camera.key -out camera.pem -subj /CN=camera"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "camera.pem", tmp_path / "camera.key")
    asked: list[bytes] = []

    def listen(listener: socket.socket) -> None:
        with context.wrap_socket(listener.accept()[0], server_side=True) as camera:
            asked.append(camera.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        camera = threading.Thread(target=listen, args=(listener,))
        camera.start()
        address = f"rtsps://127.0.0.1:{listener.getsockname()[1]}/1"
        with (
            open_source(address, live=LiveSettings(5, 0)) as source,
            pytest.raises(StreamError, match="cannot be opened"),
        ):
            list(source)
        camera.join()
    assert asked[0].startswith(f"OPTIONS {address} RTSP/1.0".encode())


@pytest.mark.parametrize("name", ["unicam-image", "rp1-cfe-csi2_ch0"])
@pytest.mark.parametrize("target", [3, "/dev/video3", "by-id"])
def test_a_camera_module_is_told_from_a_camera(
    name: str, target: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video3").mkdir()
    (tmp_path / "video3" / "name").write_text(f"{name}\n")
    monkeypatch.setattr("edge_runtime.sources.endpoint.VIDEO_DEVICES", tmp_path)
    if target == "by-id":
        (tmp_path / "by-id").symlink_to("/dev/video3")
        target = str(tmp_path / "by-id")
    assert "have rpicam-vid send them" in str(Endpoint.camera(target).failure("gives no frames"))
    assert "check that it is plugged in" in str(Endpoint.camera(4).failure("gives no frames"))


def _add_device(folder: Path, number: int, name: str, parent: Path) -> None:
    """Add what Linux tells of a video device; the cameras and the metadata of one device have the same parent."""
    parent.mkdir(exist_ok=True)
    (folder / f"video{number}").mkdir()
    (folder / f"video{number}" / "name").write_text(f"{name}\n")
    (folder / f"video{number}" / "device").symlink_to(parent)


def test_a_camera_that_is_not_there_says_which_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sources.endpoint.VIDEO_DEVICES", tmp_path)
    camera = Endpoint.camera(0)
    assert str(camera.failure("cannot be opened")).endswith("(group video).")
    for number, name in [(1, "unicam-image"), (3, "bcm2835-codec-decode"), (4, "pispbe-input"), (5, "rpi-hevc-dec")]:
        _add_device(tmp_path, number, name, tmp_path / "soc")
    assert str(camera.failure("cannot be opened")).endswith("(group video).")
    for number, parent in [(10, "usb2"), (11, "usb2"), (2, "usb1"), (6, "usb1")]:
        _add_device(tmp_path, number, "C920", tmp_path / parent)
    expected = "; cameras here: /dev/video2 (C920), /dev/video10 (C920)."
    assert str(camera.failure("cannot be opened")).endswith(expected)
    assert "cameras here" not in str(Endpoint.stream("http://host/v").failure("cannot be opened"))


def test_other_cameras_are_plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "video0").mkdir()
    (tmp_path / "video0" / "name").write_text("HD Pro Webcam C920\n")
    monkeypatch.setattr("edge_runtime.sources.endpoint.VIDEO_DEVICES", tmp_path)
    assert "check that it is plugged in" in str(Endpoint.camera(0).failure("cannot be opened"))


def test_other_systems_have_settings_for_who_may_use_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sources.endpoint._ON_LINUX", False)
    told = str(Endpoint.camera(0).failure("cannot be opened"))
    assert "privacy settings" in told
    assert "/dev/video0" not in told


class _UsbCamera:
    """What Linux and OpenCV tell of a USB 2 camera, which has to be asked for JPEG before it is asked for a size."""

    backend = "V4L2"
    FPS: ClassVar = {("YUYV", 640): 30.0, ("YUYV", 1280): 10.0, ("MJPG", 640): 30.0, ("MJPG", 1280): 30.0}

    def __init__(self, *_: object) -> None:
        self._format, self._width = "YUYV", 640

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def getBackendName(self) -> str:  # noqa: N802
        return self.backend

    def set(self, key: int, value: float) -> bool:
        if key == cv2.CAP_PROP_FOURCC:
            self._format = int(value).to_bytes(4, "little").decode()
            self._width = 640
        elif key == cv2.CAP_PROP_FRAME_WIDTH:
            self._width = int(value)
        return True

    @property
    def fps(self) -> float:
        return self.FPS[self._format, self._width]

    @property
    def format(self) -> str:
        return self._format


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (CameraRequest(), ("YUYV", 30)),
        (CameraRequest(fps=15), ("YUYV", 30)),
        (CameraRequest(1280, 720), ("MJPG", 30)),
        (CameraRequest(1280, 720, 30), ("MJPG", 30)),
        (CameraRequest(1280, 720, 10), ("YUYV", 10)),
    ],
)
def test_a_camera_is_asked_for_jpeg_where_its_cable_carries_no_more(
    request_: CameraRequest, expected: tuple[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", _UsbCamera)
    capture = Endpoint.camera(0, request_).open(timeout_s=1)
    assert isinstance(capture, _UsbCamera)
    assert (capture.format, capture.fps) == expected


def test_other_systems_choose_the_format_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_UsbCamera, "backend", "AVFOUNDATION")
    monkeypatch.setattr(cv2, "VideoCapture", _UsbCamera)
    capture = Endpoint.camera(0, CameraRequest(1280, 720)).open(timeout_s=1)
    assert isinstance(capture, _UsbCamera)
    assert capture.format == "YUYV"


class _DirectShowCamera:
    """What OpenCV's cap_dshow.cpp (4.10 to 5.0) does with what is set."""

    def __init__(self, *_: object) -> None:
        self._wanted = [-1, -1]
        self.size, self.fps, self.format = [640, 480], 0.0, "YUYV"

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def getBackendName(self) -> str:  # noqa: N802
        return "DSHOW"

    def set(self, key: int, value: float) -> bool:
        match key:
            case cv2.CAP_PROP_FPS:
                self.fps, self.format = value, "YUYV"
            case cv2.CAP_PROP_FRAME_WIDTH:
                self._want(0, int(value))
            case cv2.CAP_PROP_FRAME_HEIGHT:
                self._want(1, int(value))
            case cv2.CAP_PROP_FOURCC:
                self.format = int(value).to_bytes(4, "little").decode()
                self._wanted = [-1, -1]
        return True

    def _want(self, side: int, pixels: int) -> None:
        self._wanted[side] = pixels
        if min(self._wanted) > 0:
            self.size, self.format = self._wanted, "YUYV"
            self._wanted = [-1, -1]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (CameraRequest(), ([640, 480], 0, "YUYV")),
        (CameraRequest(fps=15), ([640, 480], 15, "YUYV")),
        (CameraRequest(fps=60), ([640, 480], 60, "MJPG")),
        (CameraRequest(320), ([320, 480], 0, "YUYV")),
        (CameraRequest(height=1080), ([640, 1080], 0, "MJPG")),
        (CameraRequest(1280, 720, 30), ([1280, 720], 30, "MJPG")),
        (CameraRequest(1280, 720, 10), ([1280, 720], 10, "YUYV")),
    ],
)
def test_direct_show_is_asked_in_the_order_in_which_it_forgets_nothing(
    request_: CameraRequest, expected: tuple[list[int], float, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", _DirectShowCamera)
    capture = Endpoint.camera(0, request_).open(timeout_s=1)
    assert isinstance(capture, _DirectShowCamera)
    assert (capture.size, capture.fps, capture.format) == expected
