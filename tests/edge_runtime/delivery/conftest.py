"""A real HTTP receiver and a real MQTT broker, and events to send them."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_runtime.delivery.courier import Complaint, DeliveryError
from edge_runtime.delivery.outbox import Letter
from edge_runtime.events import HealthEvent, HealthKind

# Debian installs it where only root's PATH leads.
_MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


@dataclass
class Receiver:
    """A webhook's other end.

    Attributes:
        port: Where it listens.
        answer: Status that it answers with.
        requests: Headers and bodies, in the order in which they came.
        connections: How many were opened.
    """

    port: int = 0
    answer: int = 204
    requests: list[tuple[Message, bytes]] = field(default_factory=list)
    connections: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/scans?key=hidden"

    def events(self) -> list[str]:
        return [json.loads(body)["id"] for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            state.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # The sender was killed in the middle.
                return
            state.requests.append((self.headers, body))
            self.send_response(state.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Expect senders to be killed in mid-request."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def event() -> Callable[[int], HealthEvent]:
    """Make the event of a number."""
    return lambda number: HealthEvent(f"id-{number}", "run", number, 1.5, HealthKind.SOURCE_LOST, "camera:0", "Gone.")


class Flaky:
    """A transport that fails when told to.

    Attributes:
        delivered: Ids in the order in which they were acknowledged.
        away: No delivery gets through.
        attempts: Times that a delivery was tried.
    """

    target = "flaky"
    contested = False

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.away = False
        self.attempts = 0
        self.closed = False

    def open(self, _complain: Complaint) -> None:
        self.closed = False

    def deliver(self, letters: list[Letter]) -> Iterator[Letter]:
        assert letters, "a connection for nothing"
        for letter in letters:
            self.attempts += 1
            if self.away:
                raise DeliveryError("away")
            self.delivered.append(letter.event)
            yield letter

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so; fail when it takes more than ten seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(1000):
            if condition():
                return
            pause.wait(0.01)
        pytest.fail("waited for ten seconds")

    return wait


@dataclass
class Mosquitto:
    """A broker that can be stopped and started again.

    Attributes:
        folder: Of its configuration and what it keeps.
        settings: Lines of its configuration besides the port.
        port: Where it listens.
    """

    folder: Path
    settings: str = "allow_anonymous true"
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if _MOSQUITTO is None:
            pytest.skip("needs the MQTT broker mosquitto (apt-get install mosquitto)")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self) -> None:
        path = self.folder / "mosquitto.conf"
        # Started as root it would become another user, who may not read the test's folder.
        kept = f"user root\npersistence true\npersistence_location {self.folder}/\n"
        path.write_text(f"listener {self.port} 127.0.0.1\n{self.settings}\n{kept}")
        assert _MOSQUITTO is not None
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([_MOSQUITTO, "-c", str(path)], stderr=log, stdout=log)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                threading.Event().wait(0.02)
            else:
                return
        pytest.fail((self.folder / "mosquitto.log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None


class Subscriber:
    """Gets every message, also those published while its broker was down.

    Attributes:
        messages: Topics, payloads, and whether they were retained, in the order in which they came.
    """

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "subscriber", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port, properties=session, clean_start=False)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def on(self, topic: str) -> list[bytes]:
        """Return the payloads of a topic so far."""
        return [payload for name, payload, _ in self.messages if name == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.messages.append((message.topic, message.payload, message.retain))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that runs; `settings` may be changed before it is started again."""
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def subscribe() -> Iterator[Callable[[int], Subscriber]]:
    """Subscribe to all that comes to the broker at a port."""
    with contextlib.ExitStack() as subscribers:
        yield lambda port: subscribers.enter_context(contextlib.closing(Subscriber(port)))
