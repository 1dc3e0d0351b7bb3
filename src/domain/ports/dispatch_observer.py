from collections.abc import Sequence
from typing import Protocol

from domain.errors import HubError
from domain.model.delivery import Delivery
from domain.model.failover import Failover
from domain.model.send_outcome import EnquiryAnswer, SendOutcome
from domain.model.sender import Sender
from domain.ports.delivery_queue import Claim
from domain.ports.due_deliveries import Enquiry
from domain.ports.failovers import FailedOver


class DispatchObserver(Protocol):
    """Told of what happens, for logs and metrics. Must be quick and must not raise."""

    def attempted(self, claim: Claim, outcome: SendOutcome, after: Delivery, *, late_us: int, took_us: int) -> None:
        """`late_us` is how long after its slot the call was made."""
        ...

    def released(self, claim: Claim) -> None: ...

    def barred(self, sender: Sender, reason: str, *, times: int) -> None:
        """The provider takes nothing from the sender, for the so-manieth time in a row."""
        ...

    def unbarred(self, sender: Sender) -> None: ...

    def failed_over(self, failover: Failover, deliveries: Sequence[FailedOver]) -> None: ...

    def enquired(self, enquiry: Enquiry, answer: EnquiryAnswer, after: Delivery) -> None: ...

    def rescued(self, provider: str, deliveries: Sequence[Delivery]) -> None:
        """Of one provider's."""
        ...

    def beaten(self) -> None:
        """The dispatcher has said that it is alive, and was heard."""
        ...

    def credit_told(self, provider: str, account_id: int, amount: float) -> None:
        """A provider has said how much the account has left, in its own currency."""
        ...

    def adapter_failed(self, provider: str, fault: Exception) -> None:
        """A provider's adapter raised, which is a fault of ours. Its text may show what was to be sent."""
        ...

    def code_unlisted(self, provider: str, status: int, code: str) -> None:
        """A provider refused a text for a reason that the hub does not know: its HTTP status alone was judged."""
        ...

    def held_up(self, error: HubError) -> None:
        """The store did not answer; work goes on when it does."""
        ...
