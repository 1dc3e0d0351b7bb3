"""Programs and their keys."""

import hashlib
import hmac
import string
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidValue, UnknownSender
from domain.model.program import same_program_id
from domain.model.program_key import KeyHash, ProgramKey
from domain.model.sender import Sender
from domain.model.terms import Terms
from tests.unit.builders import a_program, a_sender


@pytest.mark.parametrize("called", ["3f2a-beef", "3F2A-BEEF", "3f2A-bEeF"])
def test_a_program_is_called_by_its_id_in_any_letter_case(called: str) -> None:
    assert a_program("3F2a-beef").is_called(called)


@pytest.mark.parametrize("called", ["", "3F2A-BEE", "3F2A-BEEF ", "3F2A BEEF", "PHARMACY"])
def test_a_program_is_not_called_by_another_id(called: str) -> None:
    assert not a_program("3F2a-beef").is_called(called)


@given(st.text(string.ascii_letters + string.digits + "-", min_size=1))
def test_letter_case_makes_no_two_ids_of_one(program_id: str) -> None:
    assert same_program_id(program_id.upper(), program_id.lower())
    assert not same_program_id(program_id, program_id + "-")


GOOD = a_sender(sender_id=3, address="+18005550103")
BARRED = a_sender(sender_id=1, address="+18005550101", bar_reason="no-credit")
BARRED_TOO = a_sender(sender_id=2, address="+18005550102", bar_reason="no-credit")


@pytest.mark.parametrize(
    ("own", "others", "line"),
    [
        (GOOD, [BARRED], GOOD),
        (BARRED, [BARRED_TOO, GOOD], GOOD),
        (BARRED, [replace(GOOD, paused=True)], BARRED),
        (BARRED, [BARRED_TOO], BARRED),
        (BARRED, [], BARRED),
        (replace(BARRED, paused=True), [GOOD], replace(BARRED, paused=True)),
    ],
)
def test_a_text_for_a_barred_sender_waits_at_the_next_that_can_send_it(
    own: Sender, others: Sequence[Sender], line: Sender
) -> None:
    assert a_program(sender=own, other_senders=others, failover=True).sends_from(own, named=False) == line


def test_it_waits_at_its_own_without_failover_or_where_it_names_it() -> None:
    program = a_program(sender=BARRED, other_senders=[GOOD])
    assert program.sends_from(BARRED, named=False) == BARRED
    assert replace(program, terms=Terms(failover=True)).sends_from(BARRED, named=True) == BARRED


@pytest.mark.parametrize("value", ["", "x" * 101, " x", "x ", "a\nb", "a\0b", "\N{ZERO WIDTH SPACE}"])
def test_ids_and_names_are_1_to_100_printable_characters(value: str) -> None:
    with pytest.raises(InvalidValue, match="ProgramId"):
        a_program(value)
    with pytest.raises(InvalidValue, match="ProgramSID"):
        a_program(sid=value)
    with pytest.raises(InvalidValue, match="name"):
        a_program(name=value)


@pytest.mark.parametrize("value", ["x", "x" * 100, "Ärzte in Köln", "a b"])
def test_ids_and_names_may_be_in_any_language(value: str) -> None:
    program = a_program(value, sid=value, name=value)
    assert (program.id, program.sid, program.name) == (value, value, value)


OWN, BERLIN, SHORT_CODE, NAME, SERVICE = (
    a_sender(sender_id=number, address=address)
    for number, address in enumerate(["+18005550100", "+493012345678", "72975", "Pharmacy", "MG" + "0a" * 16], start=1)
)
MANY_SENDERS = a_program(sender=OWN, other_senders=[BERLIN, SHORT_CODE, NAME, SERVICE])


def sender_called(name: str | None) -> int:
    """The found sender's id."""
    return MANY_SENDERS.sender_called(name, default_region="DE").id


def test_a_program_has_its_own_sender_first_and_then_the_others() -> None:
    assert [sender.id for sender in MANY_SENDERS.senders] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("which", [OWN, BERLIN, SHORT_CODE, NAME, SERVICE], ids=lambda sender: sender.address.value)
@pytest.mark.parametrize("around", ["", " ", "\n"])
def test_a_sender_is_called_by_its_address(which: Sender, around: str) -> None:
    assert sender_called(around + which.address.value + around) == which.id


def test_the_programs_own_sender_needs_no_call() -> None:
    assert sender_called(None) == OWN.id


@pytest.mark.parametrize("written", ["(800) 555-0100", "1-800-555-0100", "800.555.0100", "+1 800 555 0100"])
def test_a_senders_number_is_read_in_any_writing_of_the_country_of_the_programs_own_sender(written: str) -> None:
    assert sender_called(written) == OWN.id


def test_another_country_has_its_country_code() -> None:
    assert sender_called("+49 30 12345678") == BERLIN.id
    with pytest.raises(UnknownSender):
        sender_called("030 12345678")


def test_without_a_country_of_its_own_sender_a_number_is_one_of_the_hubs_country() -> None:
    program = a_program(sender=SHORT_CODE, other_senders=[BERLIN])
    assert program.sender_called("030 12345678", default_region="DE") is BERLIN
    with pytest.raises(UnknownSender):
        program.sender_called("030 12345678", default_region="US")


@pytest.mark.parametrize("name", ["", " ", "+18005550101", "pharmacy", "7297", "729 75", "Library", "\0", "9" * 1_000])
def test_a_sender_that_is_none_of_the_programs_is_unknown(name: str) -> None:
    with pytest.raises(UnknownSender) as refused:
        sender_called(name)
    assert not name.strip() or name not in str(refused.value)


def test_a_key_without_a_pepper_is_hashed_by_sha_256() -> None:
    assert ProgramKey("kéy").hash() == hashlib.sha256("kéy".encode()).digest()


def test_a_key_with_a_pepper_is_hashed_by_hmac_sha_256_keyed_by_the_pepper() -> None:
    assert ProgramKey("key").hash(b"pepper") == hmac.new(b"pepper", b"key", hashlib.sha256).digest()


def test_the_same_key_has_another_hash_with_another_pepper() -> None:
    key = ProgramKey("key")
    assert len({key.hash(), key.hash(b""), key.hash(b"one"), key.hash(b"two")}) == 4


def test_a_key_shown_in_a_log_or_a_traceback_does_not_show_itself() -> None:
    key = ProgramKey("open-sesame")
    assert "sesame" not in f"{key!r} {key} {[key]}"


def test_a_stored_hash_shown_in_a_log_does_not_show_itself() -> None:
    assert "\\x" not in repr(KeyHash(b"\xfe\xff", "2026"))


def test_new_keys_are_long_and_never_the_same() -> None:
    keys = {ProgramKey.generate().value for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 43


@pytest.mark.parametrize("value", ["", "x" * 501])
def test_a_key_is_1_to_500_characters(value: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        ProgramKey(value)
    assert "xx" not in str(refused.value)


@pytest.mark.parametrize("value", ["x", "x" * 500, "\0", "\ud800"])
def test_any_key_of_the_allowed_length_has_a_hash(value: str) -> None:
    assert len(ProgramKey(value).hash()) == len(ProgramKey(value).hash(b"pepper")) == 32
