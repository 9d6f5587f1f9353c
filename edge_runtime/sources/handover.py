"""Handing things from one thread to another."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """Hands over the latest item of each sender, and every notice.

    A new item takes the place in line of an older one of the same sender that was not taken, which is counted as
    dropped: no sender can keep another one waiting, and memory is bounded. It overtakes no notice of its sender: behind
    one it begins a place of its own.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Hashable, Item] = OrderedDict()
        self._notices = Counter[str]()

    def put(self, sender: str, item: Item) -> None:
        """Leave an item for the taker; never waits."""
        with self._changed:
            place = (sender, self._notices[sender])
            self.dropped += place in self._waiting
            self._waiting[place] = item
            self._changed.notify()

    def tell(self, sender: str, notice: Item) -> None:
        """Leave an item that nothing may replace."""
        with self._changed:
            self._notices[sender] += 1
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
