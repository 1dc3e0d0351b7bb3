"""Programs that are tried out by e-mail, as the store has them."""

import pytest

from domain.model.delivery import DeliveryState
from domain.model.program import Program
from domain.model.terms import USUAL_TERMS, Terms
from domain.ports.delivery_queue import Claim
from tests.builders import NOW_US, Store, a_number, an_opt_out, numbers

SECOND = 1_000_000
LATER = NOW_US + 3_600 * SECOND
TO = "office@example.org"
BY_MAIL = Terms(mail_to=TO)


async def claimed(store: Store, program: Program) -> Claim:
    """A delivery of the program that is being sent."""
    await store.add_text(program)
    [claim] = await store.claim(await store.join())
    return claim


async def test_a_claim_has_the_address_as_it_is_at_that_moment(store: Store) -> None:
    program = await store.add_program(pace="1000/s")
    await store.add_text(program, *numbers(3))
    await store.set_terms(program.id, BY_MAIL)

    claims = await store.claim(await store.join())

    assert [claim.mail_to for claim in claims] == [TO] * 3
    assert {claim.provider for claim in claims} == {"mail"}
    assert TO not in repr(claims)


async def test_of_programs_that_share_a_sender_each_has_its_own(store: Store) -> None:
    for name in ("city-hall", "library"):
        await store.add_text(await store.add_program(name, pace="1000/s"), *numbers(2))
    await store.set_terms("library", BY_MAIL)

    claims = await store.claim(await store.join())

    assert (
        sorted((claim.program_id, claim.mail_to, claim.provider) for claim in claims if claim.mail_to)
        == [("library", TO, "mail")] * 2
    )
    assert {claim.provider for claim in claims if claim.program_id == "city-hall"} == {"sandbox"}


async def test_who_opted_out_gets_no_e_mail_in_place_of_a_text_either(store: Store) -> None:
    program = await store.add_program(pace="1000/s")
    message = await store.add_text(program, *numbers(2))
    await store.set_terms(program.id, BY_MAIL)
    await store.opt_outs.record([an_opt_out(program.id, a_number(0))])

    claims = await store.claim(await store.join())

    assert [claim.delivery.number for claim in claims] == [a_number(1)]
    assert await store.states(program, message) == [DeliveryState.BLOCKED, DeliveryState.SENDING]


async def test_what_was_mailed_in_vain_is_texted_once_that_is_over(store: Store) -> None:
    program = await store.add_program()
    await store.set_terms(program.id, BY_MAIL)
    first = await claimed(store, program)
    await store.queue.record([first.delivery.retried("mail-server-away", now_us=NOW_US, after_us=0)])
    await store.set_terms(program.id, USUAL_TERMS)
    await store.due.queue(now_us=LATER)

    [again] = await store.claim(await store.join(at_us=LATER), at_us=LATER)

    assert (again.mail_to, again.provider, again.delivery.provider_reference) == (None, "sandbox", None)
    page = await store.texts.deliveries(program.id, again.message_id, after=0, limit=10)
    assert page is not None
    assert [each.delivery for each in page.items] == [again.delivery]


@pytest.mark.parametrize(
    ("before", "after", "provider"), [(BY_MAIL, USUAL_TERMS, "mail"), (USUAL_TERMS, BY_MAIL, "sandbox")]
)
async def test_whoever_was_tried_is_asked_whatever_the_program_wants_by_then(
    store: Store, before: Terms, after: Terms, provider: str
) -> None:
    program = await store.add_program()
    await store.set_terms(program.id, before)
    claim = await claimed(store, program)
    await store.queue.record([claim.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=0)])
    await store.set_terms(program.id, after)

    [enquiry] = await store.due.enquiries(now_us=LATER, limit=10)

    assert enquiry.provider == provider


async def test_what_a_dispatcher_leaves_behind_is_known_to_have_been_mailed(store: Store) -> None:
    program = await store.add_program()
    await store.set_terms(program.id, BY_MAIL)
    claim = await claimed(store, program)
    await store.set_terms(program.id, USUAL_TERMS)

    [orphan] = await store.dispatchers.orphans(silent_since_us=LATER, limit=10)

    assert (orphan.delivery, orphan.provider) == (claim.delivery, "mail")
