"""What becomes of a delivery after a call, and after an enquiry."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IllegalTransition
from domain.model.delivery import Delivery, DeliveryState
from domain.model.retry import RetryPolicy
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
from tests.unit.builders import NOON, SECOND, a_delivery

S = DeliveryState
LATER = NOON + 7 * SECOND
POLICY = RetryPolicy(enquiry_delays_us=(30 * SECOND, 300 * SECOND))

OUTCOMES: list[SendOutcome] = [
    Accepted("SM1"),
    Refused("unroutable"),
    Throttled(),
    NotSent("no-connection"),
    Barred("no-credit"),
    Unknown("no-answer"),
]


def sending(*, failures: int = 0) -> Delivery:
    return a_delivery(S.SENDING, attempt=1, failures=failures)


def after(outcome: SendOutcome, delivery: Delivery | None = None, *, jitter: float = 1.0) -> Delivery:
    return POLICY.after_send(delivery or sending(), outcome, now_us=LATER, jitter=lambda: jitter)


def answered(
    answer: EnquiryAnswer,
    delivery: Delivery | None = None,
    *,
    since_us: int = NOON,
    on_unknown: OnUnknown = OnUnknown.LEAVE,
) -> Delivery:
    delivery = replace(delivery or a_delivery(S.UNKNOWN, reason="no-answer"), updated_us=since_us)
    return POLICY.after_enquiry(delivery, answer, on_unknown=on_unknown, now_us=LATER)


def test_what_is_accepted_is_sent() -> None:
    sent = after(Accepted("SM1", ask_after_us=5 * SECOND))
    assert (sent.state, sent.provider_reference, sent.due_us) == (S.SENT, "SM1", LATER + 5 * SECOND)


def test_what_is_refused_has_failed_for_good() -> None:
    failed = after(Refused("unroutable"))
    assert (failed.state, failed.reason, failed.due_us) == (S.FAILED, "unroutable", None)


def test_what_is_refused_because_of_an_opt_out_is_blocked() -> None:
    blocked = after(Refused("opted-out-at-provider", opted_out=True))
    assert (blocked.state, blocked.reason) == (S.BLOCKED, "opted-out-at-provider")


def test_what_is_throttled_is_queued_again_and_has_not_failed() -> None:
    queued = after(Throttled(retry_after_us=SECOND), sending(failures=7))
    assert (queued.state, queued.failures, queued.due_us) == (S.QUEUED, 7, None)


def test_what_a_barred_sender_could_not_send_is_queued_again_and_has_not_failed() -> None:
    queued = after(Barred("no-credit"), sending(failures=7))
    assert (queued.state, queued.failures, queued.reason, queued.due_us) == (S.QUEUED, 7, "no-credit", None)


@pytest.mark.parametrize(
    ("times", "left_alone_s"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (7, 900), (30_000, 900)]
)
def test_a_sender_that_is_barred_is_left_alone_longer_every_time(times: int, left_alone_s: int) -> None:
    assert RetryPolicy().barred_for_us(times) == left_alone_s * SECOND


def test_what_was_not_sent_is_tried_again_later() -> None:
    scheduled = after(NotSent("no-connection"))
    assert (scheduled.state, scheduled.failures, scheduled.reason) == (S.SCHEDULED, 1, "no-connection")
    assert scheduled.due_us == LATER + 2 * SECOND


@pytest.mark.parametrize(("failures", "longest_s"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32), (5, 64), (6, 128)])
def test_each_failure_doubles_the_longest_wait(failures: int, longest_s: int) -> None:
    assert after(NotSent("no-connection"), sending(failures=failures)).due_us == LATER + longest_s * SECOND


@pytest.mark.parametrize("failures", [0, 3, 12, 60])
def test_no_wait_is_longer_than_the_longest(failures: int) -> None:
    policy = RetryPolicy(most_failures=100, longest_backoff_us=10 * SECOND)
    retried = policy.after_send(sending(failures=failures), NotSent("no-connection"), now_us=LATER, jitter=lambda: 1.0)
    assert retried.due_us == LATER + min(2 * 2**failures, 10) * SECOND


@given(st.integers(0, 6), st.floats(0, 1))
def test_the_wait_is_anything_from_nothing_to_the_longest(failures: int, jitter: float) -> None:
    due_us = after(NotSent("no-connection"), sending(failures=failures), jitter=jitter).due_us
    assert due_us == LATER + int(2 * 2**failures * SECOND * jitter)


def test_the_eighth_failure_is_the_last() -> None:
    assert after(NotSent("no-connection"), sending(failures=6)).state is S.SCHEDULED
    given_up = after(NotSent("no-connection"), sending(failures=7))
    assert (given_up.state, given_up.reason, given_up.due_us) == (S.FAILED, "no-connection", None)


def test_what_is_unknown_is_asked_about_and_not_sent_again() -> None:
    unknown = after(Unknown("no-answer"))
    assert (unknown.state, unknown.reason, unknown.due_us) == (S.UNKNOWN, "no-answer", LATER + 30 * SECOND)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("state", [state for state in DeliveryState if state not in {S.SENDING, S.UNKNOWN}])
def test_only_what_is_being_sent_has_an_outcome(state: DeliveryState, outcome: SendOutcome) -> None:
    with pytest.raises(IllegalTransition):
        after(outcome, a_delivery(state))


def test_an_unknown_delivery_that_the_provider_has_is_sent() -> None:
    sent = answered(Found("SM1", ask_after_us=SECOND))
    assert (sent.state, sent.provider_reference, sent.due_us) == (S.SENT, "SM1", LATER + SECOND)


@pytest.mark.parametrize("state", [S.UNKNOWN, S.SENT])
@pytest.mark.parametrize("verdict", [S.DELIVERED, S.UNDELIVERED, S.FAILED, S.EXPIRED])
def test_the_providers_verdict_settles_a_delivery(state: DeliveryState, verdict: DeliveryState) -> None:
    settled = answered(Found("SM1", verdict, "said-so"), a_delivery(state, provider_reference="SM1", due_us=NOON))
    assert (settled.state, settled.reason, settled.due_us) == (verdict, "said-so", None)
    assert settled.provider_reference == "SM1"


def test_a_verdict_on_an_unknown_delivery_brings_the_reference_with_it() -> None:
    assert answered(Found("SM1", S.DELIVERED)).provider_reference == "SM1"


def test_a_sent_delivery_without_a_verdict_is_asked_about_again() -> None:
    still_sent = answered(Found("SM1", ask_after_us=9 * SECOND), a_delivery(S.SENT))
    assert (still_sent.state, still_sent.due_us) == (S.SENT, LATER + 9 * SECOND)


def test_a_sent_delivery_without_a_verdict_is_left_alone_when_the_provider_says_so() -> None:
    assert answered(Found("SM1"), a_delivery(S.SENT, due_us=NOON)).due_us is None


def test_an_unknown_delivery_that_the_provider_does_not_know_yet_is_asked_about_again() -> None:
    asked = answered(NotFound())
    assert (asked.state, asked.enquiries, asked.due_us) == (S.UNKNOWN, 1, LATER + 300 * SECOND)


def test_an_unknown_delivery_that_the_provider_still_does_not_know_is_sent_again() -> None:
    again = answered(NotFound(), a_delivery(S.UNKNOWN, enquiries=1, failures=2))
    assert (again.state, again.reason, again.due_us) == (S.SCHEDULED, "not-at-provider", LATER)
    assert (again.failures, again.enquiries) == (3, 2)


def test_the_provider_is_asked_as_often_as_there_are_delays() -> None:
    policy = RetryPolicy(enquiry_delays_us=(1, 10, 100, 1_000))
    unknown = policy.after_send(sending(), Unknown("no-answer"), now_us=0, jitter=lambda: 1.0)
    dues = [unknown.due_us]
    while unknown.state is S.UNKNOWN:
        assert unknown.due_us is not None
        unknown = policy.after_enquiry(unknown, NotFound(), on_unknown=OnUnknown.LEAVE, now_us=unknown.due_us)
        dues.append(unknown.due_us)
    assert dues == [1, 11, 111, 1_111, 1_111]


def test_a_sent_delivery_that_the_provider_does_not_know_is_never_sent_again() -> None:
    left_alone = answered(NotFound(), a_delivery(S.SENT, due_us=NOON, provider_reference="SM1"))
    assert (left_alone.state, left_alone.due_us, left_alone.provider_reference) == (S.SENT, None, "SM1")


@pytest.mark.parametrize("state", [S.UNKNOWN, S.SENT])
def test_where_nobody_can_tell_a_delivery_stays_as_it_is(state: DeliveryState) -> None:
    left_alone = answered(CannotTell("no-lookup"), a_delivery(state, reason="no-answer", due_us=NOON))
    assert (left_alone.state, left_alone.reason, left_alone.due_us) == (state, "no-answer", None)


@pytest.mark.parametrize("state", [S.UNKNOWN, S.SENT])
def test_where_the_provider_cannot_tell_just_now_it_is_asked_again(state: DeliveryState) -> None:
    asked = answered(CannotTell("out-of-order", ask_after_us=SECOND), a_delivery(state, reason="no-answer"))
    assert (asked.state, asked.reason, asked.due_us) == (state, "no-answer", LATER + SECOND)


HOUR_AGO = LATER - 3_600 * SECOND


def test_a_provider_that_cannot_tell_is_asked_for_an_hour() -> None:
    just_now = CannotTell("out-of-order", ask_after_us=SECOND)
    assert answered(just_now, since_us=HOUR_AGO + SECOND + 1).due_us == LATER + SECOND
    assert answered(just_now, since_us=HOUR_AGO + SECOND).due_us is None


@pytest.mark.parametrize("answer", [CannotTell("no-lookup"), CannotTell("out-of-order", ask_after_us=SECOND)])
def test_where_nobody_can_tell_a_program_may_want_it_sent_again(answer: CannotTell) -> None:
    again = answered(answer, since_us=HOUR_AGO, on_unknown=OnUnknown.RESEND)
    assert (again.state, again.reason, again.due_us) == (S.SCHEDULED, "resent-after-unknown", LATER)
    assert (again.resends, again.failures) == (1, 1)


def test_what_may_have_been_sent_too_often_is_given_up() -> None:
    unknown = a_delivery(S.UNKNOWN, failures=7)
    given_up = answered(CannotTell("no-lookup"), unknown, since_us=HOUR_AGO, on_unknown=OnUnknown.RESEND)
    assert (given_up.state, given_up.reason) == (S.FAILED, "never-known")


def test_what_was_sent_is_not_sent_again_because_nobody_can_tell_how_it_ended() -> None:
    sent = a_delivery(S.SENT, provider_reference="SM1")
    left_alone = answered(CannotTell("no-lookup"), sent, since_us=HOUR_AGO, on_unknown=OnUnknown.RESEND)
    assert (left_alone.state, left_alone.due_us, left_alone.resends) == (S.SENT, None, 0)


def test_a_provider_is_asked_half_a_minute_after_the_call_and_five_minutes_after_that() -> None:
    assert RetryPolicy().enquiry_delays_us == (30 * SECOND, 300 * SECOND)
