"""Runs a job on LiteRT.js in a headless Chromium: a page fetches the job from a server here and posts its answers."""

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from convert.engines.job import EngineError

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PAGE: Final = Path(__file__).with_name("litertjs.html")
_RESULTS: Final = "/result/"
_LAST_WAIT_S: Final = 10.0
_LOOK_S: Final = 0.5
# Without a display, a user's profile or another process's GPU; root, as in containers, has no sandbox.
_OPTIONS: Final = ("--headless=new", "--disable-gpu", "--no-sandbox", "--no-first-run", "--disable-dev-shm-usage")


def find_browser() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def run_in_browser(folder: Path, *, browser: str, packages: Path, timeout_s: float) -> None:
    """Run the job in a folder.

    Args:
        folder: The job.
        browser: Path of a Chromium.
        packages: Folder of npm's that has `node_modules/@litertjs/core` in it.
        timeout_s: How long all of it may take.

    Raises:
        EngineError: The browser does not start, or the page does not answer in time.
    """
    done = threading.Event()
    with _serving(folder, packages, done) as address, tempfile.TemporaryDirectory() as profile:
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}", f"{address}/"]
        try:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise EngineError(f"{browser} does not start ({error.strerror})") from error
        try:
            _wait(done, process, timeout_s)
        finally:
            _end(process)


def _wait(done: threading.Event, process: subprocess.Popen[bytes], timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not done.wait(_LOOK_S):
        # It may have ended because it was done.
        if process.poll() is not None and not done.wait(_LOOK_S):
            raise EngineError(f"the browser ended with exit code {process.returncode} before the page answered")
        if time.monotonic() >= deadline_s:
            raise EngineError(f"the page did not answer within {timeout_s:.0f} seconds")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_LAST_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _serving(folder: Path, packages: Path, done: threading.Event) -> Iterator[str]:
    """Serve the page, the job and npm's packages on this machine only, and take the results."""

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            clean = urlsplit(path).path
            if clean == "/":
                return str(_PAGE)
            root, inside = (folder, clean.removeprefix("/job")) if clean.startswith("/job/") else (packages, clean)
            self.directory = str(root)
            return super().translate_path(inside)

        def do_POST(self) -> None:
            name = Path(urlsplit(self.path).path.removeprefix(_RESULTS)).name
            (folder / name).write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            if name == "result.json":
                done.set()

        def log_message(self, format: str, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
