from dataclasses import replace

from adapters.providers.sandbox.magic_numbers import MAGIC_NUMBERS, MAGIC_SENDERS, ORDINARY, Fate
from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import Accepted, EnquiryAnswer, Found, NotFound, SendOutcome
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider

_DELIVERED_AFTER_US = 500_000


class SandboxProvider(SmsProvider):
    """Takes every text, sends none, and says a moment later that it was delivered, magic numbers excepted.

    It keeps nothing: what it says follows from the numbers and the count of calls, so it says the same after a
    restart.
    """

    def account_of(self, credentials: Credentials) -> str:
        if credentials.values:
            raise InvalidValue("The sandbox takes no credentials.")
        return "sandbox"

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        await departure()
        outcome = _outcome(_fate(text.sender, text.number), call=text.attempt)
        if isinstance(outcome, Accepted):
            return replace(outcome, reference=_reference(text.delivery_id), ask_after_us=_DELIVERED_AFTER_US)
        return outcome

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        fate = _fate(enquiry.sender, enquiry.delivery.number)
        taken = enquiry.delivery.state is DeliveryState.SENT
        answer = ORDINARY.answer if taken and isinstance(fate.answer, NotFound) else fate.answer
        if isinstance(answer, Found):
            return replace(answer, reference=_reference(enquiry.delivery.id))
        return answer

    async def prepare(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """It holds nothing."""


def _fate(sender: SenderAddress, number: PhoneNumber) -> Fate:
    return MAGIC_SENDERS.get(sender.value) or MAGIC_NUMBERS.get(number.e164, ORDINARY)


def _outcome(fate: Fate, *, call: int) -> SendOutcome:
    return fate.sends[min(call, len(fate.sends)) - 1]


def _reference(delivery_id: int) -> str:
    return f"sandbox-{delivery_id}"
