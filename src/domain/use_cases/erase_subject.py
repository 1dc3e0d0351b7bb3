from dataclasses import dataclass

from domain.model.phone_number import PhoneNumber
from domain.model.subject import Erasure
from domain.ports.clock import Clock
from domain.ports.erasures import Erasures

_NOTHING = Erasure(erased={}, remaining=0)


@dataclass(frozen=True, kw_only=True)
class EraseSubject:
    """Forgets one number in all programs, as far as that can be done at once. The rest is done by `finish`."""

    erasures: Erasures
    clock: Clock
    default_region: str

    async def __call__(self, number: str, *, keep_opt_outs: bool = True) -> Erasure:
        """Raises `NumberRefused`."""
        read = PhoneNumber.parse(number, region=self.default_region)
        await self.erasures.ask(read, keep_opt_outs=keep_opt_outs, now_us=self.clock.now_us())
        done = await self.erasures.carry_out(read, now_us=self.clock.now_us(), everywhere=True)
        return done or _NOTHING

    async def finish(self) -> None:
        """What was asked for and could not be done at once, or was broken off."""
        for number in await self.erasures.asked_for():
            await self.erasures.carry_out(number, now_us=self.clock.now_us(), everywhere=False)
