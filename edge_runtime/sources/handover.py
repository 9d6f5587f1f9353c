"""Handing the latest of something from one thread to another."""

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """A place for one item: a new one replaces one that was not taken, which is counted as dropped."""

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._error: Exception | None = None

    def put(self, item: Item) -> None:
        """Leave an item for the taker; never waits."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def end(self, error: Exception) -> None:
        """Say that no more items come; only the first reason given counts."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify()

    def take(self, timeout_s: float) -> Item:
        """Wait for an item.

        Raises:
            TimeoutError: None came in time.
            Exception: The reason given to `end`, once the last item is taken.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._item is not None or self._error is not None, timeout_s):
                raise TimeoutError
            item, self._item = self._item, None
            if item is not None:
                return item
            assert self._error is not None
            raise self._error
