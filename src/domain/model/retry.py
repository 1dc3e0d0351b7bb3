"""What becomes of a delivery after a call to the provider, or after an answer about an unknown one."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.model.delivery import Delivery, DeliveryState
from domain.model.pace import SECOND_US
from domain.model.send_outcome import (
    Accepted,
    Barred,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotFound,
    NotSent,
    Refused,
    SendOutcome,
    Throttled,
    Unknown,
)
from domain.model.terms import OnUnknown


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015), and the times at which
    a provider is asked about an unknown delivery.

    `enquiry_delays_us` are counted one after the other; a delivery that the provider still does not know after the
    last of them was not sent, and is sent again. A provider that cannot tell is asked for `asked_for_us`; from then on
    nobody can tell, and the program's own policy decides.
    """

    most_failures: int = 8
    first_backoff_us: int = 2 * SECOND_US
    longest_backoff_us: int = 900 * SECOND_US
    enquiry_delays_us: tuple[int, ...] = (30 * SECOND_US, 300 * SECOND_US)
    asked_for_us: int = 3_600 * SECOND_US
    first_bar_us: int = 30 * SECOND_US
    longest_bar_us: int = 900 * SECOND_US

    def after_send(
        self, delivery: Delivery, outcome: SendOutcome, *, now_us: int, jitter: Callable[[], float]
    ) -> Delivery:
        """The delivery as the outcome leaves it. `jitter` gives a number from 0 to 1, the part of the backoff that is
        waited.
        """
        match outcome:
            case Accepted(reference, ask_after_us):
                return delivery.sent(reference, now_us=now_us, ask_after_us=ask_after_us)
            case Refused(reason, opted_out):
                return delivery.refused(reason, now_us=now_us, opted_out=opted_out)
            case Throttled():
                return delivery.held_back("throttled", now_us=now_us)
            case Barred(reason):
                return delivery.held_back(reason, now_us=now_us)
            case NotSent(reason):
                return self._retried(delivery, reason, now_us=now_us, jitter=jitter)
            case Unknown(reason):
                return delivery.lost_sight_of(reason, now_us=now_us, ask_after_us=self.enquiry_delays_us[0])

    def after_enquiry(
        self, delivery: Delivery, answer: EnquiryAnswer, *, on_unknown: OnUnknown, now_us: int
    ) -> Delivery:
        """For a delivery that is `unknown` or `sent`."""
        match answer:
            case Found(reference, state, reason, ask_after_us):
                if delivery.state is DeliveryState.UNKNOWN or state is None:
                    delivery = delivery.found(reference, now_us=now_us, ask_after_us=ask_after_us)
                return delivery if state is None else delivery.receipt(state, now_us=now_us, reason=reason)
            case NotFound() if delivery.state is DeliveryState.UNKNOWN:
                asked = delivery.enquiries + 1
                if asked < len(self.enquiry_delays_us):
                    return delivery.not_found(now_us=now_us, ask_after_us=self.enquiry_delays_us[asked])
                if delivery.failures + 1 >= self.most_failures:
                    return delivery.given_up("not-at-provider", now_us=now_us)
                return delivery.retried("not-at-provider", now_us=now_us, after_us=0)
            case NotFound():
                return delivery.asked_in_vain(now_us=now_us)
            case CannotTell(_, int(ask_after_us)) if now_us + ask_after_us < delivery.updated_us + self.asked_for_us:
                return delivery.asked_in_vain(now_us=now_us, ask_after_us=ask_after_us)
            case CannotTell():
                return self._nobody_can_tell(delivery, on_unknown, now_us=now_us)

    def barred_for_us(self, times: int) -> int:
        """How long a sender is left alone that its provider takes nothing from, for the so-manieth time in a row."""
        return min(self.first_bar_us << min(times - 1, 20), self.longest_bar_us)

    def _nobody_can_tell(self, delivery: Delivery, on_unknown: OnUnknown, *, now_us: int) -> Delivery:
        if delivery.state is not DeliveryState.UNKNOWN or on_unknown is OnUnknown.LEAVE:
            return delivery.asked_in_vain(now_us=now_us)
        if delivery.failures + 1 >= self.most_failures:
            return delivery.given_up("never-known", now_us=now_us)
        return delivery.resent("resent-after-unknown", now_us=now_us)

    def _retried(self, delivery: Delivery, reason: str, *, now_us: int, jitter: Callable[[], float]) -> Delivery:
        if delivery.failures + 1 >= self.most_failures:
            return delivery.given_up(reason, now_us=now_us)
        longest_us = min(self.first_backoff_us * 2**delivery.failures, self.longest_backoff_us)
        return delivery.retried(reason, now_us=now_us, after_us=int(longest_us * jitter()))
