from dataclasses import dataclass

from domain.model.access import Grant
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.phone_number import PhoneNumber
from domain.ports.clock import Clock
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs, own_program


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
        program = await own_program(self.programs, grant, program_id)
        parsed = program.read_number(number, default_region=self.default_region)
        event = ConsentEvent(
            number=parsed,
            program_id=program.id,
            consent=Consent.WITHDRAWN if do_not_text else Consent.GIVEN,
            method=Method.API,
            at_us=self.clock.now_us(),
            actor=f"program {program.id}",
        )
        await self.opt_outs.record([event])
        return parsed
