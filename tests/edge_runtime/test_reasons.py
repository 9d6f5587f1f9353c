"""Streams that cannot be opened, and what their servers say of it."""

import base64
import contextlib
import hashlib
import re
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.client import parse_headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edge_runtime.errors import StreamError
from edge_runtime.sources import LiveSettings, open_source
from edge_runtime.sources.reasons import find_reason

_NAME, _PASSWORD, _REALM = "admin", "s/crét#1", "Kamera Küche"
_ESCAPED = "s%2Fcr%C3%A9t%231"


def _digest(method: str, target: str, nonce: str, *qop: str) -> str:
    """Work out the answer to the challenge by RFC 7616, 3.4.1."""
    secret, request = (
        hashlib.md5(text.encode()).hexdigest() for text in (f"{_NAME}:{_REALM}:{_PASSWORD}", f"{method}:{target}")
    )
    return hashlib.md5(":".join([secret, nonce, *qop, request]).encode()).hexdigest()


class _RtspCamera(socketserver.StreamRequestHandler):
    """Speaks as much RTSP as it takes to refuse; the path `/live` is there, but has no description.

    A nonce holds for one connection, as it does for many cameras.
    """

    timeout = 20
    challenges: tuple[str, ...] = (f'Digest realm="{_REALM}", nonce="%s"', f'Basic realm="{_REALM}"')
    asked: list[str]

    def handle(self) -> None:
        self.nonce = secrets.token_hex(8)
        while line := self.rfile.readline().decode().strip():
            method, target, _ = line.split()
            headers = parse_headers(self.rfile)
            self.asked.append(line)
            self.wfile.write(f"RTSP/1.0 {self._answer(method, target, headers['Authorization'])}\r\n".encode())
            self.wfile.write(f"CSeq: {headers['CSeq']}\r\n\r\n".encode())

    def _answer(self, method: str, target: str, authorization: str | None) -> str:
        if method == "OPTIONS":
            return "200 OK\r\nPublic: OPTIONS, DESCRIBE"
        if not self._knows(method, target, authorization or ""):
            told = "".join(f"\r\nWWW-Authenticate: {each}" for each in self.challenges).replace("%s", self.nonce)
            return f"401 Unauthorized{told}"
        return "200 OK" if target.endswith("/live") else "404 Not Found"

    def _knows(self, method: str, target: str, authorization: str) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]*)', authorization))
        qop = (given["nc"], given["cnonce"], "auth") if "qop" in given else ()
        return given.get("response") == _digest(method, target, self.nonce, *qop) and given["uri"] == target


class _QopCamera(_RtspCamera):
    challenges = (
        'Digest realm="c", nonce="n", qop="auth", algorithm=SHA-256',
        f'Digest realm="{_REALM}", nonce="%s", qop="auth,auth-int", algorithm=MD5, opaque=',
    )


class _BasicCamera(_RtspCamera):
    challenges = (f'Basic realm="{_REALM}"',)

    def _knows(self, method: str, target: str, authorization: str) -> bool:
        return authorization == "Basic " + base64.b64encode(f"{_NAME}:{_PASSWORD}".encode()).decode()


class _OddCamera(_RtspCamera):
    """Answers all but `OPTIONS` by one status."""

    status = ""

    def _answer(self, method: str, target: str, authorization: str | None) -> str:
        return super()._answer(method, target, authorization) if method == "OPTIONS" else self.status


class _WebServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/page?id=1"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<p>The camera</p>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a server and return its host and port."""
    with contextlib.ExitStack() as servers:

        def start(server: type[socketserver.TCPServer], handler: type[socketserver.BaseRequestHandler]) -> str:
            started = servers.enter_context(server(("127.0.0.1", 0), handler))
            threading.Thread(target=started.serve_forever, daemon=True).start()
            servers.callback(started.shutdown)
            return f"127.0.0.1:{started.server_address[1]}"

        yield start


@pytest.fixture(params=[_RtspCamera, _QopCamera, _BasicCamera])
def camera(request: pytest.FixtureRequest, serve: Callable[..., str]) -> str:
    request.param.asked = []
    return serve(socketserver.ThreadingTCPServer, request.param)


def _say(address: str) -> str:
    with open_source(address, live=LiveSettings(10, 0)) as source, pytest.raises(StreamError) as caught:
        list(source)
    return str(caught.value)


def test_a_camera_that_refuses_the_password_says_so(camera: str) -> None:
    said = _say(f"rtsp://{_NAME}:wrong@{camera}/live")
    assert said == (
        f"rtsp://{_NAME}:***@{camera}/live cannot be opened, as its server refuses the name or the password "
        "(401 Unauthorized); correct the address."
    )


def test_a_camera_that_wants_a_password_says_so(camera: str) -> None:
    said = _say(f"rtsp://{camera}/live")
    assert "asks for a name and a password (401 Unauthorized)" in said
    assert f"as in rtsp://NAME:PASSWORD@{camera}." in said


def test_a_camera_without_that_path_says_so_where_the_password_is_right(camera: str) -> None:
    said = _say(f"rtsp://{_NAME}:{_ESCAPED}@{camera}/gone?channel=1")
    assert "cannot be opened, as its server answers 404 Not Found; check the path in the address." in said


def test_a_camera_that_gives_no_reason_is_told_as_before(camera: str) -> None:
    said = _say(f"rtsp://{_NAME}:{_ESCAPED}@{camera}/live")
    assert "cannot be opened; check the name, password and path in the address, the network" in said


def test_a_lost_camera_is_asked_once_in_an_outage(serve: Callable[..., str]) -> None:
    """Cameras lock out who gives a wrong password too often."""
    _RtspCamera.asked = []
    address = f"rtsp://{_NAME}:wrong@{serve(socketserver.ThreadingTCPServer, _RtspCamera)}/live"
    source = open_source(address, live=LiveSettings(10, 2.0))
    (thread,) = source._threads
    for _ in range(3):
        thread._tell_lost(thread._read_until_it_ends())
    # FFmpeg begins each of its attempts with OPTIONS, and asks on without and with the password.
    kinds = [line.split()[0] for line in _RtspCamera.asked]
    assert kinds.count("DESCRIBE") == 2 * kinds.count("OPTIONS") + 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/gone", "as its server answers 404 Not Found; check the path in the address."),
        ("/page?id=1", "as its server sends a page and no video; give the address of the stream itself."),
    ],
)
def test_a_web_server_without_a_stream_says_so(path: str, expected: str, serve: Callable[..., str]) -> None:
    assert expected in _say(f"http://{serve(ThreadingHTTPServer, _WebServer)}{path}")


def test_a_port_without_a_server_is_told_from_a_host_without_a_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert f"as nothing answers at port {port} of 127.0.0.1; check the port" in _say(f"rtsp://127.0.0.1:{port}/live")
    assert "as no machine is known by the name camera.invalid; check the address" in _say("rtsp://camera.invalid/live")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("403 No", "cannot be opened, as its server answers 403 Forbidden; check what the camera's settings allow"),
        ("453 Not Enough Bandwidth", "answers 453 Not Enough Bandwidth; it may have as many viewers as it can bear"),
        ("503 Busy", "answers 503 Service Unavailable; it may have as many viewers"),
        ("454 \x1b]0;own\x07" + 100 * "n", "answers 454 ]0;own" + 54 * "n" + "; check the path in the address."),
        ("551 Option not supported", "answers 551 Option not supported; check the name, password and path"),
        ("401 Unauthorized\r\nWWW-Authenticate: Bearer", "cannot be opened; check the name, password and path"),
        ("401 Unauthorized", "cannot be opened; check the name, password and path"),
        (
            '401 No\r\nWWW-Authenticate: Digest nonce="a", stale=true',
            "cannot be opened; check the name, password and path",
        ),
    ],
)
def test_what_a_camera_says_is_not_taken_for_more(status: str, expected: str, serve: Callable[..., str]) -> None:
    handler = type("Camera", (_OddCamera,), {"status": status, "asked": []})
    assert expected in _say(f"rtsp://{_NAME}:{_ESCAPED}@{serve(socketserver.ThreadingTCPServer, handler)}/live")


def test_a_proxy_is_not_gone_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "here.invalid")
    assert find_reason("http://camera.invalid/v", 1.0) is None
    reason = find_reason("http://here.invalid/v", 1.0)
    assert reason is not None
    assert "no machine is known by the name here.invalid" in reason.what


@pytest.mark.parametrize("answer", [b"", b"\xff\xff\xff\n", b"SSH-2.0\r\n", b"RTSP/1.0\r\n", b"RTSP/1.0 401\r\n"])
def test_a_server_of_another_kind_gives_no_reason(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with listener.accept()[0] as visitor:
                visitor.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        address = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"
        reason = find_reason(address, 5.0)
        thread.join()
    assert reason is None or "asks for a name" in reason.what


@pytest.mark.parametrize("drop", [b"", b"R"])
def test_a_slow_server_does_not_hold_anybody_up(drop: bytes) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with listener.accept()[0] as visitor, contextlib.suppress(OSError):
                while not over.wait(0.05):
                    visitor.sendall(drop)

        thread = threading.Thread(target=speak)
        thread.start()
        start_s = time.monotonic()
        assert find_reason(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live", 0.5) is None
        assert time.monotonic() - start_s < 5
        over.set()
        thread.join()


def test_a_sender_that_takes_one_reader_is_not_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        assert find_reason(f"tcp://127.0.0.1:{listener.getsockname()[1]}", 1.0) is None
        with pytest.raises(TimeoutError):
            listener.accept()
