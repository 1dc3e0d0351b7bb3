"""What may become of a delivery, and what may not."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IllegalTransition
from domain.model.delivery import RECEIPT_STATES, Delivery, DeliveryState, in_order, overall_state
from tests.unit.builders import NOON, SECOND, a_delivery, a_number

S = DeliveryState
LATER = NOON + 7 * SECOND

TERMINAL = {S.FAILED, S.UNDELIVERED, S.EXPIRED, S.BLOCKED, S.CANCELED, S.DELIVERED}
RECEIPTS = [state for state in DeliveryState if state in RECEIPT_STATES]

# Each transition, the states that it may leave, and the state to which it leads.
TRANSITIONS: dict[str, tuple[Callable[[Delivery], Delivery], set[DeliveryState], DeliveryState | None]] = {
    "claimed": (lambda d: d.claimed(now_us=LATER), {S.QUEUED}, S.SENDING),
    "blocked": (lambda d: d.blocked("opted-out", now_us=LATER), {S.QUEUED, S.SCHEDULED}, S.BLOCKED),
    "canceled": (lambda d: d.canceled(now_us=LATER), {S.QUEUED, S.SCHEDULED}, S.CANCELED),
    "expired": (lambda d: d.expired(now_us=LATER), {S.QUEUED, S.SCHEDULED}, S.EXPIRED),
    "released": (lambda d: d.released(now_us=LATER), {S.SENDING}, S.QUEUED),
    "sent": (lambda d: d.sent("reference", now_us=LATER), {S.SENDING}, S.SENT),
    "refused": (lambda d: d.refused("unroutable", now_us=LATER), {S.SENDING}, S.FAILED),
    "refused for an opt-out": (
        lambda d: d.refused("opted-out-at-provider", now_us=LATER, opted_out=True),
        {S.SENDING},
        S.BLOCKED,
    ),
    "held back": (lambda d: d.held_back("throttled", now_us=LATER), {S.SENDING}, S.QUEUED),
    "retried": (
        lambda d: d.retried("no-connection", now_us=LATER, after_us=SECOND),
        {S.SENDING, S.UNKNOWN},
        S.SCHEDULED,
    ),
    "given up": (lambda d: d.given_up("no-connection", now_us=LATER), {S.SENDING, S.UNKNOWN}, S.FAILED),
    "lost sight of": (
        lambda d: d.lost_sight_of("no-answer", now_us=LATER, ask_after_us=SECOND),
        {S.SENDING},
        S.UNKNOWN,
    ),
    "doubted": (
        lambda d: d.doubted(now_us=LATER, ask_after_us=SECOND),
        {S.QUEUED, S.SCHEDULED, S.SENDING},
        S.UNKNOWN,
    ),
    "not found": (lambda d: d.not_found(now_us=LATER, ask_after_us=SECOND), {S.UNKNOWN}, S.UNKNOWN),
    "found": (lambda d: d.found("reference", now_us=LATER), {S.UNKNOWN, S.SENT}, S.SENT),
    "asked in vain": (lambda d: d.asked_in_vain(now_us=LATER), {S.UNKNOWN, S.SENT}, None),
}


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize("event", list(TRANSITIONS))
def test_a_transition_leads_where_it_should_or_is_illegal(event: str, state: DeliveryState) -> None:
    happen, allowed, target = TRANSITIONS[event]
    before = a_delivery(state)
    if state in allowed:
        after = happen(before)
        assert after.state is (target or state)
        # What was asked in vain is as it was.
        assert after.updated_us == (before.updated_us if target is None else LATER)
    else:
        with pytest.raises(IllegalTransition) as refused:
            happen(before)
        assert refused.value.state == state.value
    assert before == a_delivery(state)


@pytest.mark.parametrize("said", RECEIPTS)
@pytest.mark.parametrize("state", DeliveryState)
def test_a_receipt_moves_on_what_awaits_one_and_nothing_else(state: DeliveryState, said: DeliveryState) -> None:
    before = a_delivery(state)
    match state:
        case S.SCHEDULED | S.QUEUED:
            with pytest.raises(IllegalTransition):
                before.receipt(said, now_us=LATER)
        case S.SENDING | S.UNKNOWN:
            assert before.receipt(said, now_us=LATER).state is said
        case S.SENT if said is not S.SENT:
            assert before.receipt(said, now_us=LATER).state is said
        case _:
            assert before.receipt(said, now_us=LATER, reason="too-late") is before


@pytest.mark.parametrize("said", [S.SCHEDULED, S.QUEUED, S.SENDING, S.UNKNOWN, S.BLOCKED, S.CANCELED])
@pytest.mark.parametrize("state", DeliveryState)
def test_a_receipt_cannot_say_what_only_the_hub_decides(state: DeliveryState, said: DeliveryState) -> None:
    with pytest.raises(IllegalTransition):
        a_delivery(state).receipt(said, now_us=LATER)


def test_six_states_are_final() -> None:
    assert {state for state in DeliveryState if state.terminal} == TERMINAL


def test_a_claim_counts_the_attempt_and_forgets_why_the_last_one_failed() -> None:
    claimed = a_delivery(attempt=2, reason="throttled").claimed(now_us=LATER)
    assert (claimed.attempt, claimed.reason) == (3, None)


def test_a_released_delivery_keeps_the_number_of_its_attempt_so_that_its_late_result_is_known_for_late() -> None:
    assert a_delivery(S.SENDING, attempt=3).released(now_us=LATER).attempt == 3


def test_an_accepted_delivery_keeps_the_providers_reference_and_when_to_ask() -> None:
    sent = a_delivery(S.SENDING).sent("SM1", now_us=LATER, ask_after_us=30 * SECOND)
    assert (sent.provider_reference, sent.due_us) == ("SM1", LATER + 30 * SECOND)


def test_an_accepted_delivery_whose_provider_sends_receipts_is_not_asked_about() -> None:
    assert a_delivery(S.SENDING, due_us=NOON).sent("SM1", now_us=LATER).due_us is None


def test_a_canceled_delivery_needs_no_reason_and_is_not_turned_to_again() -> None:
    canceled = a_delivery(S.SCHEDULED, failures=1, reason="no-connection", due_us=LATER).canceled(now_us=LATER)
    assert (canceled.reason, canceled.due_us, canceled.failures) == (None, None, 1)


def test_an_expired_delivery_says_that_it_was_not_sent_in_time() -> None:
    expired = a_delivery(S.SCHEDULED, reason="no-connection", due_us=LATER).expired(now_us=LATER)
    assert (expired.reason, expired.due_us) == ("not-sent-in-time", None)


def test_throttling_is_no_failure() -> None:
    held_back = a_delivery(S.SENDING, failures=2).held_back("throttled", now_us=LATER)
    assert (held_back.failures, held_back.reason) == (2, "throttled")


def test_a_retry_counts_the_failure_and_is_due_later() -> None:
    retried = a_delivery(S.UNKNOWN, failures=2, enquiries=1).retried("not-at-provider", now_us=LATER, after_us=SECOND)
    assert (retried.failures, retried.enquiries, retried.due_us) == (3, 2, LATER + SECOND)
    assert retried.reason == "not-at-provider"


def test_that_an_outcome_was_unknown_is_remembered_until_the_next_that_is() -> None:
    known = a_delivery(S.SENDING).retried("no-connection", now_us=LATER, after_us=SECOND)
    assert known.enquiries == 0
    once = a_delivery(S.UNKNOWN).retried("not-at-provider", now_us=LATER, after_us=0)
    again = replace(once, state=S.SENDING).retried("no-connection", now_us=LATER, after_us=0)
    assert (once.enquiries, again.enquiries) == (1, 1)
    lost = replace(again, state=S.SENDING).lost_sight_of("no-answer", now_us=LATER, ask_after_us=SECOND)
    assert lost.enquiries == 0


def test_an_unknown_delivery_says_why_and_when_it_is_asked_about() -> None:
    unknown = a_delivery(S.SENDING).lost_sight_of("no-answer", now_us=LATER, ask_after_us=SECOND)
    assert (unknown.reason, unknown.due_us) == ("no-answer", LATER + SECOND)


def test_an_unknown_delivery_may_be_one_that_nobody_can_be_asked_about() -> None:
    unknown = a_delivery(S.SENDING, due_us=NOON).lost_sight_of("no-answer", now_us=LATER, ask_after_us=None)
    assert unknown.due_us is None


def test_an_enquiry_without_a_finding_is_counted_and_repeated_and_keeps_the_reason() -> None:
    asked = a_delivery(S.UNKNOWN, enquiries=1, reason="no-answer").not_found(now_us=LATER, ask_after_us=SECOND)
    assert (asked.enquiries, asked.due_us, asked.reason) == (2, LATER + SECOND, "no-answer")


def test_what_the_provider_found_is_sent_and_in_doubt_no_more() -> None:
    found = a_delivery(S.UNKNOWN, reason="no-answer").found("SM1", now_us=LATER, ask_after_us=SECOND)
    assert (found.reason, found.provider_reference, found.due_us) == (None, "SM1", LATER + SECOND)


@pytest.mark.parametrize("state", [S.UNKNOWN, S.SENT])
def test_a_delivery_asked_about_in_vain_is_not_asked_about_again(state: DeliveryState) -> None:
    asked = a_delivery(state, reason="no-answer", due_us=NOON).asked_in_vain(now_us=LATER)
    assert (asked.due_us, asked.reason) == (None, "no-answer")


def test_a_delivery_asked_about_in_vain_may_be_asked_about_later() -> None:
    asked = a_delivery(S.UNKNOWN, enquiries=1).asked_in_vain(now_us=LATER, ask_after_us=SECOND)
    assert (asked.due_us, asked.enquiries, asked.updated_us) == (LATER + SECOND, 1, NOON)


@pytest.mark.parametrize(("state", "attempts_more"), [(S.QUEUED, 1), (S.SCHEDULED, 1), (S.SENDING, 0)])
def test_what_a_backup_shows_as_waiting_may_have_been_claimed_since(state: DeliveryState, attempts_more: int) -> None:
    doubted = a_delivery(state, attempt=2, failures=1).doubted(now_us=LATER, ask_after_us=SECOND)
    assert (doubted.state, doubted.reason, doubted.due_us) == (S.UNKNOWN, "restored-from-backup", LATER + SECOND)
    assert (doubted.attempt, doubted.failures) == (2 + attempts_more, 1)


def test_a_receipt_settles_a_delivery_gives_its_reason_and_ends_all_enquiries() -> None:
    before = a_delivery(S.SENT, provider_reference="SM1", due_us=LATER)
    after = before.receipt(S.UNDELIVERED, now_us=LATER, reason="unreachable")
    assert (after.reason, after.due_us, after.updated_us) == ("unreachable", None, LATER)
    assert after.provider_reference == "SM1"


@pytest.mark.parametrize("said", RECEIPTS)
@pytest.mark.parametrize("state", [S.SCHEDULED, S.QUEUED])
def test_what_waits_to_be_sent_again_is_not_when_a_receipt_shows_that_it_was(
    state: DeliveryState, said: DeliveryState
) -> None:
    before = a_delivery(state, attempt=1, failures=1, reason="not-at-provider", due_us=LATER)
    after = before.receipt(said, now_us=LATER, provider_reference="SM1")
    assert (after.state, after.reason, after.due_us, after.provider_reference) == (said, None, None, "SM1")


def test_a_receipt_that_is_faster_than_the_answer_brings_the_reference_along() -> None:
    assert a_delivery(S.SENDING).receipt(S.SENT, now_us=LATER, provider_reference="SM1").provider_reference == "SM1"


def test_a_reference_that_is_known_stays() -> None:
    before = a_delivery(S.SENT, provider_reference="SM1")
    assert before.receipt(S.DELIVERED, now_us=LATER, provider_reference="SM2").provider_reference == "SM1"


receipts = st.lists(st.sampled_from(RECEIPTS), max_size=12)
open_states = st.sampled_from([S.SENDING, S.UNKNOWN, S.SENT])


def after_all(delivery: Delivery, said: Iterable[tuple[int, DeliveryState]]) -> Delivery:
    """`said` comes with the time at which it was said for the first time."""
    for at_us, state in said:
        delivery = delivery.receipt(state, now_us=LATER + at_us, reason=f"said-{at_us}")
    return delivery


@given(open_states, receipts)
def test_the_first_final_receipt_stands_whatever_follows(state: DeliveryState, said: list[DeliveryState]) -> None:
    final = [each for each in said if each.terminal]
    expected = final[0] if final else S.SENT if said else state
    assert after_all(a_delivery(state), enumerate(said)).state is expected


@given(st.sampled_from([state for state in DeliveryState if state in TERMINAL]), receipts)
def test_no_sequence_of_receipts_leads_out_of_a_final_state(state: DeliveryState, said: list[DeliveryState]) -> None:
    assert after_all(a_delivery(state), enumerate(said)) == a_delivery(state)


@given(st.data(), open_states, receipts)
def test_receipts_that_come_again_change_nothing(
    data: st.DataObject, state: DeliveryState, said: list[DeliveryState]
) -> None:
    once = list(enumerate(said))
    again = list(once)
    for number, each in once:
        for _ in range(data.draw(st.integers(0, 2))):
            again.insert(data.draw(st.integers(again.index((number, each)) + 1, len(again))), (number, each))
    assert after_all(a_delivery(state), again) == after_all(a_delivery(state), once)


@given(open_states, st.sampled_from([S.DELIVERED, S.UNDELIVERED, S.FAILED, S.EXPIRED]))
def test_a_receipt_of_sent_that_comes_after_the_final_one_is_too_late(
    state: DeliveryState, final: DeliveryState
) -> None:
    in_order = a_delivery(state).receipt(S.SENT, now_us=LATER).receipt(final, now_us=LATER)
    out_of_order = a_delivery(state).receipt(final, now_us=LATER).receipt(S.SENT, now_us=LATER)
    assert in_order.state is out_of_order.state is final


ORDER = (
    S.SCHEDULED,
    S.QUEUED,
    S.SENDING,
    S.UNKNOWN,
    S.SENT,
    S.FAILED,
    S.UNDELIVERED,
    S.EXPIRED,
    S.BLOCKED,
    S.CANCELED,
    S.DELIVERED,
)


def test_the_least_advanced_delivery_decides_and_then_the_worst_outcome() -> None:
    assert len(ORDER) == len(DeliveryState)
    for first, second in combinations(ORDER, 2):
        assert overall_state({second: 1_000, first: 1}) is first


@given(st.dictionaries(st.sampled_from(DeliveryState), st.integers(0, 3)))
def test_states_are_told_least_advanced_first_without_those_that_no_delivery_is_in(
    counts: dict[DeliveryState, int],
) -> None:
    assert in_order(counts) == [state for state in ORDER if counts.get(state)]


@pytest.mark.parametrize("state", DeliveryState)
def test_a_message_whose_deliveries_agree_is_in_their_state(state: DeliveryState) -> None:
    assert overall_state({state: 3}) is state


def test_states_that_no_delivery_is_in_decide_nothing() -> None:
    assert overall_state({S.SCHEDULED: 0, S.DELIVERED: 2, S.FAILED: 0}) is S.DELIVERED


def test_a_delivery_shown_in_a_log_or_a_traceback_shows_no_number() -> None:
    shown = repr(a_delivery(number=a_number(4544)))
    assert "970" not in shown
    assert "4544" not in shown
