"""Stand-ins as processes of their own, for tests that measure.

    python -m tests.stand_ins twilio --port 0

prints `{"port": …}` when it listens; `vonage` prints `ca_file` besides, and who sets SSL_CERT_FILE to that file
believes it to be Vonage.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.stand_in import StandIn
from entrypoints.stand_ins.twilio import TwilioStandIn
from entrypoints.stand_ins.vonage import VonageStandIn


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser(description="A stand-in for a provider.")
    parser.add_argument("provider", choices=["twilio", "vonage"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--interval-us", type=int, help="the shortest time between two texts of a sender")
    parser.add_argument("--intervals-us", type=json.loads, default={}, help='{"+19705550100": 1000000}')
    parser.add_argument("--folder", type=Path, help="where its certificate is to lie")
    options = parser.parse_args(arguments)
    common = {
        "delay_ms": options.delay_ms,
        "interval_us": options.interval_us,
        "intervals_us": options.intervals_us,
    }
    if options.provider == "twilio":
        run(TwilioStandIn(**common), options.port)
        return
    certificate = Certificate(options.folder or Path(tempfile.mkdtemp(prefix="vonage-")))
    run(VonageStandIn(**common, tls=certificate.server()), options.port, ca_file=str(certificate.file))


def run(stand_in: StandIn, port: int, **told: object) -> None:
    """Until the process is told to stop. Prints the port, and what else is told, when it listens."""
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - not on every platform

        uvloop.install()
    take_precedence()
    asyncio.run(_serve(stand_in, port, told))


def take_precedence() -> None:
    """Before all other processes, where the system allows it: what a busy machine reads late would seem to have been
    sent late.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


async def _serve(stand_in: StandIn, port: int, told: Mapping[str, object]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with stand_in.running(port=port):
        print(json.dumps({"port": stand_in.port, **told}), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
