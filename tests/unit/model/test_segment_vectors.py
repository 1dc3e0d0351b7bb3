"""The hub counts segments as Twilio does: some 500 texts, as counted by the calculator that Twilio publishes.

`segment_vectors/make.mjs` makes the vectors: `encoding`, `units` (septets, or UTF-16 code units) and `segments` are
what the calculator says. It keeps together what readers see as one character, such as a letter and its accent or a
family of emoji; 3GPP TS 23.040 (9.2.3.24.1) forbids only to split an escape sequence or a UCS-2 character. Vectors
where that makes a difference have `segments_by_standard`, which the hub goes by, and a `reason`. Those that the hub
does not send have what `TextRefused` says of them, `refused`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import TextRefused
from domain.model.message_body import MAX_CHARACTERS, MessageBody

VECTORS = json.loads(Path(__file__).with_name("segment_vectors").joinpath("vectors.json").read_text("utf-8"))["vectors"]
SENT = [vector for vector in VECTORS if "refused" not in vector]
REFUSED = [vector for vector in VECTORS if "refused" in vector]

ACUTE = "\N{COMBINING ACUTE ACCENT}"
EMOJI = "\N{FACE THROWING A KISS}"


def counted(vector: dict[str, Any]) -> tuple[str, int, int]:
    body = MessageBody(vector["text"])
    return body.encoding.value, body.units, body.segments


def expected(vector: dict[str, Any]) -> tuple[str, int, int]:
    return vector["encoding"], vector["units"], vector.get("segments_by_standard", vector["segments"])


def test_texts_take_the_encoding_units_and_segments_of_their_vectors() -> None:
    differing = [
        f"{vector['text']!a}: {counted(vector)}, expected {expected(vector)}"
        for vector in SENT
        if counted(vector) != expected(vector)
    ]

    assert not differing


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: ascii(vector["text"][:10]))
def test_what_only_the_calculator_counts_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(TextRefused) as refused:
        MessageBody(vector["text"])

    assert refused.value.reason == vector["refused"]


def test_the_vectors_are_many_and_reach_both_encodings_and_the_longest_text() -> None:
    assert len({vector["text"] for vector in VECTORS}) == len(VECTORS)
    assert len(SENT) >= 500
    assert {vector["encoding"] for vector in SENT} == {"GSM-7", "UCS-2"}
    assert max(len(vector["text"]) for vector in SENT) == MAX_CHARACTERS


def test_few_vectors_are_not_followed_and_each_has_its_reason() -> None:
    reasons = [vector["reason"] for vector in SENT if vector["segments"] != counted(vector)[2]]

    assert sorted(reasons) == ["a grapheme may be split"] * 4 + ["no segment holds a grapheme of 201 units"]


# Told by who sent them, in issues 17, 18, 39 and 66 of github.com/TwilioDevEd/message-segment-calculator.
@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("e" + ACUTE * 3 + "a" * 69, 2),
        ("e" + ACUTE, 1),
        (("e" + ACUTE) * 70, 3),
        ("é" * 70, 1),
        ("this is a " + "]" * 74 + EMOJI, 2),
        ("]" * 153, 3),
        ("|", 1),
        (EMOJI + "|", 1),
        ("a" * 80 + "\r\n" + "a" * 79, 2),
        ("a" * 80 + "\n" + "a" * 79, 1),
        ("a" * 200 + "\r\n" + "a" * 105, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("中" * 70, 1),
        ("中" * 71, 2),
    ],
)
def test_texts_that_went_through_twilio_take_the_segments_that_it_charged(text: str, segments: int) -> None:
    assert MessageBody(text).segments == segments
