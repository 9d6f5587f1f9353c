"""Who may see the page, and what a browser may do with it."""

import hashlib
import hmac
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web.hosts import is_local

_OPEN_PATHS: Final = ("/login", "/icon.svg", "/style.css")
# What proxies add to a request that they pass on.
_FORWARDED: Final = frozenset(
    ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
)
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware: a token where one is set, else this machine's own names only; strict headers always.

    Without a token a page of another site could have its name point to this machine and read pictures through the
    visitor's browser (DNS rebinding); it cannot choose the name that the browser asks for. A proxy on this machine may
    ask for a local name, too, on behalf of anybody; it is known by the headers that it adds.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """Stand before an application.

        Args:
            app: Sees allowed requests only.
            token: What a visitor has to know; None lets in whoever is on this machine.
        """
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""

        async def send_strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if scope["type"] == "http":
            app = self._refusal(HTTPConnection(scope)) or self._app
            await app(scope, receive, send_strict)

    def _refusal(self, visit: HTTPConnection) -> ASGIApp | None:
        if self._token is None:
            return _refusal_of_stranger(visit)
        path = visit.scope["path"]
        if path in _OPEN_PATHS or self._is_known(visit):
            return None
        if path == "/":
            # Relative, as a proxy may serve the page below a path of its own.
            return RedirectResponse("login", 303)
        return PlainTextResponse("Authorization: Bearer TOKEN is needed.\n", 401, {"WWW-Authenticate": "Bearer"})

    def _is_known(self, visit: HTTPConnection) -> bool:
        assert self._token is not None
        scheme, _, bearer = visit.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = bearer.strip(" \t")
            # Headers are read as Latin-1, and most programs send UTF-8.
            return is_same(given, self._token) or is_same(given, self._token.encode().decode("latin-1"))
        name, session = cookie_of(self._token)
        return is_same(visit.cookies.get(name, ""), session)


def cookie_of(token: str) -> tuple[str, str]:
    """Return the name of the cookie, and what it holds in the place of the token."""
    digest = hmac.new(token.encode(), b"edge-garment web session", hashlib.sha256).hexdigest()
    # Browsers tell no ports apart: another run on this machine, with another token, needs another name.
    return f"edge_garment_{digest[:8]}", digest[8:]


def is_same(given: str, wanted: str) -> bool:
    """Compare secrets in a time that says nothing about them."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def _refusal_of_stranger(visit: HTTPConnection) -> ASGIApp | None:
    """Return the answer to who comes from beyond this machine, where there is no token."""
    if not _FORWARDED.isdisjoint(visit.headers.keys()):
        return PlainTextResponse("Behind a proxy, start edge-run with a token: --web-token-file FILE.\n", 421)
    if not is_local(_without_port(visit.headers.get("host", ""))):
        return PlainTextResponse("Ask for localhost, or start edge-run with a token.\n", 421)
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]").lower()
