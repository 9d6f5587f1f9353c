"""The sink that shows answers and events on a web page."""

import socket
import threading
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.applications import Starlette

from edge_runtime.errors import OutputError
from edge_runtime.events import Event
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult
from edge_runtime.sinks.sink import Sink
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.protocol import MOST_CONNECTIONS, BoundedProtocol
from edge_runtime.web.stage import Stage

_LAST_WAIT_S: Final = 1


class WebSink(Sink):
    """Puts answers on the stage, and serves the application in a thread of its own.

    Attributes:
        address: Where the page is.
    """

    def __init__(self, host: str, port: int, app: Starlette, stage: Stage, metrics: Metrics) -> None:
        """Take the port; the page is served from `__enter__` on.

        Args:
            host: Name or address of this machine to listen at.
            port: 0 takes a free one.
            app: What is served.
            stage: What it shows.
            metrics: What it counts.

        Raises:
            OutputError: The port is taken or not allowed.
        """
        self._stage = stage
        self._metrics = metrics
        self._socket = _listen(host, port)
        name = f"[{host}]" if ":" in host else host
        self.address = f"http://{name}:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(
            app,
            access_log=False,
            # At most as many are taken at once, and have a file descriptor each, before there is a choice.
            backlog=MOST_CONNECTIONS,
            http=BoundedProtocol,
            lifespan="off",
            log_config=None,
            # What a visitor's connection runs into is for the visitor to see.
            log_level="critical",
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=_LAST_WAIT_S,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Streams that end by themselves spare the server to break them off.
        self._stage.over = True
        self._server.should_exit = True
        self._thread.join(2 * _LAST_WAIT_S)
        self._socket.close()

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Show an answer."""
        self._stage.show(frame, result)
        self._metrics.count_frame(result)

    def tell(self, event: Event) -> None:
        """Show an event."""
        self._stage.hear(event)
        self._metrics.count_event(event)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # A name that this refuses would have `create_server` leave a socket open.
        host.encode("idna")
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        raise OutputError(f"The web page cannot be served at {host}, port {port} ({error}); choose others.") from error
