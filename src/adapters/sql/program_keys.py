from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.rows import AnyRow
from adapters.sql.tables import not_deleted, program_keys, programs
from domain.errors import KeyNotFound, ProgramNotFound, TooManyKeys
from domain.model.access import KeyKind, Scope
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import MOST_LIVE_KEYS, USUAL_SCOPES, IssuedKey, KeyHash, KeyTerms
from domain.ports.program_keys import KeyStandings, ProgramKeys, Standing


class SqlProgramKeys(ProgramKeys):
    def __init__(self, database: Database) -> None:
        self._database = database

    @carried_through
    async def add(self, program_id: str, key_hash: KeyHash, terms: KeyTerms, *, hint: str, now_us: int) -> IssuedKey:
        async with self._database.writing() as connection:
            its = await _program_id(connection, program_id, locked=True)
            live = program_keys.c.program_id == its, program_keys.c.kind == terms.kind.value, _is_live(now_us)
            count = select(func.count()).where(*live)
            if (await connection.execute(count)).scalar_one() >= MOST_LIVE_KEYS:
                raise TooManyKeys(limit=MOST_LIVE_KEYS)
            row = key_row(its, key_hash, terms, hint=hint, now_us=now_us)
            added = as_key((await connection.execute(insert(program_keys).values(row).returning(program_keys))).one())
            await audit(connection, "key.issued", f"key {added.id}", program_id=its, after=_told(added))
            return added

    async def of_program(self, program_id: str) -> Sequence[IssuedKey]:
        async with self._database.reading() as connection:
            its = await _program_id(connection, program_id)
            theirs = select(program_keys).where(program_keys.c.program_id == its).order_by(program_keys.c.id)
            return [as_key(row) for row in await connection.execute(theirs)]

    @carried_through
    async def revoke(self, program_id: str, key_id: int, *, now_us: int) -> IssuedKey:
        async with self._database.writing() as connection:
            its = await _program_id(connection, program_id)
            revoked = (
                update(program_keys)
                .where(program_keys.c.id == key_id, program_keys.c.program_id == its)
                .values(revoked_us=func.coalesce(program_keys.c.revoked_us, now_us))
                .returning(program_keys)
            )
            row = (await connection.execute(revoked)).first()
            if row is None:
                raise KeyNotFound
            key = as_key(row)
            await audit(connection, "key.revoked", f"key {key.id}", program_id=its, before=_told(key))
            return key

    @carried_through
    async def used(self, key_id: int, *, now_us: int) -> None:
        async with self._database.writing() as connection:
            its = update(program_keys).where(program_keys.c.id == key_id)
            await connection.execute(its.values(last_used_us=now_us))


class SqlKeyStandings(KeyStandings):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_key(self, key_id: int) -> Standing | None:
        its = (
            select(program_keys, programs.c.suspended_us)
            .join(programs, programs.c.id == program_keys.c.program_id)
            .where(program_keys.c.id == key_id)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(its)).first()
        return None if row is None else Standing(key=as_key(row), suspended=row.suspended_us is not None)

    async def of_keyless(self, program_id: str, *, issued_us: int) -> bool:
        revoked = select(program_keys.c.id).where(
            program_keys.c.program_id == programs.c.id, program_keys.c.revoked_us >= issued_us
        )
        good = select(programs.c.id).where(
            programs.c.folded_id == program_id.casefold(), programs.c.suspended_us.is_(None), ~revoked.exists()
        )
        async with self._database.reading() as connection:
            return (await connection.execute(good)).first() is not None


async def _program_id(connection: AsyncConnection, program_id: str, *, locked: bool = False) -> str:
    its = select(programs.c.id).where(programs.c.folded_id == program_id.casefold(), not_deleted)
    found = (await connection.execute(its.with_for_update(key_share=True) if locked else its)).scalar_one_or_none()
    if found is None:
        raise ProgramNotFound
    return str(found)


def _is_live(now_us: int) -> ColumnElement[bool]:
    ends = program_keys.c.expires_us
    return program_keys.c.revoked_us.is_(None) & or_(ends.is_(None), ends > now_us)


def key_row(program_id: str, key_hash: KeyHash, terms: KeyTerms, *, hint: str, now_us: int) -> Mapping[str, Any]:
    return {
        "program_id": program_id,
        "digest": key_hash.digest,
        "pepper_id": key_hash.pepper_id,
        "created_us": now_us,
        "kind": terms.kind.value,
        "name": terms.name,
        "hint": hint,
        "scopes": " ".join(sorted(scope.value for scope in terms.scopes)),
        "numbers": " ".join(sorted(number.e164 for number in terms.numbers)) or None,
        "networks": " ".join(terms.networks) or None,
        "expires_us": terms.expires_us,
    }


def _told(key: IssuedKey) -> Mapping[str, object]:
    """Of a key; whom a team's may text is nobody else's business."""
    terms = key.terms
    return {
        "Kind": terms.kind.value,
        "Name": terms.name,
        "Hint": key.hint,
        "Scopes": sorted(scope.value for scope in terms.scopes),
        "Numbers": len(terms.numbers),
        "Networks": list(terms.networks),
        "ExpiresUs": terms.expires_us,
    }


def as_key(row: AnyRow) -> IssuedKey:
    scopes = USUAL_SCOPES if row.scopes is None else frozenset(map(Scope, row.scopes.split()))
    terms = KeyTerms(
        kind=KeyKind(row.kind),
        name=row.name,
        scopes=scopes,
        numbers=frozenset(map(PhoneNumber, (row.numbers or "").split())),
        networks=tuple((row.networks or "").split()),
        expires_us=row.expires_us,
    )
    return IssuedKey(
        hash=KeyHash(row.digest, row.pepper_id),
        id=row.id,
        terms=terms,
        hint=row.hint,
        created_us=row.created_us,
        last_used_us=row.last_used_us,
        revoked_us=row.revoked_us,
    )
