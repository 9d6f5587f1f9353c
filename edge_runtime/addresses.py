"""Addresses of network streams: telling them from file names, and showing them."""

import re

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# By patterns rather than by parts, so that an address that nobody could take apart hides its password, too.
_PASSWORD = re.compile(r"^([^/?#]*://[^/?#:]*:)[^/?#]*(?=@)")
_SECRET = re.compile(r"([?&;][^?&;=#]*(?:pass|pwd|secret|token|key|auth)[^?&;=#]*=)[^&;#]+", re.IGNORECASE)
_HIDDEN = "***"


def is_address(text: str) -> bool:
    """Tell whether a text names a network stream rather than a file."""
    return _ADDRESS.match(text) is not None


def without_password(address: str) -> str:
    """Hide the passwords of an address, before its host and in its query; they would end up in results and logs."""
    return _SECRET.sub(rf"\g<1>{_HIDDEN}", _PASSWORD.sub(rf"\g<1>{_HIDDEN}", address))
