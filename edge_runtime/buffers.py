"""Bytes as they are handed to the library."""

from typing import Any


def as_bytes(content: Any, what: str, advice: str) -> bytes:
    """Return the bytes of what holds some, such as `bytearray`, `memoryview` or `mmap`; those of `bytes` uncopied.

    Args:
        content: What was given.
        what: Names it in the error.
        advice: What gives bytes, said where it is something else.

    Raises:
        TypeError: It holds no bytes.
    """
    if isinstance(content, bytes):
        return content
    try:
        # Of a number, bytes() would make so many zeros.
        return bytes(memoryview(content))
    except TypeError as error:
        raise TypeError(f"{what} must be given as bytes, not {type(content).__name__}; {advice}") from error
