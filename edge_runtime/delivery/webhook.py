"""Events by HTTP POST, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

from edge_runtime.delivery.courier import DeliveryError, Transport
from edge_runtime.delivery.outbox import Letter

_TIMEOUT_S: Final = 10.0
_MOST_ANSWER: Final = 2**16
_KEY_PREFIX: Final = "whsec_"


class WebhookTransport(Transport):
    """Posts one event after another; any answer of 200 to 299 acknowledges it, and redirects are not followed.

    The header `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`; the id is the
    event's own and the key by which a receiver tells an event sent twice.
    """

    def __init__(self, address: str, key: bytes) -> None:
        """Prepare to post to an address.

        Args:
            address: An `http://` or `https://` URL without a password in it.
            key: Signs every request; the receiver has it too.
        """
        self._url = urlsplit(address)
        # A query may hold a key, which belongs neither in messages nor in the outbox.
        self.target = self._url._replace(query="", fragment="").geturl()
        self._key = key
        self._agent = f"edge-garment/{version('edge-garment')}"
        # Reading the system's authorities takes tens of milliseconds.
        self._context = ssl.create_default_context() if self._url.scheme == "https" else None

    def deliver(self, letters: Sequence[Letter]) -> Iterator[Letter]:
        """Post letters in order over one connection.

        Raises:
            DeliveryError: No connection, no answer in time, or an answer that acknowledges nothing.
        """
        with closing(self._connection()) as connection:
            for letter in letters:
                try:
                    self._post(connection, letter)
                except (OSError, http.client.HTTPException) as error:
                    raise DeliveryError(f"no answer ({str(error) or type(error).__name__})") from error
                yield letter

    def _post(self, connection: http.client.HTTPConnection, letter: Letter) -> None:
        body = letter.body.encode()
        target = self._url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("POST", target, body, self._headers(letter.event, body))
        answer = connection.getresponse()
        # Only after an answer that was read in full can the connection be used again.
        if len(answer.read(_MOST_ANSWER)) == _MOST_ANSWER:
            connection.close()
        if not 200 <= answer.status < 300:
            raise DeliveryError(f"answered {answer.status} {answer.reason}")

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname, self._url.port
        assert host is not None
        if self._context is not None:
            return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)

    def _headers(self, event: str, body: bytes) -> dict[str, str]:
        timestamp = int(time.time())
        return {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Idempotency-Key": event,
            "webhook-id": event,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._key, event, timestamp, body),
        }


def sign(key: bytes, event: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature` for a request.

    Args:
        key: Shared with the receiver.
        event: Value of `webhook-id`.
        timestamp: Value of `webhook-timestamp`, Unix time in whole seconds.
        body: Of the request, byte for byte.
    """
    digest = hmac.new(key, f"{event}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def signing_key(secret: str) -> bytes:
    """Return the key that a secret stands for: base64 behind `whsec_`, as the standard writes it, else the text itself.

    Raises:
        ValueError: What follows `whsec_` is no base64.
    """
    if secret.startswith(_KEY_PREFIX):
        return base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    return secret.encode()
