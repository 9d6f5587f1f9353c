"""Handing things from one thread to another."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """Hands over the latest item of each sender, and every notice.

    A new item takes the place in line of an older one of the same sender that was not taken, which is counted as
    dropped: no sender can keep another one waiting, and memory is bounded.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Hashable, Item] = OrderedDict()

    def put(self, sender: str, item: Item) -> None:
        """Leave an item for the taker; never waits."""
        with self._changed:
            self.dropped += sender in self._waiting
            self._waiting[sender] = item
            self._changed.notify()

    def tell(self, notice: Item) -> None:
        """Leave an item that nothing may replace."""
        with self._changed:
            self._waiting[object()] = notice
            self._changed.notify()

    def take(self, timeout_s: float) -> Item:
        """Wait for an item.

        Raises:
            TimeoutError: None came in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._waiting), timeout_s):
                raise TimeoutError
            return self._waiting.popitem(last=False)[1]
