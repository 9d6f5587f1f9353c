"""The command-line options that say where events are delivered to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from edge_runtime.credentials import read_secret, require_secret
from edge_runtime.delivery.addresses import read_address, read_broker
from edge_runtime.extras import require_extra
from edge_runtime.option_group import option_group

if TYPE_CHECKING:
    from edge_runtime.delivery.courier import Transport
    from edge_runtime.delivery.sink import OutboxSink

WEBHOOK_SECRET: Final = "EDGE_WEBHOOK_SECRET"
MQTT_PASSWORD: Final = "EDGE_MQTT_PASSWORD"
_LEAST_KEY_BYTES: Final = 16

delivery_options = option_group(
    click.option(
        "--webhook",
        "webhooks",
        multiple=True,
        envvar="EDGE_WEBHOOK",
        metavar="URL",
        help=f"Post each event to this address, signed with the secret in {WEBHOOK_SECRET}; may be repeated.",
    ),
    click.option(
        "--webhook-secret-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"Read the webhook's secret from a file instead of {WEBHOOK_SECRET}.",
    ),
    click.option(
        "--mqtt",
        "brokers",
        multiple=True,
        envvar="EDGE_MQTT",
        metavar="mqtt[s]://[USER@]HOST[:PORT][/PREFIX]",
        help=f"Publish each event at this MQTT 5 broker; a user's password is in {MQTT_PASSWORD}.  "
        "[default prefix: edge-garment/HOSTNAME]",
    ),
    click.option(
        "--mqtt-password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"Read the password from a file instead of {MQTT_PASSWORD}.",
    ),
    click.option(
        "--mqtt-ca",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Certificate of the authority that signed the broker's.  [default: the system's authorities]",
    ),
    click.option("--mqtt-discovery", is_flag=True, help="Announce this device to Home Assistant by MQTT."),
    click.option(
        "--outbox",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Keep events here until they are delivered.  [default: edge-garment/outbox.db in the user's state folder]",
    ),
    click.option(
        "--outbox-limit",
        type=click.IntRange(1),
        default=100_000,
        show_default=True,
        metavar="N",
        help="Events to keep for each receiver that is away; then the oldest are dropped.",
    ),
)


def wants_delivery(arguments: dict[str, Any]) -> bool:
    """Tell whether a command's arguments name any receiver of events."""
    return bool(arguments["webhooks"] or arguments["brokers"])


def open_transports(arguments: dict[str, Any]) -> "list[Transport]":
    """Return the ways to all receivers that a command's arguments name; nothing is sent yet.

    Raises:
        click.UsageError: An address or a secret is missing or wrong.
    """
    password = read_secret(MQTT_PASSWORD, arguments["mqtt_password_file"], "--mqtt-password-file")
    transports = [_webhook(address, arguments["webhook_secret_file"]) for address in arguments["webhooks"]]
    transports += [_mqtt(address, password, arguments) for address in arguments["brokers"]]
    targets = [transport.target for transport in transports]
    if len(set(targets)) < len(targets):
        raise click.UsageError("A receiver of events is given twice; give each once.")
    return transports


def open_outbox_sink(arguments: dict[str, Any]) -> "OutboxSink":
    """Open the outbox that a command's arguments name, with the ways to all receivers.

    Raises:
        OutputError: It cannot be opened.
    """
    from edge_runtime.delivery.outbox import Outbox
    from edge_runtime.delivery.sink import OutboxSink

    transports = open_transports(arguments)
    return OutboxSink(Outbox(arguments["outbox"] or _default_path(), arguments["outbox_limit"]), transports)


@contextmanager
def waiting_told(sink: "OutboxSink") -> Iterator[None]:
    """Say before and after a run how many events wait."""
    _tell_waiting(sink, "are sent now")
    try:
        yield
    finally:
        _tell_waiting(sink, "are sent by the next run")


def _tell_waiting(sink: "OutboxSink", sent: str) -> None:
    for target, count in sink.outbox.waiting().items():
        known = any(courier.target == target for courier in sink.couriers)
        then = f"{sent}, as soon as it takes them" if known else "are kept for a run that sends to it"
        click.echo(f"{sink.outbox.path}: {count} events wait for {target} and {then}.", err=True)


def _webhook(address: str, file: Path | None) -> "Transport":
    from edge_runtime.delivery.webhook import WebhookTransport, signing_key

    url = read_address("--webhook", address, ("https", "http"))
    if url.username is not None:
        raise click.UsageError("--webhook takes no user in its address; requests are signed instead.")
    secret = require_secret(WEBHOOK_SECRET, file, "--webhook-secret-file", "--webhook")
    try:
        key = signing_key(secret)
    except ValueError as error:
        raise click.UsageError("The webhook's secret begins with whsec_ but goes on with no base64.") from error
    if len(key) < _LEAST_KEY_BYTES:
        raise click.UsageError(f"The webhook's secret is shorter than {_LEAST_KEY_BYTES} bytes; make a longer one.")
    return WebhookTransport(address, key)


def _mqtt(address: str, password: str | None, arguments: dict[str, Any]) -> "Transport":
    require_extra("--mqtt", "mqtt", "paho")
    from edge_runtime.delivery.mqtt import MqttTransport

    authority = arguments["mqtt_ca"]
    broker = read_broker(address, password, authority)
    try:
        return MqttTransport(broker, discovery=arguments["mqtt_discovery"])
    except OSError as error:
        raise click.UsageError(f"--mqtt-ca {authority} is no certificate in PEM format ({error}).") from error


def _default_path() -> Path:
    # Under systemd, the first of the folders of StateDirectory=.
    if service := os.environ.get("STATE_DIRECTORY"):
        return Path(service.partition(":")[0]) / "outbox.db"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "edge-garment" / "outbox.db"
