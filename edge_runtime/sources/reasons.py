"""Why a network stream cannot be opened: OpenCV does not say, so its server is asked once more."""

import hashlib
import http.client
import io
import re
import secrets
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_WITHIN_TLS: Final = ("rtsps", "https")
_AS_SENT: Final = "surrogateescape"
_MOST_BYTES: Final = 16_384
_LONGEST_PHRASE: Final = 60
_PARAMETER: Final = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]*))')
_NOT_THERE: Final = (404, 410, 454)
"""The last is RTSP's `Session Not Found`, which some cameras say of a path (RFC 2326, 11.3)."""
_NO_ROOM: Final = (453, 500, 502, 503)
"""The first is RTSP's `Not Enough Bandwidth`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What is wrong.

    Attributes:
        what: Follows the name of the source in a sentence.
        advice: What to do about it; None where nothing particular is known.
    """

    what: str
    advice: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The head of an answer of HTTP or of RTSP, which has the same form (RFC 2326, 7)."""

    status: int
    phrase: str
    headers: Message


class _NoHostError(Exception):
    """No machine has that name."""


class _Conversation:
    """Requests over one connection, since a challenge may hold for that alone, and before one deadline."""

    def __init__(self, parts: SplitResult, port: int, deadline_s: float) -> None:
        self._parts = parts
        self._deadline_s = deadline_s
        self._received = b""
        self._asked = 0
        self._connection = _connect(parts, port, self._left_s())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, authorization: str | None) -> _Answer:
        """Send the request that FFmpeg begins with, or for RTSP goes on with, and read the head of the answer."""
        self._asked += 1
        lines = [f"{_method(self._parts)} {_target(self._parts)} {'RTSP' if _is_rtsp(self._parts) else 'HTTP'}/1.0"]
        if _is_rtsp(self._parts):
            lines += [f"CSeq: {self._asked}", "Accept: application/sdp"]
        else:
            lines.append(f"Host: {_host(self._parts)}")
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        self._connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode(errors=_AS_SENT))
        return self._read_answer()

    def _read_answer(self) -> _Answer:
        head = self._take(re.compile(rb"\r?\n\r?\n"))
        first, _, rest = head.partition(b"\n")
        protocol, status, phrase = (*first.decode("latin-1").split(None, 2), "", "", "")[:3]
        if not protocol.startswith(("RTSP/", "HTTP/")) or not status.isdecimal():
            raise http.client.BadStatusLine(protocol)
        headers = http.client.parse_headers(io.BytesIO(rest))
        if _is_rtsp(self._parts) and (length := headers.get("Content-Length", "")).isdecimal():
            self._skip(int(length))
        return _Answer(int(status), phrase, headers)

    def _take(self, end: re.Pattern[bytes]) -> bytes:
        while (match := end.search(self._received)) is None:
            self._receive()
        head, self._received = self._received[: match.end()], self._received[match.end() :]
        return head

    def _skip(self, length: int) -> None:
        while len(self._received) < length:
            self._receive()
        self._received = self._received[length:]

    def _receive(self) -> None:
        self._connection.settimeout(self._left_s())
        received = self._connection.recv(4096)
        self._received += received
        if not received or len(self._received) > _MOST_BYTES:
            raise http.client.IncompleteRead(self._received)

    def _left_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def find_reason(address: str, timeout_s: float) -> Reason | None:
    """Ask the server of a stream why it sends none, with the name and password of its address.

    The certificate of a server is not checked, as FFmpeg, which has just asked it the same, checks none either.

    Args:
        address: Of the scheme `rtsp`, `rtsps`, `http` or `https`. Of others nothing is told: to ask a sender by `tcp`
            may be to take the only connection that it gives.
        timeout_s: Seconds that asking may take, but for the search for the host's name.

    Returns:
        What is wrong, or None where that cannot be told.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return Reason("cannot be opened, as its address makes no sense", "correct it")
    if host is None or port is None or parts.scheme not in _PORTS or _goes_by_proxy(parts):
        return None
    try:
        return _explain(parts, _ask(parts, port, time.monotonic() + timeout_s))
    except _NoHostError:
        return Reason(
            f"cannot be opened, as no machine is known by the name {host}", "check the address and the network"
        )
    except ConnectionRefusedError:
        what = f"cannot be opened, as nothing answers at port {port} of {host}"
        return Reason(what, "check the port, and that the sender is running")
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _goes_by_proxy(parts: SplitResult) -> bool:
    return parts.scheme in getproxies() and not proxy_bypass(str(parts.hostname))


def _ask(parts: SplitResult, port: int, deadline_s: float) -> _Answer:
    """Ask without the password first: how to give it stands in the answer."""
    with _Conversation(parts, port, deadline_s) as conversation:
        answer = conversation.ask(None)
        if answer.status != HTTPStatus.UNAUTHORIZED or parts.username is None:
            return answer
        authorization = _authorization(parts, answer.headers)
        if _is_rtsp(parts):
            return conversation.ask(authorization)
    with _Conversation(parts, port, deadline_s) as conversation:
        return conversation.ask(authorization)


def _connect(parts: SplitResult, port: int, timeout_s: float) -> socket.socket:
    try:
        connection = socket.create_connection((parts.hostname, port), timeout_s)
    except (socket.gaierror, UnicodeError) as error:
        raise _NoHostError from error
    if parts.scheme not in _WITHIN_TLS:
        return connection
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _authorization(parts: SplitResult, headers: Message) -> str:
    """Return the answer to a challenge, Digest before Basic (RFC 7617).

    Raises:
        ValueError: There is none that is understood.
    """
    challenges = [each.strip().partition(" ") for each in _challenges(headers)]
    for kind, _, rest in challenges:
        challenge = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        if kind.lower() == "digest" and challenge.get("algorithm", "MD5").upper() == "MD5":
            return _digest(parts, challenge)
    if any(kind.lower() == "basic" for kind, *_ in challenges):
        return "Basic " + b64encode(":".join(_credentials(parts)).encode()).decode()
    raise ValueError("no challenge that is understood")


def _challenges(headers: Message) -> list[str]:
    # The library reads headers as Latin-1; a realm is hashed as the bytes that it was sent as.
    sent = (str(each).encode("latin-1") for each in headers.get_all("WWW-Authenticate", []))
    return [each.decode(errors=_AS_SENT) for each in sent]


def _digest(parts: SplitResult, challenge: Mapping[str, str]) -> str:
    """Work out the answer to a challenge by RFC 7616, 3.4, with MD5; without `qop` by RFC 2069."""
    (name, password), target = _credentials(parts), _target(parts)
    realm, nonce = challenge.get("realm", ""), challenge.get("nonce", "")
    given = {"username": name, "realm": realm, "nonce": nonce, "uri": target}
    counted: tuple[str, ...] = ()
    if "auth" in re.split(r"[\s,]+", challenge.get("qop", "")):
        counted = ("00000001", secrets.token_hex(8), "auth")
        given |= {"cnonce": counted[1], "qop": "auth", "nc": counted[0]}
    secret, request = _md5(name, realm, password), _md5(_method(parts), target)
    given["response"] = _md5(secret, nonce, *counted, request)
    if "opaque" in challenge:
        given["opaque"] = challenge["opaque"]
    return "Digest " + ", ".join(f'{key}="{value}"' for key, value in given.items())


def _md5(*texts: str) -> str:
    return hashlib.md5(":".join(texts).encode(errors=_AS_SENT), usedforsecurity=False).hexdigest()


def _credentials(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")


def _explain(parts: SplitResult, answer: _Answer) -> Reason | None:
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return _explain_refusal(parts, answer)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return Reason(f"cannot be opened, as its server answers {_say(answer)}", _advise(answer.status))
    if answer.status == HTTPStatus.OK and answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        what = "cannot be opened, as its server sends a page and no video"
        return Reason(what, "give the address of the stream itself")
    return None


def _advise(status: int) -> str | None:
    if status in _NOT_THERE:
        return "check the path in the address"
    if status == HTTPStatus.FORBIDDEN:
        return "check what the camera's settings allow this user"
    if status in _NO_ROOM:
        return "it may have as many viewers as it can bear; end one, or try later"
    return None


def _explain_refusal(parts: SplitResult, answer: _Answer) -> Reason | None:
    if parts.username is None:
        advice = f"write both before the host, as in {parts.scheme}://NAME:PASSWORD@{parts.netloc}"
        return Reason(f"cannot be opened, as its server asks for a name and a password ({_say(answer)})", advice)
    if any("stale=true" in each.lower() for each in _challenges(answer.headers)):
        return None
    what = f"cannot be opened, as its server refuses the name or the password ({_say(answer)})"
    return Reason(what, "correct the address")


def _say(answer: _Answer) -> str:
    """Return a status with its phrase: a server may say anything, the terminal's own signs included."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "".join(letter for letter in answer.phrase if letter.isprintable())[:_LONGEST_PHRASE]
    return f"{answer.status} {phrase}".strip()


def _is_rtsp(parts: SplitResult) -> bool:
    return parts.scheme.startswith("rtsp")


def _method(parts: SplitResult) -> str:
    return "DESCRIBE" if _is_rtsp(parts) else "GET"


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _target(parts: SplitResult) -> str:
    """Return what is asked for: of RTSP the whole address, without name and password."""
    if _is_rtsp(parts):
        return parts._replace(netloc=_host(parts), fragment="").geturl()
    return parts._replace(scheme="", netloc="", fragment="", path=parts.path or "/").geturl()
