"""`smshub dispatcher` with a provider in its own process, which answers after a while and notes when texts left.

The environment says where the moments go: DEPARTURES is a file, of pairs of eight bytes each: the sender's number and
the moment in nanoseconds of the machine's monotonic clock, which all its processes share.
"""

import array
import asyncio
import os
import sys
import time
from pathlib import Path

from dependency_injector import providers

from adapters.providers.sandbox.provider import SandboxProvider
from domain.model.send_outcome import Accepted, SendOutcome
from domain.ports.sms_provider import Departure, OutgoingText
from entrypoints.cli import main as smshub
from entrypoints.container import Container


class NotingProvider(SandboxProvider):
    def __init__(self, *, answers_after_s: float) -> None:
        self.departures = array.array("q")
        self._answers_after_s = answers_after_s

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        await departure()
        self.departures.extend((int(text.sender.value.lstrip("+")), time.monotonic_ns()))
        await asyncio.sleep(self._answers_after_s)
        return Accepted(f"noted-{text.delivery_id}")


def main() -> None:
    provider = NotingProvider(answers_after_s=float(os.environ.get("ANSWERS_AFTER", "0.05")))
    Container.sms_providers.override(providers.Object({"sandbox": provider}))
    try:
        smshub(sys.argv[1:], standalone_mode=False)
    finally:
        Path(os.environ["DEPARTURES"]).write_bytes(provider.departures.tobytes())


if __name__ == "__main__":
    main()
