"""Events to an MQTT 5 broker, at least once (QoS 1).

Topics, below the prefix that the user gave: `scan` and `health` carry events, `status` is a retained `online` or
`offline`, which the broker itself sets when this process is gone (last will).
"""

import hashlib
import json
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_runtime.delivery.courier import Complaint, DeliveryError, Transport
from edge_runtime.delivery.discovery import DISCOVERY_TOPIC, discovery_message
from edge_runtime.delivery.outbox import Letter

_KEEPALIVE_S: Final = 30
_CONNECT_WAIT_S: Final = 5.0
_ACKNOWLEDGE_WAIT_S: Final = 15.0
_FIRST_RECONNECT_S: Final = 1
_LONGEST_RECONNECT_S: Final = 60
# Longer than both of two processes wait, each to its longest, before they take the connection from each other again.
_CONTESTED_S: Final = 3.0 * _LONGEST_RECONNECT_S
# Why the broker ended a connection: another client has the same name. Mosquitto 2.0 gives no reason.
_TAKEN_OVER: Final = 142
_UNSPECIFIED: Final = 128
_MOST_ENDED_SOON: Final = 2
_CONTEST: Final = (
    "another process is connected under this prefix (give each its own, for example --mqtt mqtt://HOST/shop/till-2)"
)
_QOS: Final = 1


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and as whom to connect.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: Encrypt, and check the broker's certificate.
        prefix: Of all topics; each device has its own.
        user: None connects without a name.
        password: None for no password.
        authority: PEM file of the authority that signed the broker's certificate; None takes the system's.
    """

    host: str
    port: int
    tls: bool
    prefix: str
    user: str | None = None
    password: str | None = None
    authority: Path | None = None

    @property
    def address(self) -> str:
        """The broker and prefix as an address, without user and password."""
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}/{self.prefix}"

    @property
    def client_id(self) -> str:
        """Always the same for a prefix, so that a broker knows a device that comes back; 23 letters, which all take."""
        return f"edge-garment-{hashlib.sha256(self.prefix.encode()).hexdigest()[:10]}"


class MqttTransport(Transport):
    """Stays connected, so that `status` is right, and publishes letters in order.

    The connection is the MQTT library's affair: it connects again by itself, and sends again what was not acknowledged.
    Two processes under one prefix take the connection from each other, with longer and longer waits.
    """

    def __init__(self, broker: Broker, *, discovery: bool) -> None:
        """Prepare; `open` begins to connect.

        Args:
            broker: Where to.
            discovery: Announce the device to Home Assistant at each connection.

        Raises:
            OSError: The authority's file cannot be read or is no certificate.
        """
        self.target = broker.address
        self._broker = broker
        self._discovery = discovery
        self._changed = threading.Condition()
        self._connected = self._closing = False
        self._reason = "no answer"
        self._connected_s = self._contested_s = -math.inf
        # Connections in a row that the broker ended before long.
        self._ended_soon = 0
        self._reconnect_s = _FIRST_RECONNECT_S
        # Letters that the library has, by their number: the message that carries each.
        self._sent: dict[int, int] = {}
        self._answers: dict[int, ReasonCode] = {}
        self._client = self._make_client()

    @property
    def contested(self) -> bool:
        """Whether another process under this prefix took the connection of late."""
        return _is_recent(self._contested_s)

    def open(self, complain: Complaint) -> None:
        """Begin to connect, in the library's thread.

        Args:
            complain: Told of another process under this prefix.
        """
        self._complain = complain
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE_S)
        self._client.loop_start()

    def deliver(self, letters: Sequence[Letter]) -> Iterator[Letter]:
        """Publish letters all at once, and yield each in order when the broker has acknowledged it.

        Raises:
            DeliveryError: No connection, no acknowledgement in time, or the broker refuses.
        """
        self._wait_for_connection()
        self._forget_all_but(letters)
        for letter in letters:
            if letter.number not in self._sent:
                self._sent[letter.number] = self._publish(self._topic(letter), letter.body)
        for letter in letters:
            answer = self._wait_for_answer(self._sent[letter.number])
            del self._sent[letter.number]
            if answer.is_failure:
                raise DeliveryError(f"the broker refused the event ({answer})")
            yield letter

    def close(self) -> None:
        """Disconnect; the broker sets `status` to `offline`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        self._client.loop_stop()

    def _make_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, self._broker.client_id, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.reconnect_delay_set(_FIRST_RECONNECT_S, _LONGEST_RECONNECT_S)
        client.username_pw_set(self._broker.user, self._broker.password)
        client.will_set(self._status_topic, "offline", _QOS, retain=True)
        if self._broker.tls:
            client.tls_set(str(self._broker.authority) if self._broker.authority else None)
        return client

    @property
    def _status_topic(self) -> str:
        return f"{self._broker.prefix}/status"

    def _topic(self, letter: Letter) -> str:
        return f"{self._broker.prefix}/{json.loads(letter.body)['type']}"

    def _publish(self, topic: str, body: str, *, retain: bool = False) -> int:
        info = self._client.publish(topic, body, _QOS, retain)
        # Without a connection the library keeps the message; all else is a fault.
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise DeliveryError(f"the event cannot be published ({info.rc.name})")
        return info.mid

    def _forget_all_but(self, letters: Sequence[Letter]) -> None:
        numbers = {letter.number for letter in letters}
        self._sent = {number: message for number, message in self._sent.items() if number in numbers}
        awaited = set(self._sent.values())
        with self._changed:
            self._answers = {message: answer for message, answer in self._answers.items() if message in awaited}

    def _wait_for_connection(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._closing, _CONNECT_WAIT_S)
            if not self._connected:
                raise DeliveryError(f"no connection ({self._reason})")

    def _wait_for_answer(self, message: int) -> ReasonCode:
        with self._changed:
            self._changed.wait_for(lambda: message in self._answers or self._closing, _ACKNOWLEDGE_WAIT_S)
            if message not in self._answers:
                raise DeliveryError("no acknowledgement" if self._connected else f"connection lost ({self._reason})")
            return self._answers.pop(message)

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if not reason.is_failure:
            self._publish(self._status_topic, "online", retain=True)
            if self._discovery:
                topic = DISCOVERY_TOPIC.format(self._broker.client_id)
                self._publish(topic, discovery_message(self._broker.client_id, self._broker.prefix), retain=True)
            self._connected_s = time.monotonic()
        self._note(str(reason), connected=not reason.is_failure)

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        # A broker that is away ends connections, too.
        self._ended_soon = 0
        # The library does not say why.
        trust = ", or its certificate is not trusted" if self._broker.tls else ""
        self._note(f"the broker cannot be reached{trust}", connected=False)

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        # After a refusal, `_on_connect` has noted the better reason.
        if not self._connected:
            return
        self._note(str(reason), connected=False)
        ended_soon = reason.value in (_TAKEN_OVER, _UNSPECIFIED) and _is_recent(self._connected_s)
        self._ended_soon = self._ended_soon + 1 if ended_soon else 0
        self._set_reconnect_wait()
        if reason.value == _TAKEN_OVER:
            self._note_contest(_CONTEST)
        elif self._ended_soon > _MOST_ENDED_SOON:
            self._note_contest(f"the broker soon ends each connection; perhaps {_CONTEST}")

    def _set_reconnect_wait(self) -> None:
        # The library's own waits begin anew with each connection, also with one that does not last.
        wait_s = 2 * self._reconnect_s if self._ended_soon > 1 else _FIRST_RECONNECT_S
        self._reconnect_s = min(wait_s, _LONGEST_RECONNECT_S)
        self._client.reconnect_delay_set(self._reconnect_s, _LONGEST_RECONNECT_S)

    def _note_contest(self, reason: str) -> None:
        known, self._contested_s = self.contested, time.monotonic()
        if not known:
            self._complain(reason)

    def _on_publish(
        self, _client: Client, _data: Any, message: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        with self._changed:
            self._answers[message] = reason
            self._changed.notify_all()

    def _note(self, reason: str, *, connected: bool) -> None:
        with self._changed:
            self._reason, self._connected = reason, connected
            self._changed.notify_all()


def _is_recent(moment_s: float) -> bool:
    return time.monotonic() - moment_s < _CONTESTED_S
