"""However much a hub has sent and however much waits, no statement of the queue reads all of it."""

import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from domain.model.callback import Callback, CallbackKind
from domain.model.delivery import DeliveryState
from domain.model.failover import Failover
from domain.model.receipt import Receipt
from domain.model.sender import SenderAddress
from domain.model.slots import Reservation
from tests.builders import NOW_US, Store

SECOND = 1_000_000
FINISHED = 1_000_000
QUEUED = 100_000
OPT_OUTS = 20_000
SENDERS = 50
PROGRAMS = 100
CALLBACKS = 100_000
GREAT_TABLES = {"deliveries", "text_messages", "opt_outs", "callbacks"}
# Indexes of what is in flight or unknown, and of parts of texts whose others are to come.
NEVER_MUCH = {"ix_deliveries_claimed", "ix_deliveries_unknown", "ix_callbacks_parts"}
# What is counted for the metrics, the more seldom the longer that takes, is all that waits; not the history.
COUNTS_WHAT_WAITS = "workload"
# So is what waits of a program that is deleted, once a minute as long as there is one.
CANCELS_WHAT_WAITS = "cancel"
WHAT_WAITS = {"ix_deliveries_line", "ix_deliveries_due"}
FAILOVER = Failover(program_id="P0", from_sender_id=1, to_sender_id=3, provider="sandbox", reason="credentials-refused")

NUMBERS = {
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM g WHERE n < :last)",
    "postgresql": "WITH g AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n)",
}
UUIDS = {"sqlite": "printf('%032x', {})", "postgresql": "CAST(lpad(to_hex({}), 32, '0') AS uuid)"}
NUMBER = "'+1970' || (5550000 + n % 9999)"


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    parameters: Any

    @property
    def touches_great_tables(self) -> bool:
        return any(table in self.sql for table in GREAT_TABLES | {"senders"})


@contextmanager
def executed(database: Database) -> Iterator[list[Statement]]:
    """What the database is really asked meanwhile."""
    statements: list[Statement] = []

    def note(_connection: object, _cursor: object, sql: str, parameters: Any, _context: object, many: bool) -> None:  # noqa: ANN401, FBT001
        statements.append(Statement(sql, parameters[0] if many else parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


class Great:
    """A store with a long history."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kind = "sqlite" if store.database.is_sqlite else "postgresql"

    async def prepare(self) -> None:
        for number in range(PROGRAMS):
            sender = SenderAddress(f"+1970555{number // (PROGRAMS // SENDERS):04}")
            pace = None if number % 2 else "20/s"
            await self.store.add_program(f"P{number}", sender=sender, pace=pace)
        for number in range(PROGRAMS):
            further = SenderAddress(f"+1970555{(number // (PROGRAMS // SENDERS) + 1) % SENDERS:04}")
            await self.store.programs.add_sender(f"P{number}", provider="sandbox", sender=further, pace=None)
        async with self.store.database.migrating() as connection:
            await connection.execute(text("UPDATE programs SET failover = true"))
            # Some are past their texting hours.
            await connection.execute(text("UPDATE programs SET texting_hours = '00:00-00:15' WHERE id LIKE 'P%0'"))
            await connection.execute(
                text(f"""
                    INSERT INTO opt_outs (program_id, number, since_us)
                    {NUMBERS[self.kind]} SELECT 'P' || (n % {PROGRAMS}), '+1303' || (5550000 + n), 0 FROM g
                """),
                {"first": 0, "last": OPT_OUTS - 1},
            )
            await connection.execute(
                text(f"""
                    INSERT INTO callbacks (source, kind, account_id, key, fields, received_us, due_us, outcome)
                    {NUMBERS[self.kind]}
                    SELECT 'twilio', CASE WHEN n % 10 = 0 THEN 'inbound' ELSE 'receipt' END, 1, 'SM' || n, '{{}}',
                        {NOW_US}, CASE WHEN n < 100 AND n % 10 > 0 THEN {NOW_US} + n / 50 * 10000000 END,
                        CASE WHEN n >= 100 AND n % 10 > 0 THEN 'applied' END FROM g
                """),
                {"first": 0, "last": CALLBACKS - 1},
            )
        await self.add(FINISHED, state="delivered", first=0)
        await self.tidy_up()

    async def add(self, count: int, *, state: str, first: int, failures: int = 0) -> None:
        message = UUIDS[self.kind].format("n / 100")
        last = first + count - 1
        due_us = NOW_US + 60 * SECOND if state == "scheduled" else "CAST(NULL AS bigint)"
        async with self.store.database.migrating() as connection:
            await connection.execute(
                text(f"""
                    INSERT INTO text_messages (id, program_id, sender_id, body, recipients, created_us)
                    {NUMBERS[self.kind]}
                    SELECT {UUIDS[self.kind].format("n")}, 'P' || (n % {PROGRAMS}), 1, 'Hello', 100, {NOW_US} FROM g
                """),
                {"first": first // 100, "last": last // 100},
            )
            await connection.execute(
                text(f"""
                    INSERT INTO deliveries (message_id, position, program_id, sender_id, number, segments, state,
                        attempt, failures, enquiries, updated_us, priority, due_us)
                    {NUMBERS[self.kind]}
                    SELECT {message}, n % 100 + 1, 'P' || (n % {PROGRAMS}), (n % {PROGRAMS}) / 2 + 1,
                        {NUMBER}, 1, '{state}', {failures}, {failures}, 0, {NOW_US}, n % 3, {due_us} FROM g
                """),
                {"first": first, "last": last},
            )
            if state == "queued":
                await connection.execute(text(f"UPDATE senders SET due_us = {NOW_US}"))

    async def tidy_up(self) -> None:
        async with self._autocommit() as connection:
            await connection.exec_driver_sql("ANALYZE" if self.kind == "sqlite" else "VACUUM ANALYZE")
        # What a connection knows of the tables it keeps.
        await self.store.database.engine.dispose()

    async def statements(self, at_us: int) -> dict[str, Sequence[Statement]]:
        """Of each thing that the hub does with the queue."""
        store, database = self.store, self.store.database
        found: dict[str, Sequence[Statement]] = {}
        me = await store.join()
        with executed(database) as found["claim"]:
            claims = await store.claim(me, at_us=at_us, reservation=Reservation(window_us=1_000))
        assert len(claims) > SENDERS
        with executed(database) as found["strays"]:
            await store.queue.strays(me, slots_before_us=at_us + 60 * SECOND)
        with executed(database) as found["orphans"]:
            await store.dispatchers.orphans(silent_since_us=at_us, limit=100)
        with executed(database) as found["record"]:
            first, second, third, *rest = claims
            outcomes = [claim.delivery.sent("SM1", now_us=at_us) for claim in rest]
            unknown = first.delivery.lost_sight_of("no-answer", now_us=at_us, ask_after_us=0)
            await store.queue.record([unknown, second.delivery.released(now_us=at_us), *outcomes])
        with executed(database) as found["take over"]:
            assert await store.queue.take_over([third.delivery.released(now_us=at_us)])
        with executed(database) as found["fail over"]:
            await store.failovers.conditions(now_us=at_us)
            assert await store.failovers.carry_out(FAILOVER, now_us=at_us, limit=500)
        with executed(database) as found["next due"]:
            await store.queue.next_due_us()
        with executed(database) as found["rouse"]:
            await store.due.rouse(now_us=at_us)
        with executed(database) as found["rouse some"]:
            await store.queue.rouse_if_queued([1, 2], now_us=at_us)
        with executed(database) as found["queue the scheduled"]:
            await store.due.queue(now_us=at_us)
        with executed(database) as found["expire"]:
            await store.due.expire(now_us=at_us)
        with executed(database) as found["enquire"]:
            assert await store.due.enquiries(now_us=at_us, limit=50)
        with executed(database) as found["receipts"]:
            assert await store.callbacks.work_off(self._read, now_us=at_us, limit=200)
        with executed(database) as found["join"]:
            await store.callbacks.join(lambda parts: parts[0].fields, since_us=at_us, limit=10)
        with executed(database) as found["forget callbacks"]:
            await store.callbacks.forget(CallbackKind.RECEIPT, before_us=1)
        with executed(database) as found["vital signs"]:
            assert (await store.vital_signs.now(now_us=at_us)).unknown
        with executed(database) as found[COUNTS_WHAT_WAITS]:
            load = await store.workload.now(now_us=at_us)
            assert load.queued > QUEUED // 2
            assert load.scheduled
        await store.deletions.begin((await store.programs.all())[-1].id, now_us=at_us)
        with executed(database) as found[CANCELS_WHAT_WAITS]:
            assert await store.deletions.cancel_waiting(now_us=at_us)
        return found

    def _read(self, callback: Callback) -> Receipt:
        """Of two, one names its delivery."""
        named = callback.id % 2 == 1
        return Receipt(
            state=DeliveryState.DELIVERED,
            reference=f"SM{callback.id}",
            digits="19705550001",
            delivery_id=callback.id if named else None,
        )

    async def faults(self, at_us: int) -> str:
        """The statements that read more than they need."""
        found = [
            f"{what}: {fault} in {' '.join(statement.sql.split())[:60]}"
            for what, statements in (await self.statements(at_us)).items()
            for statement in statements
            if statement.touches_great_tables
            for fault in await self._faults_of(
                statement, WHAT_WAITS if what in {COUNTS_WHAT_WAITS, CANCELS_WHAT_WAITS} else set()
            )
        ]
        return "\n".join(found)

    async def _faults_of(self, statement: Statement, read_whole: Collection[str]) -> list[str]:
        """`read_whole` are indexes that may be."""
        fine = NEVER_MUCH.union(read_whole)
        async with self.store.database.reading() as connection:
            if self.kind == "sqlite":
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
                return [row.detail for row in rows if _scans(row.detail, fine)]
            found: list[str] = []
            for mode in ("force_custom_plan", "force_generic_plan"):
                await connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
                explain = f"EXPLAIN (FORMAT JSON) {statement.sql}"
                plan = (await connection.exec_driver_sql(explain, statement.parameters)).scalar_one()
                found += [f"{mode}: {fault}" for fault in _read_whole(_parsed(plan)[0]["Plan"], fine)]
            return found

    @asynccontextmanager
    async def _autocommit(self) -> AsyncIterator[AsyncConnection]:
        engine = self.store.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            if self.kind == "postgresql":
                await connection.exec_driver_sql("SET statement_timeout = 0")
            yield connection


def _scans(detail: str, fine: Collection[str]) -> bool:
    """Whether SQLite goes through all of a great table or of its index."""
    words = detail.split()
    return words[0] == "SCAN" and words[1] in GREAT_TABLES | {"d", "q", "m", "o"} and not set(fine) & set(words)


def _parsed(plan: Any) -> Any:  # noqa: ANN401 - JSON, which drivers give in one form or the other
    return json.loads(plan) if isinstance(plan, str) else plan


def _read_whole(node: Any, fine: Collection[str]) -> list[str]:  # noqa: ANN401
    """Where PostgreSQL would go through all of a great table, or of an index of it."""
    found = []
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name", "")
    of_great = (table in GREAT_TABLES or index.startswith("ix_deliveries")) and index not in fine
    if of_great and "Index" in kind and "Index Cond" not in node:
        found.append(f"all of {index}")
    if table in GREAT_TABLES and kind == "Seq Scan":
        found.append(f"all of {table}")
    return found + [each for child in node.get("Plans", []) for each in _read_whole(child, fine)]


@pytest.fixture
async def great(store: Store) -> Great:
    great = Great(store)
    await great.prepare()
    return great


async def test_no_statement_reads_the_whole_history_or_the_whole_queue(great: Great) -> None:
    # The database knows of an empty queue when it fills.
    await great.add(QUEUED, state="queued", first=FINISHED)
    await great.add(QUEUED, state="scheduled", first=FINISHED + QUEUED, failures=3)
    assert await great.faults(NOW_US) == ""

    await great.tidy_up()
    assert await great.faults(NOW_US + 10 * SECOND) == ""
