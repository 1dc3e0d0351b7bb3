"""Where the time of a request goes."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import Hub, a_hub
from tests.benchmarks.load import post_for
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.posts import Post, previews, single_texts
from tests.benchmarks.report import Section, Table, number

_ROWS = ("accept", "preview")
_SHOWN = 14


def measure(place: Place, extent: Extent) -> Section:
    profiles = [_profile(place, extent, row) for row in _ROWS]
    parts = sorted({part for each in profiles for part in each}, key=lambda part: -profiles[0].get(part, 0.0))
    rows = [(part, [each.get(part, 0.0) for each in profiles]) for part in parts[:_SHOWN]]
    rows += [
        ("all others", [sum(each.get(part, 0.0) for part in parts[_SHOWN:]) for each in profiles]),
        ("together", [sum(each.values()) for each in profiles]),
    ]
    return Section(
        title="profile: where the time of a request goes",
        conditions=(
            "CPU microseconds per request in one `smshub api` on PostgreSQL, under the loads of `accept` and "
            "`preview`, by the part of the code that the process was in, looked at after every millisecond of its CPU "
            f"time for {extent.total_s:g} s. Looking takes time itself: the sums are greater than in the tables above."
        ),
        table=Table(headings=("", *_ROWS), rows=[(part, *map(number, microseconds)) for part, microseconds in rows]),
        verdicts=[],
    )


def _profile(place: Place, extent: Extent, row: str) -> dict[str, float]:
    """Microseconds per request by part."""
    samples = Path(place.folder) / f"{row}.samples"
    with a_hub("api", place.new_database(POSTGRESQL), place.folder, samples=samples) as hub:
        post = _load(row, hub)
        uvloop.run(post_for(extent.warm_up_s, hub.process.port, post, connections=extent.connections))
        os.kill(hub.process.pid, signal.SIGUSR1)
        cpu_s = hub.process.cpu_s
        load = uvloop.run(post_for(extent.total_s, hub.process.port, post, connections=extent.connections))
        cpu_us = (hub.process.cpu_s - cpu_s) * 1_000_000 / max(1, load.answered + load.failed)
    counts: dict[str, int] = json.loads(samples.read_text(encoding="utf-8"))
    return {part: cpu_us * count / sum(counts.values()) for part, count in counts.items()}


def _load(row: str, hub: Hub) -> Post:
    tokens: Sequence[str] = hub.tokens
    return single_texts(tokens) if row == "accept" else previews(tokens, path="/api/TextMessages/Preview")
