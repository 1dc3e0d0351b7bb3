"""How fast receipts are taken, and how fast they are worked off."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import uvloop
from sqlalchemy import text

from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.benchmarks.backlog import Line, put_texts
from tests.benchmarks.extent import Extent
from tests.benchmarks.load import post_for
from tests.benchmarks.offices import create, offices
from tests.benchmarks.place import BOTH, Place
from tests.benchmarks.posts import twilio_receipts
from tests.benchmarks.report import Section, Table, failures_told, judged, number
from tests.benchmarks.smshub import an_smshub
from tests.benchmarks.statistic import percentile
from tests.benchmarks.store import a_store, waited_for

_MOST_PER_SECOND = 5_000
_PATIENCE_S = 120.0
_PUBLIC_URL = "https://hub.example"
_PATH = "/callbacks/twilio/status"
_WAITING = "SELECT count(*) FROM callbacks WHERE due_us IS NOT NULL"
_SETTLED = text("SELECT count(*) FROM deliveries WHERE state = 'delivered'")


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """`taken` counts the receipts that were answered, `settled` the deliveries that they have brought to their end."""

    name: str
    taken: int
    taken_per_s: float
    cpu_us: float
    p99_ms: float
    failures: Mapping[str, int]
    settled: int
    worked_off_per_s: float


def measure(place: Place, extent: Extent) -> Section:
    measured = [_measured(place, extent, kind) for kind in BOTH]
    return Section(
        title="receipts: what became of texts",
        conditions=(
            "Signed `POST` calls of Twilio's, each with the receipt of another text, to one `smshub api`; "
            f"{extent.connections} connections for {extent.total_s:g} s. Then one `smshub dispatcher` works all of "
            "them off; its start is not counted. A receipt that is answered is stored on the disk."
        ),
        table=Table(
            headings=("", "taken per second", "CPU µs per call", "p99 ms", "failed", "worked off per second"),
            rows=[
                (
                    each.name,
                    number(each.taken_per_s),
                    number(each.cpu_us),
                    number(each.p99_ms, 1),
                    failures_told(each.failures),
                    number(each.worked_off_per_s),
                )
                for each in measured
            ],
        ),
        verdicts=[
            judged(
                "Every receipt that was answered settles its text",
                met=all(each.settled == each.taken for each in measured),
                reached=" ".join(f"On {each.name} {each.settled:,} of {each.taken:,}." for each in measured),
                failed=[each.failures for each in measured],
            )
        ],
    )


def _measured(place: Place, extent: Extent, kind: str) -> _Measured:
    url = place.new_database(kind)
    [office] = asyncio.run(create(url, offices(1, provider="twilio")))
    line = Line(program_id=office.program_id, sender_id=office.sender_id)
    count = int(extent.total_s * _MOST_PER_SECOND)
    asyncio.run(put_texts(url, [line], each=count, state="sent", due=False))
    environment = {"SMSHUB_PUBLIC_URL": _PUBLIC_URL}
    post = twilio_receipts(_PUBLIC_URL + _PATH, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
    with an_smshub("api", url, place.folder, environment=environment) as api:
        before_s = api.cpu_s
        load = uvloop.run(post_for(extent.total_s, api.port, post, connections=extent.connections))
        cpu_s = api.cpu_s - before_s
    with an_smshub("dispatcher", url, place.folder, environment=environment):
        begun = time.monotonic()
        before = asyncio.run(_settled(url))
        asyncio.run(waited_for(url, _WAITING, at_most_s=_PATIENCE_S, every_s=0.02))
        took_s = time.monotonic() - begun
        settled = asyncio.run(_settled(url))
    return _Measured(
        name=kind,
        taken=load.answered,
        taken_per_s=load.per_second,
        cpu_us=cpu_s * 1e6 / max(1, load.answered + load.failed),
        p99_ms=percentile(load.took_s, 0.99) * 1_000,
        failures=load.failures,
        settled=settled,
        worked_off_per_s=(settled - before) / took_s,
    )


async def _settled(database_url: str) -> int:
    async with a_store(database_url) as container, container.database().reading() as connection:
        return int((await connection.execute(_SETTLED)).scalar_one())
