"""What a receiver got when the sending process was killed at random points."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

_CHILD: Final = """
import sys
from pathlib import Path
from edge_runtime.delivery.addresses import read_broker
from edge_runtime.delivery.mqtt import MqttTransport
from edge_runtime.delivery.outbox import Outbox
from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.delivery.webhook import WebhookTransport
from edge_runtime.events import EventHub, HealthKind

path, address = sys.argv[1:]
if address.startswith("mqtt"):
    transport = MqttTransport(read_broker(address, None, None), discovery=False)
else:
    transport = WebhookTransport(address, b"key")
hub = EventHub()
with OutboxSink(Outbox(Path(path), 1000), [transport]) as sink:
    hub.listen(sink.tell)
    # Once it is told, an event may not be lost any more.
    hub.listen(lambda event: print(event.id, flush=True))
    for _ in sys.stdin:
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "Gone.")
"""
_EVENTS: Final = 200


class _Till:
    """A process that sends events, and is killed in the middle of it.

    Attributes:
        kept: Ids of the events that its outbox had taken.
    """

    def __init__(self, outbox: Path, address: str) -> None:
        self.kept: list[str] = []
        self._command = [sys.executable, "-c", _CHILD, str(outbox), address]

    def run_and_kill(self, after: int) -> None:
        """Have it make many events, and kill it when so many are kept."""
        with subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("go\n" * _EVENTS)
            child.stdin.flush()
            self.kept += [child.stdout.readline().strip() for _ in range(after)]
            child.kill()
            self.kept += child.stdout.read().split("\n")[:-1]
        assert child.returncode == -signal.SIGKILL

    def run(self) -> None:
        """Let it deliver what waits."""
        subprocess.run(self._command, stdin=subprocess.DEVNULL, check=True, timeout=60)


def test_a_webhook_gets_every_event_and_knows_those_sent_twice(receiver, tmp_path: Path) -> None:  # noqa: ANN001
    chance = random.Random(20261121)
    till = _Till(tmp_path / "outbox.db", receiver.address)
    for number in range(5):
        # In some rounds the receiver refuses, so that the next process finds a backlog.
        receiver.answer = 503 if number % 3 == 1 else 204
        till.run_and_kill(chance.randint(1, 60))
    receiver.answer = 204
    till.run()
    assert len(till.kept) > 50
    assert set(till.kept) <= set(receiver.events())
    bodies: dict[str, bytes] = {}
    for headers, body in receiver.requests:
        assert bodies.setdefault(headers["webhook-id"], body) == body


def test_a_subscriber_gets_every_event_though_the_broker_goes_down_too(
    broker,  # noqa: ANN001
    subscribe,  # noqa: ANN001
    until,  # noqa: ANN001
    tmp_path: Path,
) -> None:
    chance = random.Random(20261122)
    subscriber = subscribe(broker.port)
    till = _Till(tmp_path / "outbox.db", f"mqtt://127.0.0.1:{broker.port}/till")
    for number in range(5):
        if number == 2:
            broker.stop()
        elif number == 3:
            broker.start()
        till.run_and_kill(chance.randint(1, 60))
    till.run()
    assert len(till.kept) > 50
    until(lambda: set(till.kept) <= {json.loads(payload)["id"] for payload in subscriber.on("till/health")})
    assert subscriber.on("till/status")[-1] == b"offline"
