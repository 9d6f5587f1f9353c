"""Running `edge-run`, and live sources: MJPEG over HTTP in a few lines, and a server that never answers."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli import edge_run

_ROOT = Path(__file__).parents[2]
_BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"


@pytest.fixture
def red(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    path.write_bytes(cv2.imencode(".png", np.full((30, 40, 3), (0, 0, 255), np.uint8))[1].tobytes())
    return path


@pytest.fixture
def invoke(tiny_model: Path) -> Callable[..., Result]:
    """Run `edge-run` in this process on the tiny model."""
    return lambda *arguments: CliRunner().invoke(edge_run, [*map(str, arguments), "--model", str(tiny_model)])


@pytest.fixture
def start(tiny_model: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run `edge-run` as a process of its own on the tiny model."""
    processes: list[subprocess.Popen[str]] = []

    def _start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "edge_runtime.cli", *map(str, arguments), "--model", str(tiny_model)]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )
        processes.append(process)
        return process

    yield _start
    for process in processes:
        process.kill()
        process.communicate()


@dataclass
class Camera:
    """What the server sends.

    Attributes:
        frames: How many, each of another grey level than the one before; then the connection is closed.
        fps: At what rate.
        stall: Stay connected after the last frame and send nothing.
        pictures: JPEG files to send in turn instead, over and over, each a few times.
        connections: How many are answered; later ones are closed at once.
        stopping: Set when the test is over.
    """

    frames: int = 10_000
    fps: float = 50.0
    stall: bool = False
    pictures: Sequence[bytes] = ()
    connections: int = 1000
    stopping: threading.Event = field(default_factory=threading.Event)

    def parts(self) -> Iterator[bytes]:
        for index in range(self.frames):
            jpeg = self.pictures[index // 5 % len(self.pictures)] if self.pictures else grey_jpeg(30 + index % 220)
            yield _BOUNDARY % (len(jpeg), jpeg)
            if self.stopping.wait(1 / self.fps):
                return


def grey_jpeg(level: int, height: int = 48, width: int = 64) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1].tobytes()


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
    camera.connections -= 1
    if camera.connections < 0:
        return
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for part in camera.parts():
        handler.wfile.write(part)
        handler.wfile.flush()
    if camera.stall:
        camera.stopping.wait(30)
