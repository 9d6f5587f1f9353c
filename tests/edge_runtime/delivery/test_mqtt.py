import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_runtime.delivery.addresses import read_broker
from edge_runtime.delivery.courier import DeliveryError
from edge_runtime.delivery.mqtt import Broker, MqttTransport
from edge_runtime.delivery.outbox import Letter, Outbox
from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.events import HealthEvent, HealthKind


def _letters(count: int) -> list[Letter]:
    return [Letter(n, f"e{n}", json.dumps({"type": "scan", "id": f"e{n}"})) for n in range(count)]


def _ids(payloads: list[bytes]) -> list[str]:
    return [json.loads(payload)["id"] for payload in payloads]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.delivery.mqtt._CONNECT_WAIT_S", 1.0)


@pytest.fixture
def transport(broker) -> Iterator[MqttTransport]:  # noqa: ANN001
    with closing(MqttTransport(_local(broker.port), discovery=True)) as opened:
        opened.open(_never)
        yield opened


def _never(reason: str) -> None:
    pytest.fail(reason)


def _local(port: int, **more: object) -> Broker:
    return Broker(**{"host": "127.0.0.1", "port": port, "tls": False, "prefix": "shop/till 1", **more})


def test_events_arrive_in_order_below_the_prefix(broker, subscribe, transport: MqttTransport, until) -> None:  # noqa: ANN001
    subscriber = subscribe(broker.port)
    letters = _letters(30)
    assert list(transport.deliver(letters[:20])) == letters[:20]
    assert list(transport.deliver(letters[20:])) == letters[20:]
    until(lambda: len(subscriber.on("shop/till 1/scan")) == 30)
    assert _ids(subscriber.on("shop/till 1/scan")) == [letter.event for letter in letters]


def test_the_status_is_online_until_the_transport_is_closed(broker, subscribe, until) -> None:  # noqa: ANN001
    subscriber = subscribe(broker.port)
    transport = MqttTransport(_local(broker.port), discovery=False)
    transport.open(_never)
    until(lambda: subscriber.on("shop/till 1/status") == [b"online"])
    transport.close()
    until(lambda: subscriber.on("shop/till 1/status") == [b"online", b"offline"])


def test_a_lost_connection_loses_no_event(broker, subscribe, transport: MqttTransport, until) -> None:  # noqa: ANN001
    subscriber = subscribe(broker.port)
    letters = _letters(3)
    list(transport.deliver(letters[:1]))
    broker.stop()
    until(lambda: not transport._connected)
    with pytest.raises(DeliveryError, match="no connection"):
        list(transport.deliver(letters[1:]))
    broker.start()
    until(lambda: transport._connected)
    assert list(transport.deliver(letters[1:])) == letters[1:]
    # The broker, too, may send its subscriber an event twice.
    until(lambda: list(dict.fromkeys(_ids(subscriber.on("shop/till 1/scan")))) == ["e0", "e1", "e2"])


def test_the_sink_keeps_events_while_the_broker_is_down(
    broker,  # noqa: ANN001
    subscribe,  # noqa: ANN001
    until,  # noqa: ANN001
    event: Callable[[int], HealthEvent],
    tmp_path: Path,
) -> None:
    subscriber = subscribe(broker.port)
    outbox = Outbox(tmp_path / "outbox.db", 100)
    with OutboxSink(outbox, [MqttTransport(_local(broker.port), discovery=False)]) as sink:
        sink.tell(event(0))
        until(lambda: not outbox.waiting())
        broker.stop()
        for number in range(1, 40):
            sink.tell(event(number))
        broker.start()
        until(lambda: not outbox.waiting())
    until(lambda: len(set(_ids(subscriber.on("shop/till 1/health")))) == 40)


def test_two_processes_under_one_prefix_say_so_once_and_wait_longer_and_longer(
    broker,  # noqa: ANN001
    until,  # noqa: ANN001
    event: Callable[[int], HealthEvent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_runtime.delivery.mqtt._FIRST_RECONNECT_S", 0.1)
    ours, other = (MqttTransport(_local(broker.port), discovery=False) for _ in range(2))
    outbox = Outbox(tmp_path / "outbox.db", 100)
    with OutboxSink(outbox, [ours]) as sink:
        until(lambda: ours._connected)
        with OutboxSink(Outbox(tmp_path / "other.db", 100), [other]) as other_sink:
            until(lambda: ours._reconnect_s >= 0.8)
            sink.tell(event(0))
            until(lambda: not outbox.waiting())
            assert _failures(other_sink) == _failures(sink) == 1
        until(lambda: ours._connected)
        assert sink.take_notices() == []
        monkeypatch.setattr("edge_runtime.delivery.mqtt._CONTESTED_S", 0.0)
        sink.tell(event(1))
        until(lambda: not outbox.waiting())
        until(lambda: [kind for kind, *_ in sink.take_notices()] == [HealthKind.SINK_BACK])


def _failures(sink: OutboxSink) -> int:
    """Return how often the sink has said, of all that it has to say, that its prefix is another's, too."""
    notices = sink.take_notices()
    assert all(kind == HealthKind.SINK_FAILED and "another process is connected" in text for kind, _, text in notices)
    return len(notices)


def test_a_broker_may_say_that_the_connection_is_anothers_now(until, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    monkeypatch.setattr("edge_runtime.delivery.mqtt._FIRST_RECONNECT_S", 0.1)
    complaints: list[str] = []
    times_s: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport = MqttTransport(_local(server.getsockname()[1]), discovery=False)
        with closing(transport):
            transport.open(complaints.append)
            for number in range(1, 5):
                connection, _ = server.accept()
                times_s.append(time.monotonic())
                with connection:
                    connection.recv(1000)
                    # Mosquitto 2.0 just hangs up; MQTT 5 asks for a DISCONNECT with reason 142 after the CONNACK.
                    connection.sendall(bytes([0x20, 3, 0, 0, 0, 0xE0, 1, 142]))
                    until(lambda number=number: transport._ended_soon == number)
    assert len(complaints) == 1
    assert complaints[0].startswith("another process is connected under this prefix")
    assert times_s[3] - times_s[2] > 0.35


def test_after_a_lost_connection_the_first_wait_is_short_again(broker, until) -> None:  # noqa: ANN001
    with closing(MqttTransport(_local(broker.port), discovery=False)) as transport:
        transport._reconnect_s = 60
        transport.open(_never)
        until(lambda: transport._connected)
        broker.stop()
        until(lambda: not transport._connected)
        assert transport._reconnect_s == 1


def test_the_broker_may_ask_for_a_password(broker, until) -> None:  # noqa: ANN001
    passwords = broker.folder / "passwords"
    passwords.touch(mode=0o600)
    _run("mosquitto_passwd", "-b", str(passwords), "till", "right")
    broker.stop()
    broker.settings = f"allow_anonymous false\npassword_file {passwords}"
    broker.start()
    with closing(MqttTransport(_local(broker.port, user="till", password="wrong"), discovery=False)) as refused:
        refused.open(_never)
        with pytest.raises(DeliveryError, match="Not authorized"):
            list(refused.deliver(_letters(1)))
    with closing(MqttTransport(_local(broker.port, user="till", password="right"), discovery=False)) as allowed:
        allowed.open(_never)
        assert len(list(allowed.deliver(_letters(1)))) == 1


def test_an_event_that_the_broker_refuses_is_not_taken_as_delivered(broker) -> None:  # noqa: ANN001
    rights = broker.folder / "rights"
    rights.write_text("topic read #\ntopic write shop/till 1/status\n")
    broker.stop()
    broker.settings = f"allow_anonymous true\nacl_file {rights}"
    broker.start()
    with closing(MqttTransport(_local(broker.port), discovery=False)) as transport:
        transport.open(_never)
        for _ in range(2):
            with pytest.raises(DeliveryError, match=r"refused the event \(Not authorized\)"):
                list(transport.deliver(_letters(1)))


# The library leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_checks_the_certificate(broker, until) -> None:  # noqa: ANN001
    authority = _make_certificates(broker.folder)
    broker.stop()
    broker.settings = f"allow_anonymous true\ncertfile {broker.folder}/broker.pem\nkeyfile {broker.folder}/broker.key"
    broker.start()
    trusting = MqttTransport(_local(broker.port, tls=True, authority=authority), discovery=False)
    with closing(trusting):
        trusting.open(_never)
        assert len(list(trusting.deliver(_letters(1)))) == 1
    distrusting = MqttTransport(_local(broker.port, tls=True), discovery=False)
    with closing(distrusting):
        distrusting.open(_never)
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            list(distrusting.deliver(_letters(1)))


def test_home_assistant_is_told_what_there_is(broker, subscribe, transport: MqttTransport, until) -> None:  # noqa: ANN001
    list(transport.deliver(_letters(1)))
    late = subscribe(broker.port)
    topic = f"homeassistant/device/{_local(0).client_id}/config"
    until(lambda: late.on(topic) != [])
    assert next(retained for name, _, retained in late.messages if name == topic)
    message = json.loads(late.on(topic)[0])
    assert message["availability_topic"] == "shop/till 1/status"
    assert message["device"]["identifiers"] == [_local(0).client_id]
    scan = message["components"]["scan"]
    assert scan["event_types"] == ["appeared", "settled", "left"]
    assert {part["state_topic"] for part in message["components"].values()} == {
        "shop/till 1/scan",
        "shop/till 1/health",
    }
    assert len({part["unique_id"] for part in message["components"].values()}) == 3


def test_addresses_say_where_to_and_as_whom() -> None:
    broker = read_broker("mqtts://till@broker.shop/floor%201/till", "secret", None)
    assert (broker.host, broker.port, broker.tls, broker.prefix) == ("broker.shop", 8883, True, "floor 1/till")
    assert (broker.user, broker.password) == ("till", "secret")
    assert broker.address == "mqtts://broker.shop:8883/floor 1/till"
    assert read_broker("mqtt://broker", "secret", None).password is None


def _make_certificates(folder: Path) -> Path:
    """Write `broker.pem` and `broker.key` for 127.0.0.1; return the certificate as its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout broker.key -out broker.pem -subj /CN=127.0.0.1"
    _run(*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", cwd=folder)
    return folder / "broker.pem"


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
