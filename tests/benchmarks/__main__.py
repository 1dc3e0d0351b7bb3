"""`make bench`: starts what it measures, measures it beside bare handlers in the same run, and tells what it found."""

import argparse
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.benchmarks import (
    accept,
    bulk,
    crash,
    end_to_end,
    engine,
    fairness,
    history,
    latency,
    memory,
    newcomer,
    pacing,
    preview,
    profile,
    receipts,
    twilio_clients,
)
from tests.benchmarks.extent import Extent
from tests.benchmarks.machine import machine_in_words
from tests.benchmarks.place import Place, a_place
from tests.benchmarks.report import Section, paragraph, rendered_section

_FILE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

_ROWS: Mapping[str, Callable[[Place, Extent], Section]] = {
    "accept": accept.measure,
    "preview": preview.measure,
    "profile": profile.measure,
    "bulk": bulk.measure,
    "memory": memory.measure,
    "latency": latency.measure,
    "pacing": pacing.measure,
    "engine": engine.measure,
    "end_to_end": end_to_end.measure,
    "receipts": receipts.measure,
    "twilio_clients": twilio_clients.measure,
    "crash": crash.measure,
    "fairness": fairness.measure,
    "history": history.measure,
    "newcomer": newcomer.measure,
}

_HOW_TO_READ = (
    "`make bench` measures all of this anew and writes this page; it needs Linux and a few minutes, and starts "
    "PostgreSQL, hubs and bare handlers by itself. Rates depend on the machine and on what else it does, and the load "
    "comes from the same machine; compare ratios. In every round the bare handler and the hub take their turn one "
    "after the other; a ratio is made of the two rates of one round, and the table shows the median of the rounds' "
    "ratios, with the lowest and the highest. All other numbers of a comparison are medians over the rounds. CPU time "
    "is that of the server's process, without the database's. All but 200 is a failure and counts in no rate; where "
    "there are failures, no target is met."
)


def main() -> None:
    parsed = _parsed()
    # So that what was started is ended, too. An exception raised here might be lost in a callback of the event loop,
    # which has its own way with an interrupt.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    extent = Extent(rounds=parsed.rounds, seconds=parsed.seconds, connections=parsed.connections)
    chosen = [name for name in _ROWS if name in (parsed.rows or _ROWS)]
    with a_place() as place:
        parts = ["# Benchmarks\n", f"{paragraph(_HOW_TO_READ)}\n", f"{paragraph(machine_in_words(place.postgresql))}\n"]
        print("\n".join(parts), flush=True)
        for name in chosen:
            parts.append(rendered_section(_ROWS[name](place, extent)))
            print(parts[-1], flush=True)
    if parsed.write or len(chosen) == len(_ROWS):
        _FILE.write_text("\n".join(parts), encoding="utf-8")


def _parsed() -> argparse.Namespace:
    default = Extent()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"What to measure, of {', '.join(_ROWS)}; all if none.")
    parser.add_argument("--rounds", type=int, default=default.rounds, help="Turns of each (%(default)s).")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="Length of a turn (%(default)s).")
    parser.add_argument("--connections", type=int, default=default.connections, help="At once (%(default)s).")
    parser.add_argument("--write", action="store_true", help=f"Write {_FILE.name} even if not all rows are measured.")
    parsed = parser.parse_args()
    unknown = [name for name in parsed.rows if name not in _ROWS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}")
    return parsed


if __name__ == "__main__":
    main()
