"""Reading the addresses of receivers as users type them."""

import socket
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

import click

from edge_runtime.addresses import is_utf8

if TYPE_CHECKING:
    from edge_runtime.delivery.mqtt import Broker

# Wildcards of MQTT, and what begins a part of an address that a topic does not have.
_WILDCARDS = frozenset("+#?\0")


def read_address(option: str, text: str, schemes: Collection[str]) -> SplitResult:
    """Return the parts of an address.

    Args:
        option: Names it in messages.
        text: What the user typed.
        schemes: Of which the address has one.

    Raises:
        click.UsageError: It is no address of these schemes, or has a password in it.
    """
    try:
        url = urlsplit(text)
        usable = url.scheme in schemes and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or any(sign <= " " for sign in text) or not is_utf8(text):
        raise click.UsageError(f"{option} {text!r} is no address that begins with {' or '.join(schemes)}://.")
    if url.password is not None:
        raise click.UsageError(f"{option} takes no password in its address, where others would see it; see --help.")
    return url


def read_broker(text: str, password: str | None, authority: Path | None) -> "Broker":
    """Return the broker that `mqtt[s]://[USER@]HOST[:PORT][/PREFIX]` stands for.

    Args:
        text: What the user typed; the prefix is `edge-garment/` and the host's name when there is none.
        password: Used when the address names a user.
        authority: PEM file of the authority that signed the broker's certificate.

    Raises:
        click.UsageError: It is no such address.
    """
    from edge_runtime.delivery.mqtt import Broker

    url = read_address("--mqtt", text, ("mqtt", "mqtts"))
    prefix = unquote(url.path.strip("/")) or f"edge-garment/{socket.gethostname()}"
    if _WILDCARDS & set(text + prefix):
        raise click.UsageError(f"--mqtt {text!r} has a ?, # or + in it, which no topic of events has; leave it out.")
    assert url.hostname is not None
    tls = url.scheme == "mqtts"
    user = unquote(url.username) if url.username else None
    port = url.port or (8883 if tls else 1883)
    return Broker(url.hostname, port, tls, prefix, user, password if user else None, authority)
