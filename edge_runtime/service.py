"""Telling systemd how the process is, by the protocol of sd_notify(3)."""

import contextlib
import os


def notify(state: str) -> None:
    """Send a state such as `READY=1`; nothing happens where no service manager listens.

    Args:
        state: One assignment a line.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    import socket

    # An abstract socket is named by a leading @, which stands for a zero byte.
    address = f"\0{address[1:]}" if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), address)
