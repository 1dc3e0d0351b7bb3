"""Which keys are no secret although they are long enough."""

import base64
import hashlib
import secrets

import pytest

from entrypoints.weak_keys import weak_keys

STRONG = hashlib.sha256(b"anything").digest()


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        b"k" * 64,
        b"ab" * 16,
        b"abcdefg" * 5,
        b"0123456789abcdef" * 2,
        base64.b64decode(b"0123456789abcdef" * 3),
        STRONG[:24] * 2,
        STRONG[:31] * 3,
        bytes(range(32)),
        bytes(range(64, 0, -1)),
        bytes(range(0, 256, 7)),
        b"change-me-change-me-before-you-go!",
        b"This is a very long passphrase, and a SECRET one",
        b"correct horse, password, battery staple",
        b"my-sms-hub-signing-key-of-32-bytes-or-more",
        b"tests sign their tokens with this key",
        STRONG[:14] + b"example" + STRONG[:14],
    ],
)
def test_what_a_person_made_up_is_weak(key: bytes) -> None:
    assert set(weak_keys({"a": key, "b": STRONG})) == {"a"}


@pytest.mark.parametrize("length", [32, 48, 64])
def test_what_is_drawn_by_lot_is_not(length: int) -> None:
    drawn = {str(number): secrets.token_bytes(length) for number in range(1_000)}

    assert weak_keys(drawn) == {}


def test_nor_is_a_whole_key_twice() -> None:
    assert weak_keys({"a": STRONG * 2, "b": STRONG + STRONG[:1]}) == {}


def test_nor_is_what_is_drawn_by_lot_and_written_in_letters() -> None:
    drawn = [secrets.token_bytes(32) for _ in range(300)]
    written = [key.hex().encode() for key in drawn] + [secrets.token_bytes(16).hex().encode() for _ in range(300)]

    assert weak_keys(dict(zip(map(str, range(600)), written, strict=True))) == {}


def test_why_a_key_is_weak_shows_nothing_of_it() -> None:
    told = weak_keys({"a": b"k" * 32, "b": b"a very secret passphrase of an office"})

    assert told == {"a": "has a few bytes again and again", "b": "is made of words"}
