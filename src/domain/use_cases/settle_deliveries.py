import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.errors import StoreUnavailable
from domain.model.delivery import Delivery
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import CannotTell, EnquiryAnswer
from domain.ports.clock import Clock
from domain.ports.delivery_queue import DeliveryQueue
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.due_deliveries import DueDeliveries, Enquiry
from domain.ports.sms_provider import SmsProvider
from domain.ports.wakeups import Wakeups

_ASK_AGAIN_US = 60 * SECOND_US


@dataclass(frozen=True, kw_only=True)
class SettleDeliveries:
    """Turns to the deliveries whose time has come: queues the scheduled ones, and asks the providers about those
    whose outcome is unknown or for which no receipts come.
    """

    due: DueDeliveries
    queue: DeliveryQueue
    providers: Mapping[str, SmsProvider]
    clock: Clock
    observer: DispatchObserver
    retry: RetryPolicy
    wakeups: Wakeups
    at_once: int = 50

    async def __call__(self) -> int:
        """Works off what is due now, `at_once` at a time; says how many deliveries it asked about."""
        if await self.due.queue(now_us=self.clock.now_us()):
            self.wakeups.notify()
        asked = 0
        while enquiries := await self.due.enquiries(now_us=self.clock.now_us(), limit=self.at_once):
            await self._record(await self._ask_all(enquiries))
            asked += len(enquiries)
        return asked

    async def _record(self, deliveries: Sequence[Delivery]) -> None:
        """Until it is done: what was answered once would else be asked again, and only after a while."""
        while True:
            try:
                await self.queue.record(deliveries)
            except StoreUnavailable as error:
                self.observer.held_up(error)
                await self.clock.sleep_until(self.clock.now_us() + SECOND_US)
            else:
                return

    async def _answer(self, enquiry: Enquiry) -> EnquiryAnswer:
        try:
            return await self.providers[enquiry.provider].look_up(enquiry)
        except Exception as fault:  # noqa: BLE001 - one adapter's fault must not cost the others their answers
            self.observer.adapter_failed(enquiry.provider, fault)
            return CannotTell("provider-adapter-failed", ask_after_us=_ASK_AGAIN_US)

    async def _ask_all(self, enquiries: Sequence[Enquiry]) -> Sequence[Delivery]:
        by_number: dict[PhoneNumber, list[Enquiry]] = defaultdict(list)
        for each in enquiries:
            by_number[each.delivery.number].append(each)
        return [
            each for settled in await asyncio.gather(*map(self._ask_in_turn, by_number.values())) for each in settled
        ]

    async def _ask_in_turn(self, enquiries: Sequence[Enquiry]) -> Sequence[Delivery]:
        """Of equal texts to one number each is another one at the provider, too."""
        settled: list[Delivery] = []
        for enquiry in enquiries:
            found = frozenset(each.provider_reference for each in settled if each.provider_reference is not None)
            settled.append(await self._ask(replace(enquiry, others=enquiry.others | found)))
        return settled

    async def _ask(self, enquiry: Enquiry) -> Delivery:
        answer = await self._answer(enquiry)
        after = self.retry.after_enquiry(
            enquiry.delivery,
            answer,
            on_unknown=enquiry.on_unknown,
            now_us=self.clock.now_us(),
        )
        self.observer.enquired(enquiry, answer, after)
        return after
