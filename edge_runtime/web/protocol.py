"""HTTP connections that nobody can hoard; uvicorn itself waits for ever for a connection's first request."""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS: Final = 64
_REQUEST_S: Final = 10.0


class BoundedProtocol(H11Protocol):
    """Ends a connection that sends no whole request in ten seconds, and the idlest one where there are too many.

    What waits for its visitor makes room for who comes, so that one without the token can neither keep others from
    `/health` nor use up the file descriptors that a camera needs to be opened again.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of the one that is idle the longest where there are too many."""
        super().connection_made(transport)
        self._idle_since_s = self.loop.time()
        self._deadline = self._new_deadline()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; more pieces give no more time."""
        super().data_received(data)
        if not self._lacks_request:
            self._deadline.cancel()
        elif self._deadline.cancelled():
            self._deadline = self._new_deadline()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._idle_since_s = self.loop.time()
        super().on_response_complete()

    def _make_room(self) -> None:
        connections = [connection for connection in self.connections if isinstance(connection, BoundedProtocol)]
        # This one is idle, too, and goes where all others are busy.
        idle = [connection for connection in connections if connection._lacks_request or connection.flow.write_paused]
        idlest = min(idle, key=lambda connection: connection._idle_since_s)
        # Its end comes later, and another one might choose it again until then.
        self.connections.discard(idlest)
        idlest.transport.abort()

    @property
    def _lacks_request(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _new_deadline(self) -> asyncio.TimerHandle:
        return self.loop.call_later(_REQUEST_S, self.transport.abort)
