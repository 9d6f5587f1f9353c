"""Lines of text in a file that never grows beyond a size."""

import errno
import os
from pathlib import Path
from typing import BinaryIO, Final

from edge_runtime.errors import OutputError

_KEPT: Final = 5
_LONGEST_LINE: Final = 2**20
_FIRST_BYTE: Final = b"{"


class RotatingFile:
    """Appends whole lines to a file; a full one becomes `NAME.1`, that one `NAME.2`, and so on up to `NAME.5`.

    Where somebody moves or removes the file, a new one takes its place.

    Attributes:
        path: The file that is being written.
        encoding: Of the lines.
    """

    encoding: Final = "utf-8"

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Open the file, or make it with its folders; half a line that a power cut left at its end is cut off.

        Args:
            path: The file.
            most_bytes: Size that the file does not exceed, unless one line does.

        Raises:
            OutputError: It cannot be written, or is something else than lines of JSON objects.
        """
        self.path = path
        self._most_bytes = most_bytes
        try:
            self._file = self._open()
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error

    def write(self, line: str, /) -> int:
        """Append a line, whole or not at all; errors are the operating system's."""
        data = line.encode()
        if self._file.closed or self._is_elsewhere():
            self._reopen()
        size = self._size()
        if size and size + len(data) > self._most_bytes:
            self._rotate()
            size = self._size()
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        except OSError:
            self._file.truncate(size)
            raise
        return len(line)

    def flush(self) -> None:
        """Return at once: every line is written as it comes."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> BinaryIO:
        if self.path.exists() and not self.path.is_file():
            raise OutputError(f"{self.path} is no file that can be cut and renamed; choose another place.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("ab+", buffering=0)
        file.seek(0)
        if file.read(1) not in (b"", _FIRST_BYTE):
            file.close()
            raise OutputError(f"{self.path} holds something else than lines of JSON; choose another file.")
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(end - _LONGEST_LINE, 0))
        file.truncate(start + file.read().rfind(b"\n") + 1)
        return file

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _is_elsewhere(self) -> bool:
        """Tell whether the open file has no longer its name, since somebody moved or removed it."""
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True

    def _reopen(self) -> None:
        file = self._open()
        self._file.close()
        self._file = file

    def _rotate(self) -> None:
        # Only up to a gap: a rotation that failed may have left one, and its next try must push out no older file.
        free = next((number for number in range(1, _KEPT) if not self._numbered(number).exists()), _KEPT)
        for number in range(free - 1, 0, -1):
            self._numbered(number).replace(self._numbered(number + 1))
        # Windows renames no file that is open.
        self._file.close()
        try:
            self.path.replace(self._numbered(1))
        finally:
            self._file = self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
