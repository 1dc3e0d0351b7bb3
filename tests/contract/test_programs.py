import asyncio

import pytest

from domain.errors import OwnSender, PaceDiffers, ProgramExists, ProgramNotFound, SenderNotFound
from domain.model.message_body import MAX_SEGMENTS
from domain.model.pace import Pace
from domain.model.program_key import KeyHash, ProgramKey
from domain.model.sender import Sender, SenderAddress
from tests.builders import SANDBOX, Store, a_program

OTHER_SENDER = SenderAddress("+19705550101")


async def test_a_program_is_found_as_it_was_added(store: Store) -> None:
    added = await store.programs.add(a_program("city-hall", sid="AC-1", name="City Hall", pace="40/min"))

    assert await store.programs.find("city-hall") == added
    assert (added.id, added.sid, added.name) == ("city-hall", "AC-1", "City Hall")
    assert added.sender == Sender(
        id=added.sender.id,
        provider="sandbox",
        address=SenderAddress("+19705550100"),
        pace=Pace.parse("40/min"),
        account_id=added.sender.account_id,
        account="sandbox",
    )
    assert added.terms.segment_cap == MAX_SEGMENTS
    assert added.terms.token_lifetime is None
    assert not added.first_hub


async def test_a_program_of_the_first_hub_stays_known_as_one(store: Store) -> None:
    await store.programs.add(a_program("old", first_hub=True))

    found = await store.programs.find("old")

    assert found is not None
    assert found.first_hub


@pytest.mark.parametrize("written", ["City-Hall", "CITY-HALL", "city-hall", "cItY-hAlL"])
async def test_a_program_is_found_by_its_id_in_any_letter_case(store: Store, written: str) -> None:
    await store.programs.add(a_program("City-Hall"))

    found = await store.programs.find(written)

    assert found is not None
    assert found.id == "City-Hall"


@pytest.mark.parametrize(("added", "sought"), [("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("Élan", "éLAN")])
async def test_letter_case_is_no_matter_in_any_script(store: Store, added: str, sought: str) -> None:
    await store.programs.add(a_program(added))

    found = await store.programs.find(sought)

    assert found is not None
    assert found.id == added


async def test_an_unknown_program_is_not_found(store: Store) -> None:
    await store.add_program("city-hall")

    assert await store.programs.find("city") is None
    assert await store.programs.find("city%") is None
    assert await store.programs.find_with_keys("SID-city") is None


async def test_a_sid_finds_the_program_with_its_keys(store: Store) -> None:
    key_hash = KeyHash(ProgramKey("open sesame").hash(b"salt and pepper"), pepper_id="2026-11")
    added = await store.programs.add(a_program(sid="AC-1", key_hash=key_hash))
    await store.programs.add(a_program("library", sid="AC-2"))

    found = await store.programs.find_with_keys("AC-1")

    assert found is not None
    program, keys = found
    assert program == added
    assert [each.hash for each in keys] == [key_hash]


async def test_a_sid_is_found_in_its_own_letter_case_alone(store: Store) -> None:
    await store.programs.add(a_program(sid="AC-1"))

    assert await store.programs.find_with_keys("ac-1") is None


@pytest.mark.parametrize("written", ["", "\0", "AC-1\0", "\ud800", "'; --", "\N{GRINNING FACE}", "x" * 100_000])
async def test_whatever_is_written_as_a_sid_is_looked_for(store: Store, written: str) -> None:
    await store.programs.add(a_program(sid="AC-1"))

    assert await store.programs.find_with_keys(written) is None


@pytest.mark.parametrize("program_id", ["city-hall", "City-Hall", "CITY-HALL"])
async def test_an_id_in_use_is_refused_in_any_letter_case(store: Store, program_id: str) -> None:
    await store.programs.add(a_program("city-hall", sid="AC-1"))

    with pytest.raises(ProgramExists):
        await store.programs.add(a_program(program_id, sid="AC-2"))


async def test_a_sid_in_use_is_refused(store: Store) -> None:
    await store.programs.add(a_program("city-hall", sid="AC-1"))

    with pytest.raises(ProgramExists):
        await store.programs.add(a_program("library", sid="AC-1"))


async def test_what_is_refused_leaves_nothing_behind(store: Store) -> None:
    await store.programs.add(a_program("city-hall", sid="AC-1"))

    with pytest.raises(ProgramExists):
        await store.programs.add(a_program("library", sid="AC-1", sender=OTHER_SENDER, pace="50/s"))
    library = await store.programs.add(a_program("library", sid="AC-2", sender=OTHER_SENDER, pace="2/s"))

    assert library.sender.pace == Pace.parse("2/s")
    assert [program.id for program in await store.programs.all()] == ["city-hall", "library"]


async def test_of_many_who_add_the_same_program_at_once_one_succeeds(store: Store) -> None:
    results = await asyncio.gather(
        *(store.programs.add(a_program("city-hall", sid=f"AC-{number}")) for number in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(result, ProgramExists) for result in results) == 7, results
    assert len(await store.programs.all()) == 1


async def test_programs_of_one_sender_share_it(store: Store) -> None:
    first = await store.programs.add(a_program("city-hall", pace="2/s"))
    second = await store.programs.add(a_program("library", pace="2/s"))

    assert second.sender == first.sender


async def test_many_who_bring_the_same_sender_at_once_share_it(store: Store) -> None:
    added = await asyncio.gather(*(store.programs.add(a_program(f"office-{number}")) for number in range(8)))

    assert len({program.sender.id for program in added}) == 1


async def test_a_sender_of_another_provider_is_another_sender(store: Store) -> None:
    first = await store.programs.add(a_program("city-hall", provider="sandbox", pace="2/s"))
    second = await store.programs.add(a_program("library", provider="twilio", pace="5/s"))

    assert second.sender.id != first.sender.id
    assert (second.sender.provider, second.sender.pace) == ("twilio", Pace.parse("5/s"))


async def test_a_second_program_cannot_change_a_senders_pace(store: Store) -> None:
    await store.programs.add(a_program("city-hall", pace="40/min"))

    with pytest.raises(PaceDiffers) as refused:
        await store.programs.add(a_program("library", pace="2/s"))

    assert refused.value.current == "40/min"
    assert await store.programs.find("library") is None


async def test_a_second_program_takes_over_a_senders_pace_by_default(store: Store) -> None:
    await store.programs.add(a_program("city-hall", pace="40/min"))

    library = await store.programs.add(a_program("library", pace=None))

    assert library.sender.pace == Pace.parse("40/min")


async def test_a_sender_sends_one_segment_per_second_by_default(store: Store) -> None:
    program = await store.programs.add(a_program(pace=None))

    assert program.sender.pace == Pace.parse("1/s")


@pytest.mark.parametrize("pace", ["1", "0.5", "7/min", "33.333333/h", "2000/day", "1000000/s", "0.000001/day"])
async def test_a_pace_is_kept_to_the_last_digit(store: Store, pace: str) -> None:
    program = await store.programs.add(a_program(pace=pace))

    assert program.sender.pace == Pace.parse(pace)


async def test_programs_are_listed_by_name(store: Store) -> None:
    for program_id, name in (("one", "Parks"), ("two", "Animal Shelter"), ("three", "Library")):
        await store.programs.add(a_program(program_id, name=name))

    assert [program.name for program in await store.programs.all()] == ["Animal Shelter", "Library", "Parks"]


async def test_a_program_may_have_further_senders(store: Store) -> None:
    program = await store.programs.add(a_program("city-hall"))

    added = await store.programs.add_sender(
        "CITY-HALL", provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=Pace.parse("5/s")
    )

    assert added.sender == program.sender
    assert [(each.address, str(each.pace)) for each in added.other_senders] == [(OTHER_SENDER, "5/s")]
    assert await store.programs.find("city-hall") == added
    assert await store.programs.all() == [added]
    found = await store.programs.find_with_keys("SID-city-hall")
    assert found is not None


async def test_further_senders_stand_in_the_order_in_which_they_were_added(store: Store) -> None:
    await store.programs.add(a_program("library", sender=OTHER_SENDER))
    await store.programs.add(a_program("city-hall"))
    wanted = [SenderAddress("72975"), OTHER_SENDER, SenderAddress("40404")]

    for sender in wanted:
        await store.programs.add_sender("city-hall", provider="sandbox", account=SANDBOX, sender=sender, pace=None)

    program = await store.programs.find("city-hall")
    assert program is not None
    assert [each.address for each in program.other_senders] == wanted
    assert program in await store.programs.all()


@pytest.mark.parametrize("sender", [SenderAddress("+19705550100"), OTHER_SENDER])
async def test_adding_a_sender_that_it_has_changes_nothing(store: Store, sender: SenderAddress) -> None:
    await store.programs.add(a_program("city-hall"))
    before = await store.programs.add_sender(
        "city-hall", provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=None
    )

    after = await store.programs.add_sender("city-hall", provider="sandbox", sender=sender, pace=None)

    assert after == before


async def test_a_further_sender_is_shared_with_its_pace(store: Store) -> None:
    library = await store.programs.add(a_program("library", sender=OTHER_SENDER, pace="7/s"))
    await store.programs.add(a_program("city-hall"))

    added = await store.programs.add_sender(
        "city-hall", provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=None
    )

    assert added.other_senders == (library.sender,)
    with pytest.raises(PaceDiffers):
        await store.programs.add_sender("city-hall", provider="sandbox", sender=OTHER_SENDER, pace=Pace.parse("8/s"))


async def test_a_further_sender_is_taken_from_the_one_program(store: Store) -> None:
    await store.programs.add(a_program("city-hall"))
    await store.programs.add(a_program("library", sender=SenderAddress("40404")))
    city_hall, library = [
        await store.programs.add_sender(name, provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=None)
        for name in ("city-hall", "library")
    ]
    (further,) = city_hall.other_senders

    left = await store.programs.remove_sender("CITY-HALL", further.id)

    assert left.other_senders == ()
    assert await store.programs.find("city-hall") == left
    assert await store.programs.find("library") == library
    assert further in await store.senders.all()


async def test_a_program_keeps_its_own_sender_and_has_no_others_taken(store: Store) -> None:
    program = await store.programs.add(a_program("city-hall"))
    library = await store.programs.add(a_program("library", sender=OTHER_SENDER))

    with pytest.raises(OwnSender):
        await store.programs.remove_sender("city-hall", program.sender.id)
    with pytest.raises(SenderNotFound):
        await store.programs.remove_sender("city-hall", library.sender.id)
    assert await store.programs.all() == [program, library]


async def test_of_two_that_take_a_sender_away_one_does(store: Store) -> None:
    await store.programs.add(a_program("city-hall"))
    given = await store.programs.add_sender(
        "city-hall", provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=None
    )

    results = await asyncio.gather(
        *(store.programs.remove_sender("city-hall", given.other_senders[0].id) for _ in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in results) == ["Program", *["SenderNotFound"] * 3]


async def test_a_program_that_does_not_exist_gets_no_sender(store: Store) -> None:
    with pytest.raises(ProgramNotFound):
        await store.programs.add_sender(
            "city-hall", provider="sandbox", account=SANDBOX, sender=OTHER_SENDER, pace=None
        )
