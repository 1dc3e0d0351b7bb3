import base64
import traceback
from collections.abc import Mapping

import pytest

from adapters.vault import FernetVault
from domain.errors import CredentialsUnreadable, EncryptionKeysMissing, InvalidValue
from domain.model.credentials import Credentials

OLD = {"old": b"o" * 32}
NEW = {"new": bytes(range(64))}
SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"
CREDENTIALS = Credentials({"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "note": "ключ"})


def unreadable(keys: Mapping[str, bytes], sealed: bytes) -> CredentialsUnreadable:
    with pytest.raises(CredentialsUnreadable) as caught:
        FernetVault(keys).open(sealed)
    return caught.value


def test_what_is_sealed_is_opened_again() -> None:
    vault = FernetVault(NEW)

    assert vault.open(vault.seal(CREDENTIALS)) == CREDENTIALS


def test_what_is_sealed_is_opened_after_a_restart() -> None:
    assert FernetVault(NEW).open(FernetVault(NEW).seal(CREDENTIALS)) == CREDENTIALS


def test_what_was_sealed_in_the_past_is_opened_for_ever() -> None:
    # Sealed once and written down: how keys are derived must never change.
    sealed = (
        b"gAAAAABrA4pGjpFVY2PeD7APi9QfFYYEsowmet0nG4hrcEXK0uzfXMGpSekMIq0fIeVV3fVwgYf4XdhtnZjBkbtwub"
        b"uPoFooOWUkZKa5PPS6t1f8xEbYQVk="
    )

    assert FernetVault(OLD).open(sealed) == Credentials({"auth_token": "of the past"})


def test_a_sealed_text_shows_nothing() -> None:
    sealed = FernetVault(NEW).seal(CREDENTIALS)

    assert SECRET.encode() not in sealed
    assert SECRET.encode() not in base64.urlsafe_b64decode(sealed)


def test_the_same_is_sealed_differently_each_time() -> None:
    assert FernetVault(NEW).seal(CREDENTIALS) != FernetVault(NEW).seal(CREDENTIALS)


def test_the_first_key_seals_and_all_open() -> None:
    sealed_before = FernetVault(OLD).seal(CREDENTIALS)
    both = FernetVault({**NEW, **OLD})

    assert both.open(sealed_before) == CREDENTIALS
    assert FernetVault(NEW).open(both.seal(CREDENTIALS)) == CREDENTIALS


def test_what_a_dropped_key_sealed_is_unreadable() -> None:
    unreadable(NEW, FernetVault(OLD).seal(CREDENTIALS))


@pytest.mark.parametrize("place", [0, 5, 20, 60, -20, -1])
def test_what_was_tampered_with_is_unreadable(place: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(FernetVault(NEW).seal(CREDENTIALS)))
    sealed[place] ^= 1

    unreadable(NEW, base64.urlsafe_b64encode(sealed))


@pytest.mark.parametrize("sealed", [b"", b"{}", b"gAAAAA", bytes(100), "ключ".encode()])
def test_what_was_never_sealed_is_unreadable(sealed: bytes) -> None:
    unreadable(NEW, sealed)


def test_without_keys_nothing_is_sealed_and_the_setting_is_named() -> None:
    with pytest.raises(EncryptionKeysMissing, match="SMSHUB_ENCRYPTION_KEYS"):
        FernetVault({}).seal(CREDENTIALS)


def test_without_keys_nothing_is_readable() -> None:
    unreadable({}, FernetVault(OLD).seal(CREDENTIALS))


def test_a_short_key_is_refused_unseen() -> None:
    with pytest.raises(InvalidValue) as caught:
        FernetVault({"short": b"hunter2"})

    assert "hunter2" not in str(caught.value)


def test_nothing_secret_is_in_a_fault_or_a_repr() -> None:
    vault = FernetVault(OLD)
    fault = unreadable(NEW, vault.seal(CREDENTIALS))
    shown = "".join(traceback.format_exception(fault)) + repr(vault) + repr(vault.__dict__) + repr(CREDENTIALS)

    assert SECRET not in shown
    assert "oooo" not in shown
