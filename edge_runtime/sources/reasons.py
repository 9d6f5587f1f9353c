"""Why a network stream cannot be opened: OpenCV does not say, so its server is asked once more."""

import http.client
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import AbstractDigestAuthHandler, HTTPPasswordMgr, Request, parse_http_list, parse_keqv_list

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_WITHIN_TLS: Final = ("rtsps", "https")
_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Reason:
    """What is wrong.

    Attributes:
        what: Follows the name of the source in a sentence.
        advice: What to do about it.
    """

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """The head of an answer of HTTP or of RTSP, which has the same form (RFC 2326, 7)."""

    status: int
    phrase: str
    headers: Message


class _Password(HTTPPasswordMgr):
    """The name and password of an address, whoever asks for them."""

    def __init__(self, parts: SplitResult) -> None:
        super().__init__()
        self.name, self.password = unquote(parts.username or ""), unquote(parts.password or "")

    def find_user_password(self, realm: str, authuri: str) -> tuple[str, str]:
        return self.name, self.password


def find_reason(address: str, timeout_s: float) -> Reason | None:
    """Ask the server of a stream why it sends none, with the name and password of its address.

    The certificate of a server is not checked, as FFmpeg, which has just asked it the same, checks none either.

    Args:
        address: Of the scheme `rtsp`, `rtsps`, `http` or `https`. Of others nothing is told: to ask a sender by `tcp`
            may be to take the only connection that it gives.
        timeout_s: Seconds that each step may take.

    Returns:
        What is wrong, or None where that cannot be told.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return Reason("cannot be opened, as its address makes no sense", "correct it")
    if host is None or port is None or parts.scheme not in _PORTS:
        return None
    try:
        return _explain(parts, _ask_twice(parts, port, timeout_s))
    except (socket.gaierror, UnicodeError):
        return Reason(
            f"cannot be opened, as no machine is known by the name {host}", "check the address and the network"
        )
    except ConnectionRefusedError:
        what = f"cannot be opened, as nothing answers at port {port} of {host}"
        return Reason(what, "check the port, and that the sender is running")
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _ask_twice(parts: SplitResult, port: int, timeout_s: float) -> _Answer:
    """Ask without the password first: how to give it stands in the answer."""
    answer = _ask(parts, port, None, timeout_s)
    if answer.status == HTTPStatus.UNAUTHORIZED and parts.username is not None:
        return _ask(parts, port, _authorization(parts, answer.headers), timeout_s)
    return answer


def _ask(parts: SplitResult, port: int, authorization: str | None, timeout_s: float) -> _Answer:
    """Send the request that FFmpeg begins with, or for RTSP goes on with, and read the head of the answer."""
    lines = [f"{_method(parts)} {_target(parts)} {'RTSP/1.0' if _is_rtsp(parts) else 'HTTP/1.0'}"]
    lines += ["CSeq: 1", "Accept: application/sdp"] if _is_rtsp(parts) else [f"Host: {parts.netloc.rpartition('@')[2]}"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    with _connect(parts, port, timeout_s) as connection, connection.makefile("rwb") as file:
        file.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        file.flush()
        protocol, status, phrase = (*file.readline(_MOST_BYTES).decode("latin-1").split(None, 2), "", "", "")[:3]
        if not protocol.startswith(("RTSP/", "HTTP/")) or not status.isdigit():
            raise http.client.BadStatusLine(protocol)
        return _Answer(int(status), phrase.strip(), http.client.parse_headers(file))


def _connect(parts: SplitResult, port: int, timeout_s: float) -> socket.socket:
    connection = socket.create_connection((parts.hostname, port), timeout_s)
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


def _authorization(parts: SplitResult, headers: Message) -> str | None:
    """Return the answer to a challenge, Digest (RFC 7616) before Basic (RFC 7617); None where it is neither."""
    challenges = {kind.lower(): rest for kind, _, rest in (each.partition(" ") for each in _challenges(headers))}
    password = _Password(parts)
    if "digest" in challenges:
        request = Request(parts.geturl(), method=_method(parts))
        request.selector = _target(parts)
        challenge = parse_keqv_list(parse_http_list(challenges["digest"]))
        answer = AbstractDigestAuthHandler(password).get_authorization(request, challenge)
        return None if answer is None else f"Digest {answer}"
    if "basic" in challenges:
        return "Basic " + b64encode(f"{password.name}:{password.password}".encode()).decode()
    return None


def _challenges(headers: Message) -> list[str]:
    return [str(each).strip() for each in headers.get_all("WWW-Authenticate", [])]


def _explain(parts: SplitResult, answer: _Answer) -> Reason | None:
    said = f"{answer.status} {answer.phrase}".strip()
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return _explain_refusal(parts, said)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return Reason(f"cannot be opened, as its server answers {said}", "check the path in the address")
    kind = answer.headers.get_content_type()
    if answer.status == HTTPStatus.OK and not _is_rtsp(parts) and kind.startswith("text/"):
        what = f"cannot be opened, as its server sends {kind} and no video"
        return Reason(what, "give the address of the stream itself, not that of a page which shows it")
    return None


def _explain_refusal(parts: SplitResult, said: str) -> Reason:
    if parts.username is None:
        advice = f"write both before the host, as in {parts.scheme}://NAME:PASSWORD@{parts.hostname}"
        return Reason(f"cannot be opened, as its server asks for a name and a password ({said})", advice)
    return Reason(f"cannot be opened, as its server refuses the name or the password ({said})", "correct the address")


def _is_rtsp(parts: SplitResult) -> bool:
    return parts.scheme.startswith("rtsp")


def _method(parts: SplitResult) -> str:
    return "DESCRIBE" if _is_rtsp(parts) else "GET"


def _target(parts: SplitResult) -> str:
    """Return what is asked for: of RTSP the whole address, without name and password."""
    if _is_rtsp(parts):
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    return parts._replace(scheme="", netloc="", fragment="", path=parts.path or "/").geturl()
