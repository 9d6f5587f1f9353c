import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.delivery.courier import DeliveryError
from edge_runtime.delivery.outbox import Letter
from edge_runtime.delivery.webhook import WebhookTransport, sign, signing_key

_KEY = b"a key of the test's own"
_PAGE = (Path(__file__).parents[3] / "docs" / "sinks.md").read_text()


def _letters(count: int) -> list[Letter]:
    return [Letter(number, f"e{number}", json.dumps({"id": f"e{number}", "label": "Hüte"})) for number in range(count)]


def test_each_event_is_posted_signed_over_one_connection(receiver) -> None:  # noqa: ANN001
    letters = _letters(3)
    delivered = list(WebhookTransport(receiver.address, _KEY).deliver(letters))
    assert delivered == letters
    assert receiver.connections == 1
    assert receiver.events() == ["e0", "e1", "e2"]
    headers, body = receiver.requests[0]
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == headers["Idempotency-Key"] == "e0"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
    # As a receiver checks it, without code of ours.
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(_KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    # From the Standard Webhooks specification's test vector.
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_key_may_be_plain_text_or_base64_as_the_standard_has_it() -> None:
    assert signing_key("plain") == b"plain"
    assert signing_key("whsec_" + base64.b64encode(_KEY).decode()) == _KEY
    with pytest.raises(ValueError, match=r"base64|padding|Only"):
        signing_key("whsec_no base64")


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_only_an_answer_of_200_to_299_acknowledges(receiver, status: int) -> None:  # noqa: ANN001
    receiver.answer = status
    with pytest.raises(DeliveryError, match=f"answered {status}"):
        list(WebhookTransport(receiver.address, _KEY).deliver(_letters(2)))
    assert receiver.events() == ["e0"]


def test_nobody_there_is_a_delivery_error() -> None:
    with pytest.raises(DeliveryError, match="no answer"):
        list(WebhookTransport("http://127.0.0.1:1/", _KEY).deliver(_letters(1)))


def test_the_systems_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    make_context = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: read.append(1) or make_context())
    transport = WebhookTransport("https://127.0.0.1:1/", _KEY)
    for _ in range(3):
        with pytest.raises(DeliveryError, match="no answer"):
            list(transport.deliver(_letters(1)))
    assert len(read) == 1


def test_the_target_names_no_secret(receiver) -> None:  # noqa: ANN001
    transport = WebhookTransport(receiver.address, _KEY)
    assert transport.target == f"http://127.0.0.1:{receiver.port}/scans"


def test_an_answer_that_is_no_http_is_a_delivery_error(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.delivery.webhook._TIMEOUT_S", 0.2)
    with pytest.raises(DeliveryError, match="timed out"):
        list(WebhookTransport(f"http://127.0.0.1:{silent_port}/", _KEY).deliver(_letters(1)))


@pytest.fixture(scope="module")
def verify() -> Callable[..., bool]:
    """The example of the docs."""
    (code,) = re.findall(r"```python\n(.+?)```", _PAGE, re.DOTALL)
    names: dict[str, Callable[..., bool]] = {}
    exec(code, names)
    return names["verify"]


def test_the_example_of_the_docs_takes_what_is_signed(receiver, verify: Callable[..., bool]) -> None:  # noqa: ANN001
    list(WebhookTransport(receiver.address, _KEY).deliver(_letters(1)))
    (headers, body), *_ = receiver.requests
    assert verify(headers, body, _KEY)
    assert not verify(headers, body + b" ", _KEY)
    assert not verify(headers, body, b"another key of the test's")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("id", "e\udcff"),
        ("timestamp", None),
        ("timestamp", "x"),
        ("timestamp", "\u0661"),
        ("timestamp", "9" * 5000),
        ("timestamp", "1000000000"),
        ("signature", None),
        ("signature", "v1,ü"),
        ("signature", "v1,"),
    ],
)
def test_the_example_of_the_docs_refuses_the_rest(verify: Callable[..., bool], name: str, value: str | None) -> None:
    now = int(time.time())
    headers = {"webhook-id": "e0", "webhook-timestamp": str(now), "webhook-signature": sign(_KEY, "e0", now, b"{}")}
    assert verify(headers, b"{}", _KEY)
    if value is None:
        del headers[f"webhook-{name}"]
    else:
        headers[f"webhook-{name}"] = value
        if name == "timestamp" and value.isascii():
            headers["webhook-signature"] = sign(_KEY, "e0", value, b"{}")  # type: ignore[arg-type]
    assert verify(headers, b"{}", _KEY) is False


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_the_docs_send_a_signed_event_by_hand(receiver, verify: Callable[..., bool]) -> None:  # noqa: ANN001
    (script,) = re.findall(r"```\n(id=.+?)```", _PAGE, re.DOTALL)
    script = script.replace("https://till.example/scans", receiver.address)
    subprocess.run(["sh", "-ec", script], env={**os.environ, "EDGE_WEBHOOK_SECRET": _KEY.decode()}, check=True)
    ((headers, body),) = receiver.requests
    assert verify(headers, body, _KEY)
    assert json.loads(body)["id"] == headers["webhook-id"]
