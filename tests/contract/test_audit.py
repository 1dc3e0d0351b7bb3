"""What operators change stands in a record, with the change itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from domain.errors import LimitsInACircle, ProgramExists, TooManyKeys
from domain.model.access import KeyKind
from domain.model.audit import THE_HUB_ITSELF, Actor, AuditEvent, acting
from domain.model.credentials import Credentials, ProviderAccount
from domain.model.limit import DailyCap, Limit
from domain.model.pace import Pace
from domain.model.price import Price
from domain.model.program_key import KeyHash, KeyTerms, ProgramKey
from domain.model.sender import OptOutReplies, SenderAddress
from domain.model.staff import Role, StaffRole
from domain.model.terms import OnUnknown, Terms
from tests.builders import NOW_US, SENDER, Store, a_number, a_program

ACCOUNT = ProviderAccount("sandbox", Credentials({}))
SECRET = "a-secret-of-the-provider"
LIMIT = Limit(name="campaign", pace=Pace.parse("2/s"))


async def events(store: Store, program_id: str | None = None) -> Sequence[AuditEvent]:
    return (await store.audit_log.page(program_id=program_id, before=None, limit=100)).items


async def last(store: Store) -> AuditEvent:
    return (await events(store))[0]


async def issue(store: Store, terms: KeyTerms | None = None) -> int:
    key = ProgramKey.generate()
    hashed = KeyHash(key.hash())
    return (await store.keys.add("city-hall", hashed, terms or KeyTerms(), hint=key.hint, now_us=NOW_US)).id


# Each change, what it is called, and of what it is.
CHANGES: Mapping[str, tuple[Callable[[Store], Awaitable[object]], str]] = {
    "program.created": (lambda store: store.programs.add(a_program("library")), "program library"),
    "program.sender-added": (
        lambda store: store.programs.add_sender(
            "City-Hall", provider="sandbox", sender=SenderAddress("72975"), pace=None, account=ACCOUNT
        ),
        "program city-hall",
    ),
    "program.changed": (
        lambda store: store.set_terms("city-hall", Terms(on_unknown=OnUnknown.RESEND)),
        "program city-hall",
    ),
    "program.paused": (
        lambda store: store.pauses.set_program("CITY-HALL", paused=True, now_us=NOW_US),
        "program city-hall",
    ),
    "program.resumed": (
        lambda store: store.pauses.set_program("city-hall", paused=False, now_us=NOW_US),
        "program city-hall",
    ),
    "program.suspended": (
        lambda store: store.pauses.suspend_program("city-hall", suspended=True, now_us=NOW_US),
        "program city-hall",
    ),
    "program.reinstated": (
        lambda store: store.pauses.suspend_program("city-hall", suspended=False, now_us=NOW_US),
        "program city-hall",
    ),
    "key.issued": (issue, "key 2"),
    "key.revoked": (lambda store: store.keys.revoke("city-hall", 1, now_us=NOW_US), "key 1"),
    "sender.changed": (
        lambda store: store.senders.change(
            1, pace=Pace.parse("2/s"), backlog_us=0, opt_out_replies=OptOutReplies.PROVIDER, now_us=NOW_US
        ),
        f"sender {SENDER.value}",
    ),
    "sender.paused": (
        lambda store: store.pauses.set_sender(1, paused=True, now_us=NOW_US),
        f"sender {SENDER.value}",
    ),
    "sender.resumed": (
        lambda store: store.pauses.set_sender(1, paused=False, now_us=NOW_US),
        f"sender {SENDER.value}",
    ),
    "sender.limit-attached": (lambda store: store.limits.attach_sender(1, None), f"sender {SENDER.value}"),
    "account.limit-attached": (
        lambda store: store.limits.attach_account("sandbox", "sandbox", None),
        "account sandbox sandbox",
    ),
    "limit.set": (lambda store: store.limits.put(LIMIT), "limit campaign"),
    "account.credentials-set": (
        lambda store: store.known_accounts.set_credentials(1, Credentials({"auth_token": SECRET})),
        "account sandbox sandbox",
    ),
    "price.set": (lambda store: store.prices.put("US", Price.parse("0.0083 USD")), "price US"),
    "hub.paused": (lambda store: store.pauses.set_hub(paused=True, now_us=NOW_US), "hub"),
    "hub.resumed": (lambda store: store.pauses.set_hub(paused=False, now_us=NOW_US), "hub"),
    "accounts.sealed-anew": (lambda store: store.accounts.seal_anew(), "all accounts"),
}


async def test_roles_of_staff_are_told_as_they_were_and_are(store: Store) -> None:
    await store.add_program()
    given = [
        await store.staff_roles.put(StaffRole(group="housing", role=role, program_id="CITY-hall"))
        for role in (Role.READER, Role.SENDER, Role.SENDER)
    ]
    await store.staff_roles.remove(given[-1].id)

    told = [each for each in await events(store, "city-hall") if each.subject == "group housing"]
    assert [(each.action, each.changes) for each in told] == [
        ("staff-role.removed", {"Role": ("sender", None)}),
        ("staff-role.granted", {"Role": ("reader", "sender")}),
        ("staff-role.granted", {"Role": (None, "reader")}),
    ]


@pytest.mark.parametrize("action", CHANGES)
async def test_each_change_is_recorded_once(store: Store, action: str) -> None:
    await store.add_program()
    before = len(await events(store))
    change, subject = CHANGES[action]

    await change(store)

    newest, *others = await events(store)
    assert (newest.action, newest.subject) == (action, subject)
    assert len(others) == before


async def test_what_was_and_what_is_are_told_where_they_differ(store: Store) -> None:
    await store.add_program()
    await store.set_terms("city-hall", Terms(failover=True, notice="Reply STOP."))
    await store.set_terms("city-hall", Terms(failover=True, help_reply="Call us."))

    assert (await last(store)).changes == {"notice": ("Reply STOP.", None), "help_reply": (None, "Call us.")}
    await store.senders.change(1, pace=Pace.parse("40/min"), backlog_us=0, now_us=NOW_US)
    assert (await last(store)).changes == {"Rate": ("1/s", "40/min")}


async def test_limits_and_prices_are_told_as_they_were_and_are(store: Store) -> None:
    await store.add_program()
    steps: Sequence[tuple[Callable[[], Awaitable[object]], Mapping[str, object]]] = [
        (lambda: store.limits.put(LIMIT), {"Counts": (None, "segments"), "Rate": (None, "2/s")}),
        (
            lambda: store.limits.put(Limit(name="campaign", daily=DailyCap(2_000, "America/Chicago"))),
            {"Rate": ("2/s", None), "Daily": (None, 2_000), "Zone": (None, "America/Chicago")},
        ),
        (lambda: store.limits.attach_sender(1, "campaign"), {"Limit": (None, "campaign")}),
        (lambda: store.limits.attach_sender(1, None), {"Limit": ("campaign", None)}),
        (lambda: store.limits.attach_account("sandbox", "sandbox", "campaign"), {"Limit": (None, "campaign")}),
        (lambda: store.limits.attach_account("sandbox", "sandbox", None), {"Limit": ("campaign", None)}),
        (
            lambda: store.limits.remove("campaign"),
            {"Counts": ("segments", None), "Daily": (2_000, None), "Zone": ("America/Chicago", None)},
        ),
        (lambda: store.prices.put("US", Price.parse("0.0083 USD")), {"Price": (None, "0.0083 USD")}),
        (lambda: store.prices.put("US", Price.parse("0.0079 USD")), {"Price": ("0.0083 USD", "0.0079 USD")}),
        (lambda: store.prices.remove("US"), {"Price": ("0.0079 USD", None)}),
    ]
    for change, told in steps:
        await change()
        assert (await last(store)).changes == told


async def test_a_sender_that_a_program_has_already_is_not_added_once_more(store: Store) -> None:
    await store.add_program()
    further = SenderAddress("72975")
    for _ in range(2):
        await store.programs.add_sender("city-hall", provider="sandbox", sender=further, pace=None, account=ACCOUNT)

    assert [each.action for each in await events(store)] == ["program.sender-added", "program.created"]


async def test_what_changes_nothing_is_not_recorded(store: Store) -> None:
    await store.add_program()
    for pace in ("1/s", "1/s", "2/s"):
        await store.senders.change(1, pace=Pace.parse(pace), backlog_us=0, now_us=NOW_US)
        await store.set_terms("city-hall", Terms())

    assert [each.action for each in await events(store)] == ["sender.changed", "program.created"]


async def test_a_program_is_asked_for_in_any_letter_case(store: Store) -> None:
    await store.add_program()
    await store.add_program("library")

    page = await store.audit_log.page(program_id="City-HALL", before=None, limit=10)

    assert [each.subject for each in page.items] == ["program city-hall"]


async def test_what_is_taken_from_a_program_is_told(store: Store) -> None:
    await store.add_program()
    further = SenderAddress("72975")
    program = await store.programs.add_sender(
        "city-hall", provider="sandbox", sender=further, pace=None, account=ACCOUNT
    )
    await store.programs.remove_sender("City-Hall", program.other_senders[0].id)

    newest = await last(store)
    assert (newest.action, newest.subject) == ("program.sender-removed", "program city-hall")
    assert newest.changes == {"Sender": ("sandbox 72975", None)}


async def test_it_tells_who_by_which_way_and_from_where(store: Store) -> None:
    await store.add_program()
    actor = Actor(name="operations", via="api", address="198.51.100.7")

    token = acting.set(actor)
    try:
        await store.pauses.set_hub(paused=True, now_us=NOW_US)
    finally:
        acting.reset(token)
    await store.pauses.set_hub(paused=False, now_us=NOW_US)

    resumed, paused, _ = await events(store)
    assert (paused.actor, resumed.actor) == (actor, THE_HUB_ITSELF)


async def test_a_change_that_fails_is_none(store: Store) -> None:
    await store.add_program()
    await issue(store)
    await store.limits.put(LIMIT)
    before = await events(store)

    with pytest.raises(ProgramExists):
        await store.programs.add(a_program())
    with pytest.raises(TooManyKeys):
        await issue(store)
    with pytest.raises(LimitsInACircle):
        await store.limits.put(Limit(name="campaign", pace=Pace.parse("2/s"), parent="campaign"))

    assert await events(store) == before


async def test_nothing_secret_is_in_it(store: Store) -> None:
    account = ProviderAccount("AC1", Credentials({"auth_token": SECRET}))
    key = ProgramKey.generate()
    program = a_program("shop", provider="twilio", sender=SenderAddress("72975"), account=account)
    await store.programs.add(program)
    terms = KeyTerms(kind=KeyKind.TEAM, numbers=frozenset({a_number()}))
    await store.keys.add("shop", KeyHash(key.hash()), terms, hint=key.hint, now_us=NOW_US)

    told = repr(await events(store))

    assert "account.credentials-set" in told
    assert SECRET not in told
    assert key.value not in told
    assert a_number().e164 not in told


async def test_it_is_paged_newest_first_and_by_program(store: Store) -> None:
    await store.add_program("city-hall")
    await store.programs.add(a_program("library"))
    for paused in (True, False, True):
        await store.pauses.set_program("library", paused=paused, now_us=NOW_US)

    first = await store.audit_log.page(program_id="library", before=None, limit=3)
    second = await store.audit_log.page(program_id="library", before=first.end, limit=3)

    assert [each.action for each in first.items] == ["program.paused", "program.resumed", "program.paused"]
    assert [each.action for each in second.items] == ["program.created"]
    assert second.end is None
    assert len(await events(store)) == 5
