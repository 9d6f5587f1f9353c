"""Cameras and network streams, and how OpenCV opens them."""

import contextlib
import math
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import cv2

from edge_runtime.addresses import breaks_in_password, has_name, is_utf8, without_password
from edge_runtime.errors import CameraError, SourceError, StreamError

VIDEO_DEVICES: Final = Path("/sys/class/video4linux")
"""Where Linux tells of each what it is."""

_ON_LINUX: Final = sys.platform == "linux"

_MOTION_JPEG: Final = cv2.VideoWriter.fourcc(*"MJPG")
_USUAL_SIZE: Final = (640, 480)
_USUAL_FPS: Final = 30.0
"""What OpenCV takes, and most cameras give, unless asked otherwise."""
_USB_BYTES_PER_S: Final = 24_576_000
"""Three packets of 1,024 bytes in each of 8,000 microframes, the most of one isochronous endpoint (USB 2.0, 5.6.3)."""

_ASKING_S: Final = 5.0
"""How long it may take to ask a server."""

_MODULE_NAMES: Final = ("unicam", "rp1-cfe")
"""Up to the Raspberry Pi 4, and from the 5 on."""
_NO_CAMERA_NAMES: Final = (*_MODULE_NAMES, "bcm2835-codec", "bcm2835-isp", "rpivid", "rpi-hevc", "pispbe")
"""Of what gives no pictures, though it is listed beside cameras: a Raspberry Pi's own devices."""


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What a camera is asked for; it gives what comes closest.

    Attributes:
        width: Pixels; None leaves it to the camera.
        height: Pixels; None leaves it to the camera.
        fps: Frames a second; None leaves it to the camera.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where live frames come from.

    Attributes:
        name: What results and messages call it, without passwords.
        target: What OpenCV opens: a camera's number, its device file, or an address.
        error: What is raised when it cannot be opened or stops.
        advice: What a user should check then.
        request: What a camera is asked for.

    Raises:
        SourceError: The target is no UTF-8.
    """

    name: str
    target: int | str
    error: type[SourceError]
    advice: str
    request: CameraRequest = field(default_factory=CameraRequest)

    def __post_init__(self) -> None:
        if not is_utf8(str(self.target)):
            raise SourceError(f"{self.name!a} is no UTF-8, and OpenCV opens nothing of such a name; correct it.")

    @classmethod
    def camera(cls, target: int | str, request: CameraRequest | None = None) -> "Endpoint":
        """Describe a camera of this machine by its number or device file."""
        file = f"/dev/video{target}" if isinstance(target, int) else target
        return cls(f"camera:{target}", target, CameraError, _advise(file), request or CameraRequest())

    @classmethod
    def stream(cls, address: str) -> "Endpoint":
        """Describe a network stream by its address.

        Raises:
            SourceError: It is no UTF-8, or its password has a character that has to be escaped.
        """
        name = without_password(address)
        if breaks_in_password(address):
            raise SourceError(
                f"{name!a} has a #, / or ? in its password, which FFmpeg takes for the end of the host; write %23 for "
                "#, %2F for / and %3F for ?."
            )
        what = (
            "the name, password and path in the address" if _is_rtsp(address) and has_name(address) else "the address"
        )
        return cls(name, address, StreamError, f"check {what}, the network, and that the sender is running")

    def failure(self, what: str, advice: str | None = None) -> SourceError:
        """Return the error that says what happened and what to check; None advises as usual."""
        if advice is not None:
            return self.error(f"{self.name} {what}; {advice}.")
        # Looked up now: cameras come and go.
        others = _list_cameras() if self.error is CameraError else ""
        return self.error(f"{self.name} {what}; {self.advice}{others}.")

    def not_opened(self) -> SourceError:
        """Find out why it could not be opened, which may take some seconds, and return the error that says so."""
        what = "cannot be opened"
        if self.error is not StreamError:
            return self.failure(what)
        # Slow to import, and of no use to a run in which nothing fails.
        from edge_runtime.sources.reasons import find_reason

        reason = find_reason(str(self.target), _ASKING_S)
        return self.failure(what) if reason is None else self.failure(reason.what, reason.advice)

    def open(self, timeout_s: float) -> cv2.VideoCapture:
        """Open it with OpenCV; the answer may be a capture that is not opened.

        Args:
            timeout_s: Seconds that opening, and then each frame, may take.
        """
        if self.error is CameraError:
            return _open_camera(self.target, self.request, timeout_s)
        address = str(self.target)
        if _is_rtsp(address):
            # OpenCV's own timeouts do not end a stalled RTSP server; FFmpeg's, in microseconds, does.
            options = f"rtsp_transport;tcp|timeout;{timeout_s * 1e6:.0f}"
            os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", options)
        timeout_ms = max(int(timeout_s * 1e3), 1)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)


def _is_rtsp(address: str) -> bool:
    return address.lower().startswith(("rtsp:", "rtsps:"))


def _advise(file: str) -> str:
    """Return what to check where a camera's device file gives no frames."""
    if _is_camera_module(file):
        return (
            "it is a camera module, which gives raw values of its sensor and no pictures: have rpicam-vid send them to "
            "tcp://127.0.0.1:8888 and read that, see docs/kiosk.md"
        )
    readable = (
        f"you may read {file} (group video)" if _ON_LINUX else "the system's privacy settings let programs use it"
    )
    return f"check that it is plugged in, that no other program uses it, and that {readable}"


def _is_camera_module(file: str) -> bool:
    """Tell whether a device file is that of a Raspberry Pi's connector for camera modules."""
    try:
        return _read_name(Path(file).resolve().name).startswith(_MODULE_NAMES)
    except (OSError, ValueError):
        return False


def _read_name(device: str) -> str:
    """Return what Linux calls a video device."""
    name = (VIDEO_DEVICES / device / "name").read_text(errors="replace").strip()
    # A device says this of itself.
    return "".join(letter for letter in name if letter.isprintable())


def _list_cameras() -> str:
    """Return which cameras there are, to end a sentence with; nothing where none is found."""
    cameras: dict[tuple[str, Path], str] = {}
    for folder in sorted(VIDEO_DEVICES.glob("video*"), key=lambda folder: (len(folder.name), folder.name)):
        with contextlib.suppress(OSError):
            name = _read_name(folder.name)
            if not name.startswith(_NO_CAMERA_NAMES):
                # The first of a camera's devices gives pictures, the others what is said of them.
                cameras.setdefault((name, (folder / "device").resolve()), f"/dev/{folder.name} ({name})")
    return f"; cameras here: {', '.join(cameras.values())}" if cameras else ""


def name_apart(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Number those that have the name of one before: addresses may differ in what their names hide."""
    seen = Counter[str]()
    named = []
    for endpoint in endpoints:
        seen[endpoint.name] += 1
        number = seen[endpoint.name]
        named.append(endpoint if number == 1 else replace(endpoint, name=f"{endpoint.name} #{number}"))
    return named


def _outgrows_usb(request: CameraRequest) -> bool:
    """Tell whether what is asked for is more than USB 2 carries in the usual two bytes a pixel."""
    pixels = (request.width or _USUAL_SIZE[0]) * (request.height or _USUAL_SIZE[1])
    return 2 * pixels * (request.fps or _USUAL_FPS) > _USB_BYTES_PER_S


def _open_camera(target: int | str, request: CameraRequest, timeout_s: float) -> cv2.VideoCapture:
    # Read when the camera opens, in whole seconds; without it a stalled camera holds its thread for ten.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(math.floor(timeout_s), 1)))
    # FFmpeg would take a device file for a video.
    capture = cv2.VideoCapture(target) if isinstance(target, int) else cv2.VideoCapture(target, cv2.CAP_V4L2)
    if capture.isOpened():
        for key, value in _wishes(request, capture.getBackendName()):
            if value is not None:
                capture.set(key, value)
    return capture


def _wishes(request: CameraRequest, back_end: str) -> list[tuple[int, float | None]]:
    """Return what to set at a camera, in the order that OpenCV's back end needs."""
    if back_end == "DSHOW" and (request.width or request.height):
        # There one without the other does nothing.
        request = replace(request, width=request.width or _USUAL_SIZE[0], height=request.height or _USUAL_SIZE[1])
    size = [(cv2.CAP_PROP_FRAME_WIDTH, request.width), (cv2.CAP_PROP_FRAME_HEIGHT, request.height)]
    rate = (cv2.CAP_PROP_FPS, request.fps)
    # OpenCV takes the uncompressed pictures that a camera offers, however few of them fit through its cable; of one
    # that sends no other it leaves them as they are.
    jpeg = (cv2.CAP_PROP_FOURCC, _MOTION_JPEG if _outgrows_usb(request) else None)
    match back_end:
        case "V4L2":
            return [jpeg, *size, rate]
        case "DSHOW":
            # A rate and a size both undo a format that was set before.
            return [rate, *size, jpeg]
    return [*size, rate]
