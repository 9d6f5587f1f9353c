"""Who may see the page, and what a browser may do with it."""

import hashlib
import hmac
from http.cookies import SimpleCookie
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "edge_garment_session"

_OPEN_PATHS: Final = ("/login", "/icon.svg", "/style.css")
_LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
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
    visitor's browser (DNS rebinding); it cannot choose the name that the browser asks for.
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
            app = self._refusal(scope["path"], Headers(scope=scope)) or self._app
            await app(scope, receive, send_strict)

    def _refusal(self, path: str, headers: Headers) -> ASGIApp | None:
        if self._token is None:
            if _without_port(headers.get("host", "")) in _LOCAL_HOSTS:
                return None
            return PlainTextResponse("Ask for localhost, or start edge-run with a token.\n", 421)
        if path in _OPEN_PATHS or self._is_known(headers):
            return None
        if path == "/":
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Authorization: Bearer TOKEN is needed.\n", 401, {"WWW-Authenticate": "Bearer"})

    def _is_known(self, headers: Headers) -> bool:
        assert self._token is not None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return is_same(bearer.strip(), self._token)
        session = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        return session is not None and is_same(session.value, session_of(self._token))


def session_of(token: str) -> str:
    """Return what the cookie holds in the place of the token."""
    return hmac.new(token.encode(), b"edge-garment web session", hashlib.sha256).hexdigest()


def is_same(given: str, wanted: str) -> bool:
    """Compare secrets in a time that says nothing about them."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
