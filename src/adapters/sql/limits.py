from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.rows import as_limit
from adapters.sql.tables import limits, provider_accounts, senders
from domain.errors import AccountNotFound, LimitInUseStill, LimitNotFound, LimitsInACircle
from domain.model.limit import Limit
from domain.ports.limits import LimitInUse, Limits


class SqlLimits(Limits):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def put(self, limit: Limit) -> None:
        async with self._database.writing() as connection:
            parent_id = None if limit.parent is None else await _id(connection, limit.parent)
            pace = None if limit.pace is None else limit.pace.per_second
            values = {
                "name": limit.name,
                "parent_id": parent_id,
                "counts": limit.counts.value,
                "pace_numerator": None if pace is None else pace.numerator,
                "pace_denominator": None if pace is None else pace.denominator,
                "daily": None if limit.daily is None else limit.daily.amount,
                "zone": None if limit.daily is None else limit.daily.zone,
            }
            before = await _told(connection, limit.name)
            await self._database.insert_unless_there(connection, limits, values)
            await connection.execute(update(limits).where(limits.c.name == limit.name).values(values))
            await _refuse_circles(connection, limit.name)
            after = await _told(connection, limit.name)
            await audit(connection, "limit.set", f"limit {limit.name}", before=before, after=after)

    @carried_through
    async def remove(self, name: str) -> None:
        async with self._database.writing() as connection:
            its_id = await _id(connection, name)
            for uses in (limits.c.parent_id, senders.c.limit_id, provider_accounts.c.limit_id):
                if (await connection.execute(select(func.count()).where(uses == its_id))).scalar_one():
                    raise LimitInUseStill
            before = await _told(connection, name)
            await connection.execute(delete(limits).where(limits.c.id == its_id))
            await audit(connection, "limit.removed", f"limit {name}", before=before)

    @carried_through
    async def attach_sender(self, sender_id: int, name: str | None) -> None:
        async with self._database.writing() as connection:
            limit_id = None if name is None else await _id(connection, name)
            before = await _limit_of(connection, senders, senders.c.id == sender_id)
            attached = update(senders).where(senders.c.id == sender_id).values(limit_id=limit_id)
            address = (await connection.execute(attached.returning(senders.c.address))).scalar_one()
            after = {"Limit": name}
            await audit(connection, "sender.limit-attached", f"sender {address}", before=before, after=after)

    @carried_through
    async def attach_account(self, provider: str, account: str, name: str | None) -> None:
        its = and_(provider_accounts.c.provider == provider, provider_accounts.c.account == account)
        async with self._database.writing() as connection:
            limit_id = None if name is None else await _id(connection, name)
            before = await _limit_of(connection, provider_accounts, its)
            attached = await connection.execute(update(provider_accounts).where(its).values(limit_id=limit_id))
            if not attached.rowcount:
                raise AccountNotFound
            subject, after = f"account {provider} {account}", {"Limit": name}
            await audit(connection, "account.limit-attached", subject, before=before, after=after)

    async def all(self, *, now_us: int) -> Sequence[LimitInUse]:
        its_senders: dict[int, list[str]] = defaultdict(list)
        its_accounts: dict[int, list[str]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(select(senders.c.limit_id, senders.c.address).order_by(senders.c.id)):
                its_senders[row.limit_id].append(row.address)
            for row in await connection.execute(select(provider_accounts).order_by(provider_accounts.c.id)):
                its_accounts[row.limit_id].append(f"{row.provider}:{row.account}")
            rows = (await connection.execute(select(limits).order_by(limits.c.name))).all()
        names = {row.id: row.name for row in rows}
        found = []
        for row in rows:
            limit = as_limit(row, names.get(row.parent_id))
            today = limit.daily is not None and row.day == limit.daily.day_of(now_us)
            found.append(
                LimitInUse(
                    limit=limit,
                    senders=its_senders[row.id],
                    accounts=its_accounts[row.id],
                    used_today=None if limit.daily is None else row.used if today else 0,
                )
            )
        return found


async def _id(connection: AsyncConnection, name: str) -> int:
    found = (await connection.execute(select(limits.c.id).where(limits.c.name == name))).scalar_one_or_none()
    if found is None:
        raise LimitNotFound
    return int(found)


async def _told(connection: AsyncConnection, name: str) -> Mapping[str, object]:
    """What there is of it, by name; nothing of one that is not there."""
    row = (await connection.execute(select(limits).where(limits.c.name == name))).first()
    if row is None:
        return {}
    parent = (await connection.execute(select(limits.c.name).where(limits.c.id == row.parent_id))).scalar_one_or_none()
    limit = as_limit(row, parent)
    told = {
        "Counts": limit.counts.value,
        "Rate": None if limit.pace is None else str(limit.pace),
        "Daily": None if limit.daily is None else limit.daily.amount,
        "Zone": None if limit.daily is None else limit.daily.zone,
        "Under": limit.parent,
    }
    return {name: value for name, value in told.items() if value is not None}


async def _limit_of(connection: AsyncConnection, table: Table, its: ColumnElement[bool]) -> Mapping[str, object]:
    name = select(limits.c.name).select_from(table.join(limits, table.c.limit_id == limits.c.id)).where(its)
    return {"Limit": (await connection.execute(name)).scalar_one_or_none()}


async def _refuse_circles(connection: AsyncConnection, name: str) -> None:
    """Raises `LimitsInACircle`, which takes back what made it one."""
    rows = (await connection.execute(select(limits.c.id, limits.c.name, limits.c.parent_id))).all()
    parents = {row.id: row.parent_id for row in rows}
    start = next(row.id for row in rows if row.name == name)
    at, above = parents[start], set()
    while at is not None:
        if at == start or at in above:
            raise LimitsInACircle
        above.add(at)
        at = parents[at]
