"""Addresses of network streams: telling them from file names, and showing them."""

import re

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# By patterns rather than by parts, so that an address that nobody could take apart hides its password, too.
_PASSWORD = re.compile(
    r"(://[^/?#:]*:)(?!.*#.*@)[^/?#]*(?=@[^/?#])"
    # A password that nobody has escaped: what follows the name is no port, and an `@` comes later.
    r"|(://[^/?#:\[]*:)(?!\d{1,5}(?:[/?]|$))(?P<unescaped>.*)(?=@)"
)
_NAME = re.compile(r"[^/?#]*@")
_ENDING = re.compile(r"[/?#]")
_KEY = r"(?:pas|pwd|ps?w(?==)|secret|token|key|auth|credential|sig(?:nature)?(?==))"
_SECRET = re.compile(rf"([?&;][^?&;=#]*{_KEY}[^?&;=#]*=)[^&;#]+", re.IGNORECASE)
# As in `/user=me_password=secret_channel=1` or `/token=secret/channel`; the channel may be all that tells two apart.
_SECRET_IN_PATH = re.compile(
    rf"((?:(?P<segment>/)|_)[^/_?&;=#]*{_KEY}[^/_?&;=#]*=)[^&;#]*?"
    r"(?=[/_?][a-z][a-z0-9]*=[^=/_]|[&;#]|$|(?(segment)/|$))",
    re.IGNORECASE,
)
_HIDDEN = "***"


def is_address(text: str) -> bool:
    """Tell whether a text names a network stream rather than a file."""
    return _ADDRESS.match(text) is not None


def has_name(address: str) -> bool:
    """Tell whether an address has a user name before its host."""
    return _NAME.match(address.partition("://")[2]) is not None


def breaks_in_password(address: str) -> bool:
    """Tell whether an address's password has a character unescaped that ends the name of a host."""
    # At its own beginning alone: its query may hold another address.
    match = _PASSWORD.match(address, address.find("://"))
    return match is not None and _ENDING.search(match["unescaped"] or "") is not None


def is_utf8(text: str) -> bool:
    """Tell whether a text is free of bytes that are no UTF-8, which Python keeps as lone surrogates.

    OpenCV ends the process with SIGSEGV at an address or device file of such a name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_password(address: str) -> str:
    """Hide the passwords of an address, before its host, in its path and in its query.

    They would end up in results and logs. What is no address stays as it is.
    """
    if not is_address(address):
        return address
    address = _PASSWORD.sub(rf"\g<1>\g<2>{_HIDDEN}", address)
    return _SECRET_IN_PATH.sub(rf"\g<1>{_HIDDEN}", _SECRET.sub(rf"\g<1>{_HIDDEN}", address))
