"""What is asked for with every request is remembered for a while. Each adapter stands before another of its port."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache, TTLCache

from domain.errors import StoreUnavailable
from domain.model.access import Grant
from domain.model.credentials import Credentials, ProviderAccount
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.program_key import IssuedKey
from domain.model.queue_ahead import QueueAhead
from domain.model.sender import SenderAddress
from domain.model.shared_line import WaitingSender
from domain.model.staff import StaffRole
from domain.model.template import TemplateName, TemplateText, TemplateVersion
from domain.model.waiting import Waiting
from domain.ports.backlog import Backlog, WaitingSenders
from domain.ports.program_keys import KeyStandings, Standing
from domain.ports.programs import NewProgram, Programs
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.staff_roles import StaffRoles
from domain.ports.templates import Templates
from domain.ports.tokens import Tokens
from domain.ports.vitals import Vitals, VitalSigns
from domain.ports.workload import Load, Workload

_MOST_PROGRAMS = 10_000
_MOST_TOKENS = 10_000
_MOST_KEYS = 10_000
_MOST_SENDERS = 10_000
_MOST_ACCOUNTS = 10_000
_MOST_LIMITS = 1_000
_MOST_TEMPLATES = 10_000
_LONGEST_LOOK_S = 0.5
_LONGEST_LOOK_AGAIN_S = 0.05

K = TypeVar("K")
V = TypeVar("V")


class RememberedPrograms(Programs):
    """Finds a program as it was up to two seconds ago: what other processes change shows after that."""

    def __init__(self, programs: Programs, *, for_s: float = 2.0) -> None:
        self._programs = programs
        self._known: _ForAWhile[str, Program] = _ForAWhile(_MOST_PROGRAMS, for_s)

    async def find(self, program_id: str) -> Program | None:
        return await self._known.find(program_id, lambda: self._programs.find(program_id))

    async def add(self, program: NewProgram) -> Program:
        return await self._programs.add(program)

    async def add_sender(
        self,
        program_id: str,
        *,
        provider: str,
        sender: SenderAddress,
        pace: Pace | None,
        account: ProviderAccount | None = None,
    ) -> Program:
        return await self._programs.add_sender(program_id, provider=provider, sender=sender, pace=pace, account=account)

    async def remove_sender(self, program_id: str, sender_id: int) -> Program:
        return await self._programs.remove_sender(program_id, sender_id)

    async def change(self, program_id: str, change: Callable[[Program], Program]) -> Program:
        return await self._programs.change(program_id, change)

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[IssuedKey]] | None:
        return await self._programs.find_with_keys(sid)

    async def all(self, *, deleted: bool = False) -> Sequence[Program]:
        return await self._programs.all(deleted=deleted)


class RememberedStandings(KeyStandings):
    """Keys as they were up to two seconds ago: one that is revoked elsewhere is refused after that."""

    def __init__(self, standings: KeyStandings, *, for_s: float = 2.0) -> None:
        self._standings = standings
        self._keys: _ForAWhile[int, Standing] = _ForAWhile(_MOST_KEYS, for_s)
        self._keyless: _ForAWhile[tuple[str, int], bool] = _ForAWhile(_MOST_KEYS, for_s)

    async def of_key(self, key_id: int) -> Standing | None:
        return await self._keys.find(key_id, lambda: self._standings.of_key(key_id))

    async def of_keyless(self, program_id: str, *, issued_us: int) -> bool:
        asked = self._keyless.find(
            (program_id, issued_us), lambda: self._standings.of_keyless(program_id, issued_us=issued_us)
        )
        return bool(await asked)


class RememberedStaffRoles(StaffRoles):
    """All roles as they were up to two seconds ago: what other processes change holds after that, and what this one
    changes at once.
    """

    def __init__(self, roles: StaffRoles, *, for_s: float = 2.0) -> None:
        self._roles = roles
        self._known: _ForAWhile[None, Sequence[StaffRole]] = _ForAWhile(1, for_s)

    async def all(self) -> Sequence[StaffRole]:
        return await self._known.find(None, self._roles.all) or ()

    async def put(self, role: StaffRole) -> StaffRole:
        stored = await self._roles.put(role)
        self._known.forget()
        return stored

    async def remove(self, role_id: int) -> StaffRole:
        removed = await self._roles.remove(role_id)
        self._known.forget()
        return removed


class RememberedTemplates(Templates):
    """Finds a template as it was up to two seconds ago: what other processes change shows after that, and what this one
    changes at once.
    """

    def __init__(self, templates: Templates, *, for_s: float = 2.0) -> None:
        self._templates = templates
        self._known: _ForAWhile[tuple[str, str, int | None], TemplateVersion] = _ForAWhile(_MOST_TEMPLATES, for_s)

    async def find(self, program_id: str, name: TemplateName, version: int | None) -> TemplateVersion | None:
        asked = program_id, name.folded, version
        return await self._known.find(asked, lambda: self._templates.find(program_id, name, version))

    async def add(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        return await self._templates.add(program_id, name, text, now_us=now_us)

    async def change(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        changed = await self._templates.change(program_id, name, text, now_us=now_us)
        self._known.forget()
        return changed

    async def retire(self, program_id: str, name: TemplateName, *, now_us: int) -> None:
        await self._templates.retire(program_id, name, now_us=now_us)
        self._known.forget()

    async def all(self, program_id: str) -> Sequence[TemplateVersion]:
        return await self._templates.all(program_id)

    async def versions(self, program_id: str, name: TemplateName) -> Sequence[TemplateVersion]:
        return await self._templates.versions(program_id, name)


class RememberedAccounts(ProviderAccounts):
    """Credentials as they were up to ten seconds ago: they are asked for with every text that is sent, and with every
    call of a provider's.
    """

    def __init__(self, accounts: ProviderAccounts, *, for_s: float = 10.0) -> None:
        self._accounts = accounts
        self._known: TTLCache[int, Credentials] = TTLCache(_MOST_ACCOUNTS, for_s)
        self._ids: TTLCache[tuple[str, str], int] = TTLCache(_MOST_ACCOUNTS, for_s)

    async def find(self, provider: str, account: str) -> int | None:
        account_id = self._ids.get((provider, account))
        if account_id is None:
            account_id = await self._accounts.find(provider, account)
            # Names that nobody has are not remembered: anybody may make them up.
            if account_id is not None:
                self._ids[provider, account] = account_id
        return account_id

    async def credentials(self, account_id: int) -> Credentials:
        known = self._known.get(account_id)
        if known is None:
            known = self._known[account_id] = await self._accounts.credentials(account_id)
        return known

    async def seal_anew(self) -> int:
        return await self._accounts.seal_anew()


class RememberedBacklog(Backlog):
    """What waited at a sender a moment ago, and what was accepted here since."""

    def __init__(self, backlog: Backlog, *, for_s: float = 0.5) -> None:
        self._backlog = backlog
        self._looks: _Looks[int, QueueAhead] = _Looks(_MOST_SENDERS, for_s)

    async def at(self, sender_id: int, *, now_us: int) -> QueueAhead:
        known = self._looks.known(sender_id)
        waits_s = _LONGEST_LOOK_S if known is None else _LONGEST_LOOK_AGAIN_S
        try:
            return await self._looks.at(sender_id, lambda: self._look(sender_id, now_us), waits_s=waits_s)
        except TimeoutError:
            # Whoever wants to send is not to wait for an estimate.
            return known or _NOBODY_KNOWS

    def joined(self, sender_id: int, program_id: str, priority: Priority, accepted: Waiting, *, now_us: int) -> None:
        known = self._looks.known(sender_id)
        if known is not None:
            self._looks.keep(sender_id, known.joined(program_id, priority, accepted, now_us=now_us))

    async def _look(self, sender_id: int, now_us: int) -> QueueAhead:
        try:
            return await self._backlog.at(sender_id, now_us=now_us)
        except StoreUnavailable:
            # Nor to be turned away for want of one.
            return _NOBODY_KNOWS


_NOBODY_KNOWS = QueueAhead(pace=Pace.parse("1/s"), at_us=0, stopped=True)


class RememberedWaitingSenders(WaitingSenders):
    """Who waited a moment ago."""

    def __init__(self, waiting_senders: WaitingSenders, *, for_s: float = 0.5) -> None:
        self._waiting_senders = waiting_senders
        self._looks: _Looks[frozenset[int], Sequence[WaitingSender]] = _Looks(_MOST_LIMITS, for_s)

    async def under(self, limit_ids: frozenset[int]) -> Sequence[WaitingSender]:
        return await self._looks.at(limit_ids, lambda: self._waiting_senders.under(limit_ids))


class RememberedVitalSigns(VitalSigns):
    """As they were a moment ago, however many ask for the metrics."""

    def __init__(self, signs: VitalSigns, *, for_s: float = 2.0) -> None:
        self._signs = signs
        self._looks: _Looks[None, Vitals] = _Looks(1, for_s)

    async def now(self, *, now_us: int) -> Vitals:
        return await self._looks.at(None, lambda: self._signs.now(now_us=now_us))


class RememberedWorkload(Workload):
    """What waited some seconds ago, or the longer ago the more waits: each process of the hub looks by itself, for a
    hundredth of the time at the most.
    """

    def __init__(self, workload: Workload, *, for_s: float = 5.0) -> None:
        self._workload = workload
        self._looks: _Looks[None, Load] = _Looks(1, for_s, one_in=100)

    async def now(self, *, now_us: int) -> Load:
        return await self._looks.at(None, lambda: self._workload.now(now_us=now_us))


class _ForAWhile(Generic[K, V]):
    """What was found up to so many seconds ago. What was not found is looked for again."""

    def __init__(self, most: int, for_s: float) -> None:
        self._for_s = for_s
        self._found: LRUCache[K, tuple[V, float]] = LRUCache(most)
        self._sought: dict[K, asyncio.Future[V | None]] = {}

    async def find(self, key: K, look: Callable[[], Coroutine[None, None, V | None]]) -> V | None:
        found = self._found.get(key)
        if found is not None and time.monotonic() < found[1]:
            return found[0]
        # Of all who come while it is not known, one asks for it.
        sought = self._sought.get(key)
        if sought is None:
            sought = self._sought[key] = asyncio.ensure_future(self._look(key, look, self._sought))
        return await asyncio.shield(sought)

    def forget(self) -> None:
        """All of it, and what is being looked for: whoever asks from now on is answered anew."""
        self._found.clear()
        self._sought = {}

    async def _look(
        self, key: K, look: Callable[[], Coroutine[None, None, V | None]], among: dict[K, "asyncio.Future[V | None]"]
    ) -> V | None:
        try:
            value = await look()
        finally:
            del among[key]
        if value is not None and among is self._sought:
            self._found[key] = value, time.monotonic() + self._for_s
        return value


class _Looks(Generic[K, V]):
    """What was found when somebody looked.

    Looking takes the longer the more waits, so it is done the more seldom: for one in so many parts of the time at the
    most. Who asks meanwhile gets what is known; only what is as old again is waited for.
    """

    def __init__(self, most: int, for_s: float, *, one_in: int = 20) -> None:
        self._for_s = for_s
        self._one_in = one_in
        self._found: LRUCache[K, _Found[V]] = LRUCache(most)
        self._looking: dict[K, asyncio.Task[V]] = {}

    def known(self, key: K) -> V | None:
        found = self._found.get(key)
        return None if found is None else found.value

    def keep(self, key: K, value: V) -> None:
        """In the place of what is known, and as long as that."""
        self._found[key].value = value

    async def at(self, key: K, look: Callable[[], Coroutine[None, None, V]], *, waits_s: float | None = None) -> V:
        """Raises `TimeoutError` where it would have to be waited for longer; the look goes on."""
        found, now_s = self._found.get(key), time.monotonic()
        if found is not None and now_s < found.at_s + found.for_s:
            return found.value
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(look())
            looking.add_done_callback(lambda task: self._looked(key, task, now_s))
        if found is not None and now_s < found.at_s + 2 * found.for_s:
            return found.value
        async with asyncio.timeout(waits_s):
            return await asyncio.shield(looking)

    def _looked(self, key: K, task: "asyncio.Task[V]", began_s: float) -> None:
        del self._looking[key]
        if not task.cancelled() and task.exception() is None:
            ended_s = time.monotonic()
            self._found[key] = _Found(task.result(), ended_s, max(self._for_s, self._one_in * (ended_s - began_s)))


@dataclass
class _Found(Generic[V]):
    value: V
    at_s: float
    for_s: float


class RememberedTokens(Tokens):
    """A token that was good once is good until it expires: its signature is not verified again."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._verified: LRUCache[str, tuple[Grant, float]] = LRUCache(_MOST_TOKENS)

    def issue(self, grant: Grant) -> str:
        return self._tokens.issue(grant)

    def verify(self, token: str) -> Grant:
        known = self._verified.get(token)
        if known is not None and time.time() < known[1]:
            return known[0]
        # One that has expired meanwhile is refused here.
        grant = self._tokens.verify(token)
        self._verified[token] = grant, grant.expires_at.timestamp()
        return grant
