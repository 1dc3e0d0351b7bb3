from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ScalarSelect, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.audit import audit
from adapters.sql.database import Database, DatabaseFault, carried_through
from adapters.sql.program_keys import as_key, key_row
from adapters.sql.rows import PROGRAM_COLUMNS, SENDER_COLUMNS, as_pace, as_program, as_sender, terms_row
from adapters.sql.tables import (
    deliveries,
    not_deleted,
    program_keys,
    program_senders,
    programs,
    provider_accounts,
    senders,
    text_messages,
)
from domain.errors import CredentialsMissing, OwnSender, PaceDiffers, ProgramExists, ProgramNotFound, SenderNotFound
from domain.model.credentials import ProviderAccount
from domain.model.delivery import QUIET_HOURS, DeliveryState
from domain.model.pace import SECOND_US, Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.program_key import IssuedKey
from domain.model.sender import Sender, SenderAddress
from domain.model.texting_hours import TextingHours
from domain.ports.programs import NewProgram, Programs
from domain.ports.vault import Vault

_DEFAULT_PACE = Pace.parse("1/s")
# Twilio drops what waits at it for ten hours; the hour less is for what is being sent.
_POOL_BACKLOG_US = 9 * 3_600 * SECOND_US
_PROGRAMS = select(*PROGRAM_COLUMNS).select_from(
    programs.join(senders, programs.c.sender_id == senders.c.id).join(
        provider_accounts, senders.c.account_id == provider_accounts.c.id
    )
)
_OTHER_SENDERS = (
    select(program_senders.c.program_id, *SENDER_COLUMNS)
    .select_from(
        program_senders.join(senders, program_senders.c.sender_id == senders.c.id).join(
            provider_accounts, senders.c.account_id == provider_accounts.c.id
        )
    )
    .order_by(program_senders.c.place, senders.c.id)
)
# Made once, since every process looks for its programs again and again.
_ONE_PROGRAM = _PROGRAMS.where(programs.c.folded_id == bindparam("folded_id"), not_deleted)
_OTHER_SENDERS_OF_ONE = _OTHER_SENDERS.where(program_senders.c.program_id == bindparam("program_id"))
# Due at once, or when they were to be sent: claims put off anew what the new hours do not allow.
_wanted_us = select(text_messages.c.send_at_us).where(text_messages.c.id == deliveries.c.message_id).scalar_subquery()
_NO_LONGER_PUT_OFF = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(
            select(deliveries.c.id)
            .where(
                deliveries.c.due_us.is_not(None),
                deliveries.c.state == DeliveryState.SCHEDULED.value,
                deliveries.c.reason == QUIET_HOURS,
                deliveries.c.program_id == bindparam("its_program_id"),
            )
            .order_by(deliveries.c.id)
            .with_for_update()
        )
    )
    .values(due_us=func.coalesce(_wanted_us, 0))
)


class SqlPrograms(Programs):
    """`vault` seals the credentials of provider accounts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @carried_through
    async def add(self, program: NewProgram) -> Program:
        try:
            async with self._database.writing() as connection:
                sender_id = await self._sender(
                    connection, program.provider, program.account, program.sender, program.pace
                )
                await connection.execute(
                    insert(programs).values(
                        id=program.id,
                        folded_id=program.id.casefold(),
                        sid=program.sid,
                        name=program.name,
                        sender_id=sender_id,
                        first_hub=program.first_hub,
                        created_us=program.created_us,
                        **terms_row(program.terms),
                    )
                )
                key = key_row(
                    program.id,
                    program.key_hash,
                    program.key_terms,
                    hint=program.key_hint,
                    now_us=program.created_us,
                )
                await connection.execute(insert(program_keys).values(key))
                added = as_program((await connection.execute(_PROGRAMS.where(programs.c.id == program.id))).one())
                told = {"Sender": _called(added.sender), **_told(added)}
                await audit(connection, "program.created", f"program {added.id}", program_id=added.id, after=told)
                return added
        except DatabaseFault as fault:
            if fault.breaks_a_rule:
                raise ProgramExists from fault
            raise

    @carried_through
    async def add_sender(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None,
        account: ProviderAccount | None = None,
    ) -> Program:
        async with self._database.writing() as connection:
            program = await self._find(connection, program_id)
            if program is None:
                raise ProgramNotFound
            sender_id = await self._sender(connection, provider, account, sender, pace)
            if sender_id not in {each.id for each in program.senders}:
                row = {"program_id": program.id, "sender_id": sender_id, "place": _next_place(program.id)}
                await self._database.insert_unless_there(connection, program_senders, row)
                after = {"Sender": f"{provider} {sender.value}"}
                await audit(
                    connection, "program.sender-added", f"program {program.id}", program_id=program.id, after=after
                )
            return await self._find(connection, program_id) or program

    @carried_through
    async def remove_sender(self, program_id: str, sender_id: int) -> Program:
        async with self._database.writing() as connection:
            program = await self._find(connection, program_id)
            if program is None:
                raise ProgramNotFound
            if program.sender.id == sender_id:
                raise OwnSender
            its = program_senders.c.program_id == program.id, program_senders.c.sender_id == sender_id
            removed = next((each for each in program.other_senders if each.id == sender_id), None)
            if removed is None or not (await connection.execute(delete(program_senders).where(*its))).rowcount:
                raise SenderNotFound
            before = {"Sender": _called(removed)}
            await audit(
                connection, "program.sender-removed", f"program {program.id}", program_id=program.id, before=before
            )
            return await self._find(connection, program_id) or program

    @carried_through
    async def change(self, program_id: str, change: Callable[[Program], Program]) -> Program:
        its = select(programs.c.id).where(programs.c.folded_id == program_id.casefold())
        async with self._database.writing() as connection:
            # One after the other: each changes what the one before has made of it.
            await connection.execute(its.with_for_update(key_share=True))
            before = await self._find(connection, program_id)
            if before is None:
                raise ProgramNotFound
            wanted = change(before)
            row = {"name": wanted.name, **terms_row(wanted.terms)}
            await connection.execute(update(programs).where(programs.c.id == before.id).values(row))
            # As it is stored: to the second.
            after = await self._find(connection, program_id) or wanted
            if _hours(after) != _hours(before):
                await connection.execute(_NO_LONGER_PUT_OFF, {"its_program_id": before.id})
            if after != before:
                await audit(
                    connection,
                    "program.changed",
                    f"program {before.id}",
                    program_id=before.id,
                    before=_told(before),
                    after=_told(after),
                )
        return after

    async def find(self, program_id: str) -> Program | None:
        if not program_id.isprintable():
            return None
        async with self._database.reading() as connection:
            return await self._find(connection, program_id)

    async def _find(self, connection: AsyncConnection, program_id: str) -> Program | None:
        row = (await connection.execute(_ONE_PROGRAM, {"folded_id": program_id.casefold()})).first()
        if row is None:
            return None
        others = await connection.execute(_OTHER_SENDERS_OF_ONE, {"program_id": row.id})
        return as_program(row, [as_sender(each) for each in others])

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[IssuedKey]] | None:
        # Of what no program can be called, some cannot even be asked for.
        if not sid.isprintable():
            return None
        async with self._database.reading() as connection:
            row = (await connection.execute(_PROGRAMS.where(programs.c.sid == sid, not_deleted))).first()
            if row is None:
                return None
            theirs = select(program_keys).where(program_keys.c.program_id == row.id).order_by(program_keys.c.id)
            return as_program(row), [as_key(key) for key in await connection.execute(theirs)]

    async def all(self, *, deleted: bool = False) -> Sequence[Program]:
        wanted = _PROGRAMS.where(not_deleted).order_by(programs.c.name)
        if deleted:
            wanted = _PROGRAMS.where(~not_deleted).order_by(programs.c.deleted_us.desc(), programs.c.id)
        others: dict[str, list[Sender]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(_OTHER_SENDERS):
                others[row.program_id].append(as_sender(row))
            return [as_program(row, others[row.id]) for row in await connection.execute(wanted)]

    async def _sender(
        self,
        connection: AsyncConnection,
        provider: str,
        account: ProviderAccount | None,
        address: SenderAddress,
        pace: Pace | None,
    ) -> int:
        """The id of the sender, which is one for the whole hub."""
        account_id = await self._account(connection, provider, account, address)
        first = (pace or _DEFAULT_PACE).per_second
        row = {
            "pace_numerator": first.numerator,
            "pace_denominator": first.denominator,
            "backlog_us": _POOL_BACKLOG_US if address.is_pool else 0,
        }
        key = {"account_id": account_id, "address": address.value}
        sender_id = await self._found_or_added(connection, senders, key, row)
        current = as_pace((await connection.execute(select(senders).where(senders.c.id == sender_id))).one())
        if pace is not None and pace != current:
            raise PaceDiffers(current=str(current))
        return sender_id

    async def _account(
        self, connection: AsyncConnection, provider: str, account: ProviderAccount | None, address: SenderAddress
    ) -> int:
        if account is None:
            having_it = provider_accounts.join(senders, senders.c.account_id == provider_accounts.c.id)
            known = select(provider_accounts.c.id).select_from(having_it)
            known = known.where(provider_accounts.c.provider == provider, senders.c.address == address.value)
            ids = (await connection.execute(known)).scalars().all()
            if len(ids) != 1:
                raise CredentialsMissing
            return int(ids[0])
        key = {"provider": provider, "account": account.name}
        account_id = await self._found_or_added(connection, provider_accounts, key)
        if account.credentials.values:
            sealed = self._vault.seal(account.credentials)
            its = provider_accounts.c.id == account_id
            await connection.execute(update(provider_accounts).where(its).values(credentials=sealed))
            await audit(connection, "account.credentials-set", f"account {provider} {account.name}")
        return account_id

    async def _found_or_added(
        self,
        connection: AsyncConnection,
        table: Table,
        key: Mapping[str, object],
        rest: Mapping[str, object] | None = None,
    ) -> int:
        await self._database.insert_unless_there(connection, table, {**key, **(rest or {})})
        found = select(table.c.id).where(*(table.c[name] == value for name, value in key.items()))
        return int((await connection.execute(found)).scalar_one())


def _called(sender: Sender) -> str:
    return f"{sender.provider} {sender.address.value}"


def _told(program: Program) -> Mapping[str, object]:
    terms = {name: value for name, value in terms_row(program.terms).items() if value is not None}
    return {"Name": program.name, **terms}


def _hours(program: Program) -> Sequence[TextingHours | None]:
    return [program.terms.hours_for(each) for each in Priority]


def _next_place(program_id: str) -> ScalarSelect[int]:
    theirs = program_senders.c.program_id == program_id
    return select(func.coalesce(func.max(program_senders.c.place), 0) + 1).where(theirs).scalar_subquery()
