"""Addresses of network streams: telling them from file names, and showing them."""

import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Tell whether a text names a network stream rather than a file."""
    return _ADDRESS.match(text) is not None


def without_password(address: str) -> str:
    """Hide the password of an address, which would end up in results and logs."""
    parts = urlsplit(address)
    credentials, at, host = parts.netloc.rpartition("@")
    if not at or ":" not in credentials:
        return address
    user = credentials.partition(":")[0]
    return parts._replace(netloc=f"{user}:***@{host}").geturl()
