"""A page that is really served, and a real browser, driven by its DevTools protocol over pipes (https://chromedevtools.github.io/devtools-protocol)."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from edge_runtime.events import HealthEvent, HealthKind, ScanEvent, ScanKind
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sources import Frame, FrameSource
from edge_runtime.veil import Veil, show_all
from edge_runtime.web.app import WebApp
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.painter import Painter
from edge_runtime.web.sink import WebSink
from edge_runtime.web.stage import Stage

_CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-pipe"
)
_PATIENCE_S = 100.0


class Browser:
    """One page of a browser.

    Attributes:
        complaints: What the browser's console said: errors, and what the content security policy stopped.
    """

    def __init__(self, folder: Path) -> None:
        if _CHROMIUM is None:
            pytest.skip("needs Chromium (apt-get install chromium)")
        self.complaints: list[str] = []
        self._numbers = itertools.count(1)
        self._buffer = b""
        hears, self._out = os.pipe()
        self._in, says = os.pipe()
        # The protocol's descriptors are 3 and 4.
        command = f'exec "$0" {_FLAGS} --user-data-dir="$1" 3<&{hears} 4>&{says}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, _CHROMIUM, str(folder)], pass_fds=(hears, says), stderr=subprocess.DEVNULL
        )
        os.close(hears)
        os.close(says)
        self._session: str | None = None

    def start(self) -> None:
        """Open an empty page."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def open(self, address: str, width: int = 1200, height: int = 800) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        self._ask("Page.navigate", url=address)

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression on the page, awaited when it is a promise."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true on the page."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.evaluate(script) is not True:
            if time.monotonic() > deadline:
                pytest.fail(f"{script} never came true; the console says {self.complaints}")
            time.sleep(0.1)

    def screenshot(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        # Without its pipe it ends by itself.
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select.select([self._in], [], [], _PATIENCE_S)[0], "the browser says nothing"
            read = os.read(self._in, 2**20)
            assert read, "the browser has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.complaints.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["params"]["exceptionDetails"]))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with contextlib.closing(Browser(tmp_path)) as opened:
        opened.start()
        yield opened


class _Cameras(FrameSource):
    live = True
    dropped = 7

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


@dataclass
class Site:
    """A page that is served, and the sink that fills it."""

    sink: WebSink

    def show(self, source: str = "camera:0", value: int = 90, detections: tuple[Detection, ...] | None = None) -> None:
        """Give the sink a frame of one grey and its answer."""
        frame = Frame(np.full((240, 320, 3), value, np.uint8), source, 0, 1.5, 2.0)
        answers = (Classification("hat", 0.875),)
        times = StageTimes(2.0, 1.0, 3.0, 0.25)
        self.sink.write(frame, FrameResult(source, 0, 1.5, 320, 240, answers, detections, times, "ab" * 32))

    def lose(self, number: int, source: str, kind: HealthKind = HealthKind.SOURCE_LOST) -> None:
        """Tell the sink that a source is lost, or what else happened to it."""
        self.sink.tell(HealthEvent(f"h{number}", "run", number, 1.5, kind, source, f"{source} <is> {kind}."))

    def scan(self, number: int, label: str) -> None:
        """Tell the sink of a garment."""
        event = ScanEvent(
            f"s{number}", "run", number, 2.5, ScanKind.SETTLED, "camera:0", 0, label, 0.9, None, 1.0, "ab"
        )
        self.sink.tell(event)

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request and return the answer with its body."""
        connection = http.client.HTTPConnection(urlsplit(self.sink.address).netloc, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer, answer.read()


@pytest.fixture
def serve_page() -> Iterator[Callable[..., Site]]:
    """Serve a page, with a token or a veil."""
    with contextlib.ExitStack() as sites:

        def serve(token: str | None = None, veil: Veil = show_all) -> Site:
            stage, metrics = Stage(live=True), Metrics(_Cameras(), None)
            app = WebApp(stage, Painter(stage, veil), metrics, None, token)
            return Site(sites.enter_context(WebSink("127.0.0.1", 0, app.asgi(), stage, metrics)))

        yield serve


@pytest.fixture
def site(serve_page: Callable[..., Site]) -> Site:
    return serve_page()
