"""Logins are counted in the database, so that it does not matter which replica is asked."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from cachetools import LRUCache, TTLCache
from sqlalchemy import delete, select, text

from adapters.sql.database import Database
from adapters.sql.group import Group
from adapters.sql.tables import login_attempts
from domain.errors import TooManyLogins
from domain.model.pace import SECOND_US
from domain.ports.clock import Clock
from domain.ports.login_guard import GuessGuard

_WINDOW_US = 60 * SECOND_US
_BAD_FOR_EACH = 10
_MOST_COUNTED = 20_000
_MOST_GOOD, _GOOD_FOR_S = 10_000, 24 * 3_600
_TOGETHER, _ROOM = 100, 2_000
_FORGOTTEN_AT_ONCE = 10_000

# A household or an office has so much of IPv6 to itself, and can call from any address in it.
_IPV6_PREFIX = 64

# By hand and not made anew for each login, which would cost more than all else of it.
_COUNTED = """
    INSERT INTO login_attempts AS known (who, attempts, ends_us) {rows}
    ON CONFLICT (who) DO UPDATE SET
        attempts = excluded.attempts + CASE WHEN known.ends_us > {now} THEN known.attempts ELSE 0 END,
        ends_us = CASE WHEN known.ends_us > {now} THEN known.ends_us ELSE excluded.ends_us END
    RETURNING who, attempts, ends_us
"""
_ON_SQLITE = text(_COUNTED.format(rows="VALUES (:who, :n, :ends)", now=":now"))
_ON_POSTGRESQL = _COUNTED.format(rows="SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])", now="$4::bigint")


@dataclass(slots=True)
class _Window:
    """What this process knows of a minute's attempts. `untold` are those that the database does not know of."""

    ends_us: int
    untold: int = 0
    full: bool = False


@dataclass(frozen=True, slots=True)
class _Attempts:
    who: bytes
    most: int
    count: int
    at_us: int
    ends_us: int


class SqlLoginGuard(GuessGuard):
    """A minute begins with a first attempt, and `per_minute` are let through before it ends; of bad ones ten times as
    many for all programs of an address.

    A process keeps the first attempt of a minute to itself until there is a second, so that nothing is written for who
    logs in now and then, nor for a made-up SID; and it does not ask about a minute that it knows to be full.
    """

    def __init__(self, database: Database, clock: Clock, *, per_minute: int) -> None:
        self._database = database
        self._clock = clock
        self._per_minute = per_minute
        self._windows: LRUCache[bytes, _Window] = LRUCache(_MOST_COUNTED)
        self._good: TTLCache[bytes, bool] = TTLCache(_MOST_GOOD, _GOOD_FOR_S)
        self._group = Group(self._store, at_once=_TOGETHER, room=_ROOM)
        self._forget_us = 0

    async def admit(self, program_sid: str, address: str) -> None:
        login = _login(program_sid, address)
        bad = self._windows.get(_bad(address))
        if bad is not None and bad.full and login not in self._good:
            self._refuse_until(bad.ends_us)
        full_until_us = await self._count(login, self._per_minute)
        if full_until_us is not None:
            self._refuse_until(full_until_us)

    async def ended(self, program_sid: str, address: str, *, good: bool) -> None:
        if good:
            self._good[_login(program_sid, address)] = True
        else:
            await self._count(_bad(address), _BAD_FOR_EACH * self._per_minute)

    async def drained(self) -> None:
        """Returns when all that was to be counted is."""
        await self._group.drained()

    def _refuse_until(self, ends_us: int) -> None:
        left_us = ends_us - self._clock.now_us()
        if left_us > 0:
            raise TooManyLogins(retry_after_s=-(-left_us // SECOND_US))

    async def _count(self, who: bytes, most: int) -> int | None:
        """Until when there is no room for one more; None where there was some."""
        now_us = self._clock.now_us()
        window = self._windows.get(who)
        if window is None or window.ends_us <= now_us:
            # Known before the database is asked: who comes meanwhile is the second.
            window = self._windows[who] = _Window(now_us + _WINDOW_US, untold=1)
            return None if await self._has_room(who, most, window, now_us) else window.ends_us
        if window.full:
            return window.ends_us
        count, window.untold = window.untold + 1, 0
        had_room, ends_us = await self._group(_Attempts(who, most, count, now_us, window.ends_us))
        self._windows[who] = _Window(ends_us, full=not had_room)
        return None if had_room else ends_us

    async def _has_room(self, who: bytes, most: int, window: _Window, now_us: int) -> bool:
        """Whether others have left some of the minute, if it has begun with them."""
        begun = select(login_attempts).where(login_attempts.c.who == who, login_attempts.c.ends_us > now_us)
        async with self._database.reading() as connection:
            row = (await connection.execute(begun)).first()
        if row is None:
            return True
        window.ends_us, window.full = row.ends_us, row.attempts >= most
        return not window.full

    async def _store(self, attempts: Sequence[_Attempts]) -> Sequence[tuple[bool, int]]:
        counted = await self._add(attempts)
        results = []
        for each in reversed(attempts):
            count, ends_us = counted[each.who]
            results.append((count <= each.most, ends_us))
            counted[each.who] = count - each.count, ends_us
        return results[::-1]

    async def _add(self, attempts: Sequence[_Attempts]) -> dict[bytes, tuple[int, int]]:
        """How many there are of each with these, and until when they are counted."""
        now_us = max(each.at_us for each in attempts)
        counts, ends_us = Counter[bytes](), {}
        for each in attempts:
            counts[each.who] += each.count
            ends_us[each.who] = each.ends_us
        # In one order, so that no two processes wait for each other.
        rows = [(who, counts[who], ends_us[who]) for who in sorted(counts)]
        await self._forget(now_us)
        if self._database.is_sqlite:
            async with self._database.writing() as connection:
                found = [
                    (
                        await connection.execute(
                            _ON_SQLITE, {"who": row[0], "n": row[1], "ends": row[2], "now": now_us}
                        )
                    ).one()
                    for row in rows
                ]
        else:
            async with self._database.driver() as driver:
                found = await driver.fetch(_ON_POSTGRESQL, *map(list, zip(*rows, strict=True)), now_us)
        return {who: (count, ends) for who, count, ends in found}

    async def _forget(self, now_us: int) -> None:
        """Deletes what is over, once a minute and process; where that is much, a part each time."""
        if now_us < self._forget_us:
            return
        over = (
            select(login_attempts.c.who)
            .where(login_attempts.c.ends_us <= now_us)
            .limit(_FORGOTTEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as connection:
            forgotten = await connection.execute(delete(login_attempts).where(login_attempts.c.who.in_(over)))
        if forgotten.rowcount < _FORGOTTEN_AT_ONCE:
            self._forget_us = now_us + _WINDOW_US


def _login(program_sid: str, address: str) -> bytes:
    """A digest, so that what callers send as a SID is bounded and stands nowhere as it came."""
    sid = hashlib.sha256(program_sid.encode(errors="surrogatepass")).digest()
    return hashlib.sha256(b"login\0" + sid + address.encode()).digest()


def _bad(address: str) -> bytes:
    return hashlib.sha256(b"bad\0" + _household(address).encode()).digest()


def _household(address: str) -> str:
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return address
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ip_network((int(read), _IPV6_PREFIX), strict=False))
