"""What is asked for with every request is remembered for a while. Each adapter stands before another of its port."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from cachetools import LRUCache, TTLCache

from domain.model.access import Grant
from domain.model.credentials import ProviderAccount
from domain.model.pace import Pace
from domain.model.program import KeyHash, OnUnknown, Program
from domain.model.sender import SenderAddress
from domain.ports.programs import NewProgram, Programs
from domain.ports.tokens import Tokens

_MOST_PROGRAMS = 10_000
_MOST_TOKENS = 10_000


class RememberedPrograms(Programs):
    """Finds a program as it was up to two seconds ago: what other processes change shows after that."""

    def __init__(self, programs: Programs, *, for_s: float = 2.0) -> None:
        self._programs = programs
        self._found: TTLCache[str, Program] = TTLCache(_MOST_PROGRAMS, for_s)
        self._sought: dict[str, asyncio.Future[Program | None]] = {}

    async def find(self, program_id: str) -> Program | None:
        program = self._found.get(program_id)
        if program is not None:
            return program
        # Of all who come while it is not known, one asks for it.
        sought = self._sought.get(program_id)
        if sought is None:
            sought = self._sought[program_id] = asyncio.ensure_future(self._find(program_id))
        return await asyncio.shield(sought)

    async def _find(self, program_id: str) -> Program | None:
        try:
            program = await self._programs.find(program_id)
        finally:
            del self._sought[program_id]
        if program is not None:
            self._found[program_id] = program
        return program

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

    async def set_terms(self, program_id: str, *, on_unknown: OnUnknown, retention: timedelta | None) -> Program:
        return await self._programs.set_terms(program_id, on_unknown=on_unknown, retention=retention)

    async def find_with_keys(self, sid: str) -> tuple[Program, Sequence[KeyHash]] | None:
        return await self._programs.find_with_keys(sid)

    async def all(self) -> Sequence[Program]:
        return await self._programs.all()


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
