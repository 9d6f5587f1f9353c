"""The thread that brings the letters of one target to it, for as long as that takes."""

import random
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from edge_runtime.delivery.outbox import Letter, Outbox
from edge_runtime.events import HealthKind

_BATCH: Final = 20
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0

Notice = Callable[[HealthKind, str], None]
"""Takes what happened to a receiver, and one sentence about it."""
Complaint = Callable[[str], None]
"""Takes why a receiver takes nothing, from any thread."""


class DeliveryError(Exception):
    """A receiver cannot be reached or takes nothing; the delivery is tried again, and nothing ends by it."""


class Transport(Protocol):
    """A way to one receiver; used by its courier's thread, except `close`.

    Attributes:
        target: Names the receiver in the outbox and in messages; without secrets.
    """

    target: str

    @property
    def contested(self) -> bool:
        """Whether another process keeps taking the receiver away: a delivery does not mean that it is back."""
        return False

    def open(self, complain: Complaint) -> None:
        """Prepare; the receiver need not be there.

        Args:
            complain: Told what is wrong also when there is nothing to deliver.
        """
        return

    @abstractmethod
    def deliver(self, letters: Sequence[Letter]) -> Iterator[Letter]:
        """Send letters in order, and yield each when the receiver has acknowledged it.

        Args:
            letters: At least one.

        Raises:
            DeliveryError: The receiver is not there or refuses.
        """

    def close(self) -> None:
        """Let go of the receiver; ends a delivery that waits for it."""
        return


class Courier:
    """Delivers the letters of an outbox to one target, oldest first, again and again until each is acknowledged.

    A letter may arrive twice, with the same event id: when the process ends between the receiver's acknowledgement
    and its note in the outbox.

    Attributes:
        delivered: Letters acknowledged so far.
        failures: Deliveries that failed so far.
        failing: The latest delivery failed.
    """

    def __init__(self, outbox: Outbox, transport: Transport, notice: Notice) -> None:
        """Prepare; the thread starts with `start`.

        Args:
            outbox: Where the letters are.
            transport: Opened and closed here.
            notice: Told when deliveries begin to fail and when they work again.
        """
        self.target = transport.target
        self.delivered = self.failures = 0
        self.failing = False
        self._outbox = outbox
        self._transport = transport
        self._notice = notice
        self._told = False
        self._news = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"courier {self.target}", daemon=True)

    def start(self) -> None:
        """Begin with what waits from earlier."""
        self._transport.open(self._complain)
        self._thread.start()

    def wake(self) -> None:
        """Say that there are new letters; never waits."""
        self._news.set()

    def end(self) -> None:
        """Ask the thread to end as soon as nothing waits, or the receiver is away; never waits."""
        self._ending.set()
        self._news.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, and break off a delivery that takes longer."""
        self._thread.join(timeout_s)
        self._transport.close()
        self._thread.join(1.0)

    def _work(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            self._news.clear()
            try:
                idle = self._deliver()
            except Exception as error:
                # Whatever it is, a thread that ended would lose the way to the receiver for good.
                self._note_failure(error)
                if self._ending.wait(wait_s * random.uniform(0.5, 1.0)):
                    return
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                continue
            wait_s = _FIRST_WAIT_S
            if idle:
                if self._ending.is_set():
                    return
                self._news.wait()

    def _deliver(self) -> bool:
        """Deliver the oldest letters; return whether there were none."""
        letters = self._outbox.take(self.target, _BATCH)
        if not letters:
            return True
        for letter in self._transport.deliver(letters):
            self._outbox.remove(self.target, letter)
            self.delivered += 1
            self._note_success()
        return False

    def _note_failure(self, error: Exception) -> None:
        self.failures += 1
        self.failing = True
        if not self._told:
            self._complain(str(error) or type(error).__name__)

    def _complain(self, reason: str) -> None:
        self._told = True
        self._notice(HealthKind.SINK_FAILED, f"{self.target}: {reason}; events are kept and sent later.")

    def _note_success(self) -> None:
        self.failing = False
        if self._told and not self._transport.contested:
            self._told = False
            self._notice(HealthKind.SINK_BACK, f"{self.target} takes events again.")
