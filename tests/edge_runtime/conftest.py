"""Fixtures for live sources: MJPEG over HTTP in a few lines, and a server that never answers."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

_BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"


@dataclass
class Camera:
    """What the server sends.

    Attributes:
        frames: How many, each of its own grey level; then the connection is closed.
        fps: At what rate.
        stall: Stay connected after the last frame and send nothing.
        stopping: Set when the test is over.
    """

    frames: int = 10_000
    fps: float = 50.0
    stall: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    def parts(self) -> Iterator[bytes]:
        for index in range(self.frames):
            image = np.full((48, 64, 3), index % 250, np.uint8)
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            yield _BOUNDARY % (len(jpeg), jpeg)
            if self.stopping.wait(1 / self.fps):
                return


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a server that sends `Camera(**arguments)`, and give its address."""
    with contextlib.ExitStack() as servers:
        yield lambda **arguments: servers.enter_context(_serving(Camera(**arguments)))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def _serving(camera: Camera) -> Iterator[str]:
    """Serve a camera on a free port of this machine and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                _send(self, camera)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/video.mjpg"
    finally:
        camera.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _send(handler: BaseHTTPRequestHandler, camera: Camera) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for part in camera.parts():
        handler.wfile.write(part)
        handler.wfile.flush()
    if camera.stall:
        camera.stopping.wait(30)
