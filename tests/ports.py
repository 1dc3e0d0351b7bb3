"""Ports for the servers that tests start."""

import random
import socket
from contextlib import suppress

# Each once, in an order of this run's own.
_PORTS = iter(random.sample(range(20_000, 32_000), 12_000))


def free_port() -> int:
    """None of those that the system gives to clients: one of them might have it before the hub does."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
