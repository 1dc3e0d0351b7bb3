from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.access import Grant
from domain.model.consent import Consent, ConsentEvent, Method, OptOut
from domain.model.phone_number import PhoneNumber
from domain.ports.clock import Clock
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program

_SCOPES_AT_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`still_bound` are the opt-outs of the number that bind the program now. After an opt-in those are others than
    the program's own, which it cannot lift: a sender's, which the provider goes by, or that from all texts of the hub.
    """

    event: ConsentEvent
    still_bound: Sequence[OptOut]


@dataclass(frozen=True, kw_only=True)
class SetOptOut:
    """Sets or lifts a program's opt-out for a number. What is queued to the number already is blocked, too."""

    programs: Programs
    opt_outs: OptOuts
    clock: Clock
    default_region: str

    async def __call__(
        self, grant: Grant, number: str, *, do_not_text: bool, program_id: str | None = None
    ) -> PhoneNumber:
        """The number as the hub read it. Raises `NumberRefused` or `OtherProgram`."""
        event = await self._event(grant, number, Consent.WITHDRAWN if do_not_text else Consent.GIVEN, program_id)
        await self.opt_outs.record([event])
        return event.number

    async def told(
        self, grant: Grant, number: str, consent: Consent, *, wording: str | None = None, actor: str | None = None
    ) -> Recorded:
        """The same with its proof: the words in which it was said or that were shown, and who said it.

        Raises `NumberRefused`.
        """
        event = await self._event(grant, number, consent, wording=wording, actor=actor)
        await self.opt_outs.record([event])
        bound = await self.opt_outs.page(grant.program_id, number=event.number, after=None, limit=_SCOPES_AT_MOST)
        return Recorded(event=event, still_bound=bound.items)

    async def _event(
        self,
        grant: Grant,
        number: str,
        consent: Consent,
        program_id: str | None = None,
        *,
        wording: str | None = None,
        actor: str | None = None,
    ) -> ConsentEvent:
        program = await own_program(self.programs, grant, program_id)
        return ConsentEvent(
            number=program.read_number(number, default_region=self.default_region),
            program_id=program.id,
            consent=consent,
            method=Method.API,
            at_us=self.clock.now_us(),
            wording=wording,
            actor=actor or f"program {program.id}",
        )
