"""The web application: page, pictures, events, health and metrics."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.web.guard import Guard, cookie_of, is_same
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.painter import Painter
from edge_runtime.web.stage import Stage

_PAGE: Final = Path(__file__).parent / "page"
_POLL_S: Final = 0.25
_STATUS_EVERY: Final = 4
_WRONG_TOKEN_S: Final = 1.0
_MOST_LOGIN_BYTES: Final = 4096
# Not looked up: Windows' registry may call any of them plain text, which browsers then refuse to run.
_MEDIA_TYPES: Final = {
    "icon.svg": "image/svg+xml",
    "index.html": "text/html",
    "login.html": "text/html",
    "page.js": "text/javascript",
    "style.css": "text/css",
}
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class WebApp:
    """What each address answers."""

    def __init__(
        self, stage: Stage, painter: Painter, metrics: Metrics, outbox: OutboxSink | None, token: str | None
    ) -> None:
        """Put the application together.

        Args:
            stage: What there is to show.
            painter: Draws it.
            metrics: Numbers for Prometheus.
            outbox: Events on their way; None when none are delivered.
            token: What a visitor has to know; None when whoever is on this machine may look.
        """
        self._stage = stage
        self._painter = painter
        self._metrics = metrics
        self._outbox = outbox
        self._token = token
        self._start_s = time.monotonic()

    def asgi(self) -> Starlette:
        """Return the application for a server to run."""
        routes = [
            Route("/", _file("index.html")),
            *(Route(f"/{name}", _file(name)) for name in ("icon.svg", "page.js", "style.css")),
            Route("/login", self._login, methods=["GET", "POST"]),
            Route("/picture.jpg", self._picture),
            Route("/events", self._events),
            Route("/health", self._health),
            Route("/metrics", self._numbers),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, token=self._token)])

    def status(self) -> dict[str, Any]:
        """Return how the run is, as JSON-ready values; `status` is `ok` while every source gives frames."""
        sources = self._stage.sources()
        well = bool(sources) and not any(source["lost"] for source in sources)
        return {
            "status": "ok" if well else "no frames",
            "uptime_s": round(time.monotonic() - self._start_s, 1),
            "sources": sources,
            "deliveries": [] if self._outbox is None else self._outbox.status(),
        }

    async def _picture(self, request: Request) -> Response:
        try:
            index, after = (int(request.query_params.get(name, 0)) for name in ("source", "after"))
        except ValueError:
            return Response("source and after are whole numbers.\n", 400, media_type="text/plain")
        drawn = await self._painter.picture(index, after) if index >= 0 else None
        if drawn is None:
            return Response(status_code=204)
        return Response(drawn.jpeg, media_type="image/jpeg", headers={"X-Picture": str(drawn.number)})

    async def _events(self, _request: Request) -> StreamingResponse:
        # Without the header nginx would hold messages back until they fill a buffer.
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._event_stream(), media_type="text/event-stream", headers=headers)

    async def _event_stream(self) -> AsyncIterator[str]:
        """Yield the latest events, then each new one, and the status every second (server-sent events)."""
        heard, turn = 0, 0
        while not self._stage.over:
            for number, event in self._stage.events_after(heard):
                heard = number
                yield _message("garment-event", event.to_dict())
            if turn % _STATUS_EVERY == 0:
                yield _message("status", self.status())
            turn += 1
            await asyncio.sleep(_POLL_S)

    async def _health(self, _request: Request) -> JSONResponse:
        status = self.status()
        return JSONResponse(status, 200 if status["status"] == "ok" else 503)

    async def _numbers(self, _request: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": _METRICS_TYPE})

    async def _login(self, request: Request) -> Response:
        if request.method != "POST" or self._token is None:
            return _page("login.html")
        if not is_same(await _posted_token(request), self._token):
            # Guessing shall take its time.
            await asyncio.sleep(_WRONG_TOKEN_S)
            return _page("login.html", 403)
        response = RedirectResponse("./", 303)
        response.set_cookie(*cookie_of(self._token), httponly=True, samesite="strict")
        return response


def _file(name: str) -> Any:
    async def answer(_request: Request) -> FileResponse:
        return _page(name)

    return answer


def _page(name: str, status: int = 200) -> FileResponse:
    return FileResponse(_PAGE / name, status, media_type=_MEDIA_TYPES[name])


async def _posted_token(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_LOGIN_BYTES:
            return ""
    return parse_qs(body.decode("ascii", "replace")).get("token", [""])[0]


def _message(name: str, value: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"
