"""Telling this machine's own names from others."""

import ipaddress


def is_local(host: str) -> bool:
    """Tell whether a name or address, without brackets, is this machine's own and reached from nowhere else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
