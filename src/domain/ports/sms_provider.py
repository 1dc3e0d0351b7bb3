from dataclasses import dataclass
from typing import Protocol

from domain.model.message_body import MessageBody
from domain.model.phone_number import PhoneNumber
from domain.model.send_outcome import EnquiryAnswer, SendOutcome
from domain.model.sender import SenderAddress
from domain.ports.due_deliveries import Enquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingText:
    """`delivery_id` travels with the text, so that receipts find their delivery even if the answer was lost."""

    delivery_id: int
    attempt: int
    sender: SenderAddress
    number: PhoneNumber
    body: MessageBody


class SmsProvider(Protocol):
    """A company that delivers texts, or what stands in for one."""

    async def send(self, text: OutgoingText) -> SendOutcome:
        """Calls the provider once. Never raises for what a provider or a network can do; every call ends in time."""
        ...

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        """Asks what became of a delivery."""
        ...
