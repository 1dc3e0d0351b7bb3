"""What a provider's later word means for the delivery that it is of."""

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.model.delivery import RECEIPT_STATES, Delivery, DeliveryState
from domain.model.receipt import Receipt
from tests.unit.builders import NOON, SECOND, a_delivery, a_number

S = DeliveryState
LATER = NOON + SECOND
SAID = [state for state in DeliveryState if state in RECEIPT_STATES]
NEGATIVE = [S.UNDELIVERED, S.FAILED, S.EXPIRED]
UNDER_WAY = [S.SENDING, S.UNKNOWN, S.SENT]


def a_receipt(
    state: DeliveryState = S.DELIVERED, *, reference: str = "SM1", attempt: int | None = None, digits: str | None = None
) -> Receipt:
    """Of the delivery that the builders make."""
    return Receipt(
        state=state,
        reference=reference,
        digits=digits or a_number().e164.removeprefix("+"),
        reason=f"said-{state.value}",
        delivery_id=1,
        attempt=attempt,
    )


def test_a_receipt_is_of_a_delivery_to_its_number_that_has_left_at_least_once() -> None:
    assert a_receipt().is_of(a_delivery(S.SENT, attempt=1))
    assert not a_receipt().is_of(a_delivery(attempt=0))
    assert not a_receipt(digits=a_number(9).e164.removeprefix("+")).is_of(a_delivery(S.SENT, attempt=1))
    assert not a_receipt(attempt=2).is_of(a_delivery(S.SENT, attempt=1)), "another hub's"
    assert not a_receipt(digits="nonsense").is_of(a_delivery(S.SENT, attempt=1))


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("state", [S.SENDING, S.UNKNOWN])
def test_it_settles_what_the_hub_does_not_know(state: DeliveryState, said: DeliveryState) -> None:
    after = a_receipt(said, attempt=1).settle(a_delivery(state, attempt=1), now_us=LATER)
    assert (after.state, after.reason, after.provider_reference) == (said, f"said-{said.value}", "SM1")


@pytest.mark.parametrize("state", UNDER_WAY)
def test_an_earlier_attempt_that_arrived_settles_all_later_ones(state: DeliveryState) -> None:
    before = a_delivery(state, attempt=2)
    assert a_receipt(attempt=1).settle(before, now_us=LATER).state is S.DELIVERED


@pytest.mark.parametrize("said", [S.SENT, *NEGATIVE])
@pytest.mark.parametrize("state", UNDER_WAY)
def test_an_earlier_attempt_that_came_to_nothing_says_nothing_of_a_later_one(
    state: DeliveryState, said: DeliveryState
) -> None:
    before = a_delivery(state, attempt=2)
    assert a_receipt(said, attempt=1).settle(before, now_us=LATER) is before


@pytest.mark.parametrize("said", NEGATIVE)
def test_where_no_attempt_is_named_the_reference_tells_which_it_is_of(said: DeliveryState) -> None:
    before = a_delivery(S.SENT, attempt=2, provider_reference="SM2")
    assert a_receipt(said, reference="SM1").settle(before, now_us=LATER) is before
    assert a_receipt(said, reference="SM2").settle(before, now_us=LATER).state is said


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("state", [S.SCHEDULED, S.QUEUED])
def test_what_is_to_be_sent_once_more_is_not(state: DeliveryState, said: DeliveryState) -> None:
    before = a_delivery(state, attempt=1, failures=1, reason="not-at-provider")
    assert a_receipt(said, attempt=1).settle(before, now_us=LATER).state is said


receipts = st.lists(st.builds(a_receipt, st.sampled_from(SAID), attempt=st.none() | st.integers(1, 3)), max_size=5)
deliveries = st.builds(
    a_delivery,
    st.sampled_from(DeliveryState),
    attempt=st.integers(1, 3),
    provider_reference=st.sampled_from([None, "SM1", "SM2"]),
)


def after_all(delivery: Delivery, told: tuple[Receipt, ...] | list[Receipt]) -> Delivery:
    for receipt in told:
        delivery = receipt.settle(delivery, now_us=LATER)
    return delivery


@given(deliveries, receipts)
def test_no_receipts_lead_out_of_a_final_state(delivery: Delivery, told: list[Receipt]) -> None:
    settled = after_all(delivery, told)
    assert not settled.state.terminal or after_all(settled, told) == settled


@given(deliveries, receipts)
def test_receipts_that_come_twice_change_nothing(delivery: Delivery, told: list[Receipt]) -> None:
    doubled = [each for receipt in told for each in (receipt, receipt)]
    assert after_all(delivery, doubled) == after_all(delivery, told)


@given(deliveries, st.sampled_from([S.DELIVERED, *NEGATIVE]), st.integers(1, 3))
def test_the_order_of_what_one_text_has_to_say_does_not_matter(
    delivery: Delivery, final: DeliveryState, attempt: int
) -> None:
    told = [a_receipt(state, attempt=attempt) for state in (S.SENT, final)]
    assume(told[0].is_of(delivery))
    ends = {after_all(delivery, each).state for each in permutations([*told, told[0]])}
    assert len(ends) == 1
