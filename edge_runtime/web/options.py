"""The command-line options of the web page."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from edge_runtime.credentials import read_secret
from edge_runtime.extras import require_extra
from edge_runtime.option_group import option_group
from edge_runtime.web.hosts import is_local

if TYPE_CHECKING:
    from edge_runtime.delivery.sink import OutboxSink
    from edge_runtime.sources import FrameSource
    from edge_runtime.veil import Veil
    from edge_runtime.web.sink import WebSink

WEB_TOKEN: Final = "EDGE_WEB_TOKEN"
_LEAST_TOKEN: Final = 16
_MOST_PORT: Final = 65535


def web_address(text: str | int) -> str:
    """Return `[HOST:]PORT` as `HOST:PORT`, where the host is this machine's own when there is none.

    Raises:
        click.BadParameter: It is no such thing.
    """
    host, _, port = str(text).rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= _MOST_PORT):
        raise click.BadParameter(f"{text!r} is not [HOST:]PORT, for example 8080 or 0.0.0.0:8080.")
    return f"{host or '127.0.0.1'}:{port}"


web_options = option_group(
    click.option(
        "--web",
        type=web_address,
        metavar="[HOST:]PORT",
        help="Serve a live page, /health and /metrics; beyond this machine only with a token in "
        f"{WEB_TOKEN}.  [default host: 127.0.0.1]",
    ),
    click.option(
        "--web-token-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"Read the token from a file instead of {WEB_TOKEN}.",
    ),
)


def check_web(arguments: dict[str, Any]) -> str | None:
    """Check the options above, and return the token.

    Raises:
        click.UsageError: The page would be open to others without a token, or the token is short.
        ExtraMissingError: The extra is not installed.
    """
    token = read_secret(WEB_TOKEN, arguments["web_token_file"], "--web-token-file")
    if arguments["web"] is None:
        return None
    require_extra("--web", "web", "prometheus_client", "starlette", "uvicorn")
    host, _ = _parts(arguments["web"])
    if token is None and not is_local(host):
        raise click.UsageError(
            f"--web at {host} can be seen by others and needs a token: set {WEB_TOKEN}, or write one to a file "
            "(openssl rand -hex 32 > FILE) and give --web-token-file FILE."
        )
    if token is not None and len(token) < _LEAST_TOKEN:
        raise click.UsageError(f"The token of --web has fewer than {_LEAST_TOKEN} characters; make a longer one.")
    return token


def open_web_sink(
    arguments: dict[str, Any], source: "FrameSource", outbox: "OutboxSink | None", veil: "Veil"
) -> "WebSink":
    """Take the port of the web page.

    Args:
        arguments: Of the command.
        source: Where the frames will come from.
        outbox: Events on their way; None when none are delivered.
        veil: Applied to each frame before it is shown.

    Raises:
        OutputError: The port is taken or not allowed.
    """
    from edge_runtime.web.app import WebApp
    from edge_runtime.web.metrics import Metrics
    from edge_runtime.web.painter import Painter
    from edge_runtime.web.sink import WebSink
    from edge_runtime.web.stage import Stage

    stage, metrics = Stage(live=source.live), Metrics(source, outbox)
    app = WebApp(stage, Painter(stage, veil), metrics, outbox, check_web(arguments))
    sink = WebSink(*_parts(arguments["web"]), app.asgi(), stage, metrics)
    click.echo(f"Web page: {sink.address}", err=True)
    return sink


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
