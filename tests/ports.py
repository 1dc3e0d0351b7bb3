"""Ports for the servers that tests start."""

import os
import random
import socket
from contextlib import suppress

# Those of this worker: between a look at a port and its use there is a while.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OWN = range(20_000 + _WORKER, 32_000, _WORKERS)
# Each once, in an order of this run's own.
_PORTS = iter(random.sample(_OWN, len(_OWN)))


def free_port() -> int:
    """None of those that the system gives to clients: one of them might have it before the hub does."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
