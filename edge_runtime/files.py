"""Writing files so that nobody ever meets half of one."""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_runtime.errors import OutputError

_LONGEST_STEM_BYTES: Final = 60


@contextlib.contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn what the operating system says against writing `path` into a sentence.

    Raises:
        OutputError: The block has met an `OSError`.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{path} cannot be written ({reason}); choose another place or free some space."
        raise OutputError(message) from error


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to, and put it in place when the block ends well.

    The suffix stays, since writers choose the format by it. Missing parent folders are made.

    Args:
        path: The file to be.
        durable: Whether it has to be whole after a power cut, too; takes milliseconds.

    Raises:
        OutputError: The file cannot be written: no space, no permission, not a folder.
    """
    stem = shortened(path.stem, _LONGEST_STEM_BYTES)
    aside = path.with_name(f".{stem}.{os.getpid()}.part{path.suffix}")
    try:
        with explaining(path):
            _refuse_device(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            yield aside
            if durable:
                _flush(aside)
            aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _refuse_device(path: Path) -> None:
    """Refuse what is there and no file: a device would become one, for whoever may replace it."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")


def check_writable(path: Path) -> None:
    """Fail before long work rather than after it; all files and folders stay as they are.

    Raises:
        OutputError: The file could not be written.
    """
    with explaining(path):
        _refuse_device(path)
        missing = [folder for folder in path.parents if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Of a name that no file has.
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix="."):
                pass
        finally:
            for folder in missing:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def check_fresh(folder: Path, content: str) -> None:
    """Refuse a folder that has something in it.

    Args:
        folder: To be written to.
        content: What is written there, in the plural.

    Raises:
        OutputError: It has, it is a file, or it cannot be looked into.
    """
    with explaining(folder):
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if taken:
        raise OutputError(f"{folder} is there already; name a new folder, so that {content} do not mix.")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in place of `path`, whole or not at all.

    Raises:
        OutputError: The file cannot be written, or the text holds a file's name that is no UTF-8.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        name = next(part for part in re.split(r"[,\"\n]", text) if text[error.start] in part)
        raise OutputError(f"{path} cannot hold {name!a}, which is no UTF-8; rename the file of that name.") from error
    write_bytes(path, content)


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write bytes in place of `path`, whole or not at all; arguments as for `replacing`.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path, durable=durable) as aside:
        aside.write_bytes(content)


def _flush(path: Path) -> None:
    """Have the disk itself hold a file, which a new name may otherwise reach before what is in it."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def shortened(name: str, most_bytes: int) -> str:
    """Return a file's name, or its first characters and a hash, to add to what may be as long as names can be.

    Args:
        name: Without folders; may hold bytes that are no UTF-8.
        most_bytes: Of the name returned, more than ten.
    """
    encoded = os.fsencode(name)
    if len(encoded) <= most_bytes:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    return f"{encoded[: most_bytes - 9].decode(errors='ignore')}-{digest}"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
