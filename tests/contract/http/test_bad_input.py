"""Bad input gets a clear problem document, and leaves nothing behind."""

import json
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import jwt
import pytest
import pytest_asyncio

from entrypoints.http.contract import Contract
from tests.documented import PROBLEM
from tests.http import Hub, Office, RunningHub
from tests.patience import PATIENCE_S

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

LOGIN = "/api/Login"
TEXTS = "/api/TextMessages"
PREVIEW = f"{TEXTS}/Preview"
SUBSCRIBERS = "/api/Subscribers"

NUMBER = "+19706904544"
BODY_LIMIT = 4 * 1024 * 1024
LOGIN_LIMIT = 16 * 1024

CONTRACT = Contract.load()


@dataclass(frozen=True, kw_only=True)
class Case:
    """`at` names the faults: a JSON pointer, a parameter, or a pointer and the number's position with @ between."""

    id: str
    method: str = "POST"
    path: str = TEXTS
    content: bytes = b""
    content_type: str = JSON
    headers: Sequence[tuple[str, bytes]] = ()
    status: int = 400
    slug: str = "invalid-request"
    at: Sequence[str] = field(default=())


def a_text(**properties: object) -> dict[str, object]:
    return {"Message": "Your appointment is tomorrow.", "PhoneNumber": NUMBER, **properties}


def a_subscriber(**properties: object) -> dict[str, object]:
    return {"PhoneNumber": NUMBER, "DoNotText": True, **properties}


def a_login(**properties: object) -> dict[str, object]:
    return {"ProgramSID": "nobody", "ProgramKey": "nothing", **properties}


def without(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    return {each: value for each, value in body.items() if each != name}


def does_not_match(what: str, path: str, body: Mapping[str, object], *at: str) -> Case:
    return Case(id=f"{path}: {what}", path=path, content=json.dumps(body).encode(), at=at)


def is_refused(what: str, slug: str, path: str, body: Mapping[str, object], *at: str) -> Case:
    return Case(
        id=f"{path}: {what}",
        path=path,
        content=json.dumps(body, ensure_ascii=False).encode(),
        status=422,
        slug=slug,
        at=at,
    )


NOT_THE_CONTRACTS = [
    does_not_match("nothing", TEXTS, {}, "#/Message", "#/PhoneNumber"),
    does_not_match("no Message", TEXTS, without(a_text(), "Message"), "#/Message"),
    does_not_match("no PhoneNumber", TEXTS, without(a_text(), "PhoneNumber"), "#/PhoneNumber"),
    does_not_match("null as Message", TEXTS, a_text(Message=None), "#/Message"),
    does_not_match("a number as Message", TEXTS, a_text(Message=1), "#/Message"),
    does_not_match("a list as Message", TEXTS, a_text(Message=["Hello"]), "#/Message"),
    does_not_match("an object as Message", TEXTS, a_text(Message={"Text": "Hello"}), "#/Message"),
    does_not_match("an empty Message", TEXTS, a_text(Message=""), "#/Message"),
    does_not_match("1,601 characters", TEXTS, a_text(Message="x" * 1_601), "#/Message"),
    does_not_match("1,601 emoji", TEXTS, a_text(Message="\N{GRINNING FACE}" * 1_601), "#/Message"),
    does_not_match("a NUL in Message", TEXTS, a_text(Message="a\0b"), "#/Message"),
    does_not_match("a number as PhoneNumber", TEXTS, a_text(PhoneNumber=9706904544), "#/PhoneNumber"),
    does_not_match("a list as PhoneNumber", TEXTS, a_text(PhoneNumber=[NUMBER]), "#/PhoneNumber"),
    does_not_match("null as PhoneNumber", TEXTS, a_text(PhoneNumber=None), "#/PhoneNumber"),
    does_not_match("an empty PhoneNumber", TEXTS, a_text(PhoneNumber=""), "#/PhoneNumber"),
    does_not_match("an endless PhoneNumber", TEXTS, a_text(PhoneNumber="1" * 500_001), "#/PhoneNumber"),
    does_not_match("a NUL in PhoneNumber", TEXTS, a_text(PhoneNumber=f"{NUMBER}\0"), "#/PhoneNumber"),
    does_not_match("a number as ProgramId", TEXTS, a_text(ProgramId=7), "#/ProgramId"),
    does_not_match("a long ProgramId", TEXTS, a_text(ProgramId="x" * 101), "#/ProgramId"),
    does_not_match("a day as DateSent", TEXTS, a_text(DateSent="2026-11-02"), "#/DateSent"),
    does_not_match("an empty DateSent", TEXTS, a_text(DateSent=""), "#/DateSent"),
    does_not_match("a line end in DateSent", TEXTS, a_text(DateSent="2026-11-02 09:00:00\n"), "#/DateSent"),
    does_not_match("other digits in DateSent", TEXTS, a_text(DateSent="٢٠٢٦-11-02 09:00:00"), "#/DateSent"),
    does_not_match("seconds as DateSent", TEXTS, a_text(DateSent=1_793_610_000), "#/DateSent"),
    does_not_match("a word as SendSuccessful", TEXTS, a_text(SendSuccessful="true"), "#/SendSuccessful"),
    does_not_match("a number as SendSuccessful", TEXTS, a_text(SendSuccessful=1), "#/SendSuccessful"),
    does_not_match("a list as SentResult", TEXTS, a_text(SentResult=[]), "#/SentResult"),
    does_not_match("a long SentResult", TEXTS, a_text(SentResult="x" * 10_001), "#/SentResult"),
    does_not_match("huge numbers", TEXTS, a_text(Message=10**400, DateSent=-(10**400)), "#/Message", "#/DateSent"),
    does_not_match(
        "faults of several kinds", TEXTS, {"Message": "", "Nonsense": 1}, "#/Message", "#/PhoneNumber", "#/Nonsense"
    ),
    does_not_match(
        "names that look like none",
        TEXTS,
        a_text(Message="", **{"a/b~c": 1, "a b": 2, "é": 3, "": 4, "7": 5}),
        "#/Message",
        "#",
    ),
    does_not_match("nothing", SUBSCRIBERS, {}, "#/PhoneNumber", "#/DoNotText"),
    does_not_match("no DoNotText", SUBSCRIBERS, without(a_subscriber(), "DoNotText"), "#/DoNotText"),
    does_not_match("null as DoNotText", SUBSCRIBERS, a_subscriber(DoNotText=None), "#/DoNotText"),
    does_not_match("a word as DoNotText", SUBSCRIBERS, a_subscriber(DoNotText="true"), "#/DoNotText"),
    does_not_match("a number as DoNotText", SUBSCRIBERS, a_subscriber(DoNotText=0), "#/DoNotText"),
    does_not_match("an empty PhoneNumber", SUBSCRIBERS, a_subscriber(PhoneNumber=""), "#/PhoneNumber"),
    does_not_match("a long PhoneNumber", SUBSCRIBERS, a_subscriber(PhoneNumber="1" * 101), "#/PhoneNumber"),
    does_not_match("a NUL in PhoneNumber", SUBSCRIBERS, a_subscriber(PhoneNumber="\0"), "#/PhoneNumber"),
    does_not_match("nothing", LOGIN, {}, "#/ProgramSID", "#/ProgramKey"),
    does_not_match("no ProgramKey", LOGIN, without(a_login(), "ProgramKey"), "#/ProgramKey"),
    does_not_match("null as ProgramKey", LOGIN, a_login(ProgramKey=None), "#/ProgramKey"),
    does_not_match("an empty ProgramKey", LOGIN, a_login(ProgramKey=""), "#/ProgramKey"),
    does_not_match("a long ProgramKey", LOGIN, a_login(ProgramKey="x" * 501), "#/ProgramKey"),
    does_not_match("a NUL in ProgramKey", LOGIN, a_login(ProgramKey="\0"), "#/ProgramKey"),
    does_not_match("a long ProgramSID", LOGIN, a_login(ProgramSID="x" * 101), "#/ProgramSID"),
    does_not_match("an object as ProgramSID", LOGIN, a_login(ProgramSID={"$ne": ""}), "#/ProgramSID"),
    does_not_match("a NUL in ProgramSID", LOGIN, a_login(ProgramSID="\0"), "#/ProgramSID"),
]

BAD_TIMES: Mapping[str, object] = {
    "nothing": "",
    "a word": "tomorrow",
    "a day": "2027-01-02",
    "no zone": "2027-01-02T09:00:00",
    "no zone, as .NET has it": "2027-01-02T09:00:00.1234567",
    "a blank between": "2027-01-02 09:00:00Z",
    "no seconds": "2027-01-02T09:00Z",
    "no colon in the zone": "2027-01-02T09:00:00+0100",
    "hours alone as a zone": "2027-01-02T09:00:00+01",
    "a zone by name": "2027-01-02T09:00:00 America/Denver",
    "a zone of 24 hours": "2027-01-02T09:00:00+24:00",
    "a month that is none": "2027-13-02T09:00:00Z",
    "a day that is none": "2027-02-29T09:00:00Z",
    "an hour that is none": "2027-01-02T24:00:00Z",
    "a leap second at noon": "2027-06-30T12:00:60Z",
    "a second leap second": "2027-06-30T23:59:61Z",
    "the year 10000": "10000-01-01T00:00:00Z",
    "a year in two digits": "27-01-02T09:00:00Z",
    "a sign before the year": "+2027-01-02T09:00:00Z",
    "a week": "2027-W01-1T09:00:00Z",
    "a comma": "2027-01-02T09:00:00,5Z",
    "a point alone": "2027-01-02T09:00:00.Z",
    "a minus that is none": "2027-01-02T09:00:00\N{MINUS SIGN}07:00",
    "other digits": "٢٠٢٧-01-02T09:00:00Z",
    "blanks around": " 2027-01-02T09:00:00Z ",
    "a line end": "2027-01-02T09:00:00Z\n",
    "a NUL": "2027-01-02T09:00:00Z\0",
    "a NUL alone": "\0",
    "emoji": "\N{GRINNING FACE}",
    "a long one": "2" * 100_000,
    "microseconds": 1_798_880_400_000_000,
    "a fraction": 1.5,
    "a huge number": 10**400,
    "a truth": True,
    "a list": ["2027-01-02T09:00:00Z"],
    "an object": {"year": 2027},
}
BAD_SENDERS: Mapping[str, object] = {
    "nothing": "",
    "a long one": "x" * 101,
    "a NUL": f"{NUMBER}\0",
    "a number": 72525,
    "a huge number": -(10**400),
    "a truth": False,
    "a list": [NUMBER],
    "an object": {"Address": NUMBER},
}
BAD_PRIORITIES: Mapping[str, object] = {
    "nothing": "",
    "another word": "high",
    "a capital": "Urgent",
    "capitals": "BULK",
    "a blank": "urgent ",
    "null as a word": "null",
    "a NUL": "urgent\0",
    "a long one": "urgent" * 10_000,
    "a number": 1,
    "a huge number": 10**400,
    "a truth": True,
    "a list": ["urgent"],
    "an object": {"urgent": True},
}
NOT_THE_CONTRACTS += [
    *(
        does_not_match(f"{what} as {name}", TEXTS, a_text(**{name: value}), f"#/{name}")
        for name in ("SendAt", "ExpiresAt")
        for what, value in BAD_TIMES.items()
    ),
    *(
        does_not_match(f"{what} as Sender", path, a_text(Sender=value), "#/Sender")
        for path in (TEXTS, PREVIEW)
        for what, value in BAD_SENDERS.items()
    ),
    *(
        # What is no string is not one of the words either.
        does_not_match(
            f"{what} as Priority", path, a_text(Priority=value), *["#/Priority"] * (1 if isinstance(value, str) else 2)
        )
        for path in (TEXTS, PREVIEW)
        for what, value in BAD_PRIORITIES.items()
    ),
    does_not_match(
        "four faults at once",
        TEXTS,
        a_text(SendAt=0, ExpiresAt="never", Priority="high", Sender=""),
        *("#/SendAt", "#/ExpiresAt", "#/Priority", "#/Sender"),
    ),
    does_not_match("nothing", PREVIEW, {}, "#/Message"),
    does_not_match("a number alone", PREVIEW, {"PhoneNumber": NUMBER}, "#/Message"),
    does_not_match("null as Message", PREVIEW, a_text(Message=None), "#/Message"),
    does_not_match("an empty Message", PREVIEW, a_text(Message=""), "#/Message"),
    does_not_match("1,601 characters", PREVIEW, a_text(Message="x" * 1_601), "#/Message"),
    does_not_match("a NUL in Message", PREVIEW, a_text(Message="a\0b"), "#/Message"),
    does_not_match("a list as Message", PREVIEW, a_text(Message=["Hello"]), "#/Message"),
    does_not_match("an empty PhoneNumber", PREVIEW, a_text(PhoneNumber=""), "#/PhoneNumber"),
    does_not_match("an endless PhoneNumber", PREVIEW, a_text(PhoneNumber="1" * 500_001), "#/PhoneNumber"),
    does_not_match("a NUL in PhoneNumber", PREVIEW, a_text(PhoneNumber="\0"), "#/PhoneNumber"),
    does_not_match("a number as PhoneNumber", PREVIEW, a_text(PhoneNumber=9706904544), "#/PhoneNumber"),
    does_not_match("a long ProgramId", PREVIEW, a_text(ProgramId="x" * 101), "#/ProgramId"),
    does_not_match("huge numbers", PREVIEW, a_text(Message=10**400, Sender=-(10**400)), "#/Message", "#/Sender"),
    does_not_match("small letters", PREVIEW, {"message": "Hello"}, "#/Message", "#/message"),
]

UNKNOWN_PROPERTIES = [
    Case(
        id=f"{path}: a property that nobody knows",
        path=path,
        content=json.dumps(body | {"Nonsense": {"a": [1]}, "x" * 60: None}).encode(),
        slug="unknown-property",
        at=["#/Nonsense", "#"],
    )
    for path, body in ((TEXTS, a_text()), (PREVIEW, a_text()), (SUBSCRIBERS, a_subscriber()))
]

BAD_NUMBERS = {
    "a word": "nobody",
    "vanity letters": "1-800-FLOWERS",
    "an extension": "970-690-4544 ext. 5",
    "a short extension": "9706904544x5",
    "no area code": "690-4544",
    "too short": "12",
    "too long": "+1 970 690 4544 123456",
    "two pluses": "++19706904544",
    "a plus at the end": "9706904544+",
    "a country that is none": "+999 123 456 789",
    "a plus alone": "+",
    "a semicolon": "9706904544;9706904545",
    "an address": "tel:+19706904544",
    "emoji": "\N{GRINNING FACE}",
    "a very long one": "9" * 65,
    "a premium-rate number": "+1 900 555 1234",
    "a British premium-rate number": "+44 909 8790000",
    "a German premium-rate number": "+49 900 1234567",
}

REFUSED = [
    is_refused("a blank Message", "text-refused", TEXTS, a_text(Message=" \r\n\t\N{NO-BREAK SPACE}"), "#/Message"),
    is_refused(
        "too many segments", "too-many-segments", TEXTS, a_text(Message="\N{GRINNING FACE}" * 1_600), "#/Message"
    ),
    is_refused("a blank PhoneNumber", "no-recipients", TEXTS, a_text(PhoneNumber=" "), "#/PhoneNumber"),
    is_refused("commas alone", "no-recipients", TEXTS, a_text(PhoneNumber=" ,, ,"), "#/PhoneNumber"),
    is_refused(
        "10,001 numbers", "too-many-recipients", TEXTS, a_text(PhoneNumber=",".join([NUMBER] * 10_001)), "#/PhoneNumber"
    ),
    is_refused(
        "bad numbers among good ones",
        "recipients-refused",
        TEXTS,
        a_text(PhoneNumber=f"{NUMBER}, nobody,,{NUMBER},+1 900 555 1234"),
        "#/PhoneNumber@2",
        "#/PhoneNumber@5",
    ),
    *(
        is_refused(what, "recipients-refused", TEXTS, a_text(PhoneNumber=number), "#/PhoneNumber@1")
        for what, number in BAD_NUMBERS.items()
    ),
    *(
        is_refused(what, "number-refused", SUBSCRIBERS, a_subscriber(PhoneNumber=number), "#/PhoneNumber")
        for what, number in ({"two numbers": f"{NUMBER},{NUMBER}", "a blank": " "} | BAD_NUMBERS).items()
    ),
]

DEEP = 100_000
NOT_SO_DEEP = 5_000
NO_JSON: Mapping[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n",
    "a cut object": b'{"Message": "Hello", "PhoneNumber": "+1970',
    "a trailing comma": b'{"Message": "Hello", "PhoneNumber": "+19706904544",}',
    "single quotes": b"{'Message': 'Hello', 'PhoneNumber': '+19706904544'}",
    "a comment": b'{"Message": "Hello", "PhoneNumber": "+19706904544"} // sent',
    "two objects": b"{} {}",
    "null": b"null",
    "a number": b"1",
    "a string": b'"Message"',
    "a list": b'[{"Message": "Hello", "PhoneNumber": "+19706904544"}]',
    "a form": b"Message=Hello&PhoneNumber=%2B19706904544",
    "a page": b"<!DOCTYPE html><html></html>",
    "a NUL alone": b"\0",
    "a raw NUL": b'{"Message": "a\0b", "PhoneNumber": "+19706904544"}',
    "a raw line end": b'{"Message": "a\nb", "PhoneNumber": "+19706904544"}',
    "NaN": b'{"Message": NaN, "PhoneNumber": "+19706904544"}',
    "Infinity": b'{"Message": "a", "PhoneNumber": "+19706904544", "SendSuccessful": -Infinity}',
    "a number of 10,000 digits": b'{"Message": %s, "PhoneNumber": "+19706904544"}' % (b"9" * 10_000),
    "invalid UTF-8": b'{"Message": "\xff\xfe", "PhoneNumber": "+19706904544"}',
    "Latin-1": '{"Message": "Grüße", "PhoneNumber": "+19706904544"}'.encode("latin-1"),
    "UTF-16": '{"Message": "Hello", "PhoneNumber": "+19706904544"}'.encode("utf-16"),
    "an overlong encoding": b'{"Message": "\xc0\x80", "PhoneNumber": "+19706904544"}',
    "a raw lone surrogate": b'{"Message": "\xed\xa0\x80", "PhoneNumber": "+19706904544"}',
    "an escaped high surrogate": rb'{"Message": "\ud83d", "PhoneNumber": "+19706904544"}',
    "an escaped low surrogate": rb'{"Message": "\uDE00", "PhoneNumber": "+19706904544"}',
    "surrogates the wrong way round": rb'{"Message": "\ude00\ud83d", "PhoneNumber": "+19706904544"}',
    "a lone surrogate as a name": rb'{"\ud800": 1, "Message": "a", "PhoneNumber": "+19706904544"}',
    "a lone surrogate deep within": rb'{"Message": "a", "PhoneNumber": "+19706904544", "Model": [{"a": ["\ud800"]}]}',
    "brackets without end": b"[" * DEEP,
    "objects without end": b'{"Message":' * DEEP,
    "deep nesting": b'{"Message": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "brackets without end that fit into a login": b"[" * NOT_SO_DEEP,
    "deep nesting of what nobody knows": b'{"Model": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
}
NO_VALUES: Mapping[str, bytes] = {
    "a lone surrogate": rb'"\ud800"',
    "surrogates the wrong way round": rb'"\ude00\ud83d"',
    "a raw lone surrogate": b'"\xed\xa0\x80"',
    "invalid UTF-8": b'"\xff"',
    "a raw NUL": b'"\0"',
    "NaN": b"NaN",
    "a number of 10,000 digits": b"9" * 10_000,
    "deep nesting": b"[" * DEEP + b"]" * DEEP,
    "brackets without end": b'{"a":' * DEEP,
    "no value": b"",
}
BROKEN = [
    *(
        Case(
            id=f"{path}: {what} as {name}",
            path=path,
            content=b'{"Message": "Hello", "PhoneNumber": "+19706904544", "%s": %s}' % (name.encode(), value),
        )
        for path, names in ((TEXTS, ("Sender", "Priority", "SendAt", "ExpiresAt")), (PREVIEW, ("Sender", "Priority")))
        for name in names
        for what, value in NO_VALUES.items()
    ),
    *(
        Case(id=f"{path}: {what}", path=path, content=content)
        for what, content in NO_JSON.items()
        for path in (TEXTS, PREVIEW, SUBSCRIBERS, LOGIN)
        if path != LOGIN or len(content) <= LOGIN_LIMIT
    ),
]

FORMS = [
    Case(id=f"form: {what}", path=LOGIN, content=content, content_type=FORM, at=at)
    for what, content, at in (
        ("nothing", b"", ["#/ProgramSID", "#/ProgramKey"]),
        ("JSON", b'{"ProgramSID": "a", "ProgramKey": "b"}', []),
        ("no value", b"ProgramSID", []),
        ("an empty value", b"ProgramSID=a&ProgramKey=", ["#/ProgramKey"]),
        ("a double", b"ProgramSID=a&ProgramKey=b&ProgramKey=c", ["#/ProgramKey"]),
        ("a NUL", b"ProgramSID=a&ProgramKey=%00", ["#/ProgramKey"]),
        ("invalid UTF-8", b"ProgramSID=a&ProgramKey=%ff", []),
        ("raw bytes", b"ProgramSID=a&ProgramKey=\xff", []),
        ("a lone surrogate", b"ProgramSID=a&ProgramKey=%ed%a0%80", []),
        ("101 fields", b"ProgramSID=a&ProgramKey=b" + b"&a=b" * 99, []),
    )
]

DOUBLES = [
    Case(
        id="a property that stands twice",
        content=b'{"Message": "One", "PhoneNumber": "+19706904544", "Message": "Two"}',
        at=["#/Message"],
    ),
    Case(
        id="a property that stands twice with the same value",
        path=SUBSCRIBERS,
        content=b'{"PhoneNumber": "+19706904544", "DoNotText": true, "DoNotText": true}',
        at=["#/DoNotText"],
    ),
    *(
        Case(
            id=f"{path}: {name.decode()} that stands twice",
            path=path,
            content=b'{"Message": "One", "PhoneNumber": "+19706904544", "%s": null, "%s": null}' % (name, name),
            at=[f"#/{name.decode()}"],
        )
        for path, names in (
            (TEXTS, (b"Sender", b"Priority", b"SendAt", b"ExpiresAt")),
            (PREVIEW, (b"Message", b"PhoneNumber", b"Sender", b"Priority")),
        )
        for name in names
    ),
]

MEDIA_TYPES = [
    Case(
        id=f"{path} as {content_type}",
        path=path,
        content=content,
        content_type=content_type,
        status=415,
        slug="unsupported-media-type",
    )
    for path, content_type, content in (
        (TEXTS, "text/plain", json.dumps(a_text()).encode()),
        (TEXTS, "text/xml", b"<Message/>"),
        (TEXTS, "application/jsonp", json.dumps(a_text()).encode()),
        (TEXTS, "application/vnd.api+json", json.dumps(a_text()).encode()),
        (TEXTS, "*/*", json.dumps(a_text()).encode()),
        (TEXTS, ";", json.dumps(a_text()).encode()),
        (TEXTS, FORM, urlencode(a_text()).encode()),
        (TEXTS, "multipart/form-data; boundary=x", b"--x--"),
        (TEXTS, f"{JSON}; charset=iso-8859-1", json.dumps(a_text()).encode()),
        (TEXTS, f"{JSON}; charset=utf-16", json.dumps(a_text()).encode("utf-16")),
        (TEXTS, f"{JSON}; charset=", json.dumps(a_text()).encode()),
        (TEXTS, f"{JSON}; charset=nonsense", json.dumps(a_text()).encode()),
        (PREVIEW, FORM, urlencode(a_text()).encode()),
        (PREVIEW, "text/plain", json.dumps(a_text()).encode()),
        (PREVIEW, f"{JSON}; charset=utf-16", json.dumps(a_text()).encode("utf-16")),
        (SUBSCRIBERS, FORM, urlencode(a_subscriber()).encode()),
        (SUBSCRIBERS, f"{JSON}; charset=windows-1252", json.dumps(a_subscriber()).encode()),
        (LOGIN, "text/plain", json.dumps(a_login()).encode()),
        (LOGIN, "multipart/form-data; boundary=x", b"--x--"),
        (LOGIN, f"{FORM}; charset=iso-8859-1", urlencode(a_login()).encode()),
    )
]

TOO_LARGE = [
    Case(
        id=f"{path}: more than {limit} bytes",
        path=path,
        content=json.dumps(body).encode().ljust(limit + 1),
        status=413,
        slug="content-too-large",
    )
    for path, body, limit in (
        (TEXTS, a_text(), BODY_LIMIT),
        (PREVIEW, a_text(), BODY_LIMIT),
        (SUBSCRIBERS, a_subscriber(), BODY_LIMIT),
        (LOGIN, a_login(), LOGIN_LIMIT),
    )
]


def asked(query: str, *at: str, path: str = TEXTS, status: int = 400, slug: str = "invalid-request") -> Case:
    return Case(id=f"{path}?{query}", method="GET", path=f"{path}?{query}", status=status, slug=slug, at=at)


SOME_TEXT = f"{TEXTS}/019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11"
SOME_DELIVERIES = f"{SOME_TEXT}/Deliveries"
BAD_IDS = (
    "1",
    "019aab5c8f6e7c7e9d5a3f1f0f6b2a11",
    "%7B019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11%7D",
    "019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a1",
    "019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11%20",
    "g19aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11",
    "urn:uuid:019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11",
    "%00",
    "%FF",
    "%F0%9F%98%80",
    "x" * 2_000,
    "'%20OR%201=1",
)
PARAMETERS = [
    *(
        asked(f"Limit={limit}", "Limit", path=path)
        for limit in ("0", "-1", "1001", "abc", "", "1.5", "1e2", "%2010", "%2B10", "0x10", "true", "%D9%A3", "9" * 400)
        for path in (TEXTS, SOME_DELIVERIES)
    ),
    asked("Limit=1&Limit=2", "Limit"),
    asked("Cursor=a&Cursor=a", "Cursor"),
    asked("limit=10", "limit"),
    asked("Nonsense=1", "Nonsense"),
    asked("Limit=0&Cursor=&Nonsense", "Nonsense", "Limit", "Cursor"),
    asked("Nonsense=1", "Nonsense", path=SOME_DELIVERIES),
    asked("Nonsense=1&Nonsense=2&Other=3", "Nonsense", "Other"),
    asked("Id=019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11", "Id"),
    # What looks like no name is not repeated, so this fault has no place.
    asked("%00=1", ""),
    asked("Cursor=", "Cursor"),
    asked(f"Cursor={'a' * 101}", "Cursor"),
    *(
        asked(f"Cursor={cursor}", "Cursor", path=path, status=422, slug="cursor-refused")
        for cursor in (
            "a",
            "abc",
            "nonsense",
            "%00",
            "%FF",
            "%F0%9F%98%80",
            "LTE",
            "OTk5OTk5OTk5OTk5OTk5",
            "MjE0NzQ4MzY0OA",
            "MS41",
            "....",
            "=",
        )
        for path in (TEXTS, SOME_DELIVERIES)
    ),
    # A cursor of one list, passed to the other.
    asked("Cursor=MTAw", "Cursor", status=422, slug="cursor-refused"),
    asked("Cursor=AZqrXI9ufH6dWj8fD2sqEQ", "Cursor", path=SOME_DELIVERIES, status=422, slug="cursor-refused"),
    *(
        Case(id=f"{written}{behind} as Id", method="GET", path=f"{TEXTS}/{written}{behind}", at=["Id"])
        for written in BAD_IDS
        for behind in ("", "/Deliveries")
    ),
    *(Case(id=f"{written}/Cancel", path=f"{TEXTS}/{written}/Cancel", at=["Id"]) for written in (*BAD_IDS, "Preview")),
    Case(id="a parameter of a cancellation", path=f"{SOME_TEXT}/Cancel?Status=queued", at=["Status"]),
    Case(id="a parameter of a preview", path=f"{PREVIEW}?Limit=1", content=json.dumps(a_text()).encode(), at=["Limit"]),
    *(
        asked(f"Status={state}", "Status", path=path)
        for state in (
            "",
            "Queued",
            "QUEUED",
            "nonsense",
            "queued,sent",
            "%20queued",
            "queued%00",
            "null",
            "1",
            "q" * 5_000,
        )
        for path in (TEXTS, SOME_DELIVERIES)
    ),
    *(
        asked(f"{name}={moment}", name)
        for name in ("DateSentFrom", "DateSentBefore")
        for moment in (
            "",
            "yesterday",
            "2027-01-02",
            "2027-01-02T09:00:00",
            "2027-01-02%2009:00:00Z",
            # A plus that is not encoded is a blank.
            "2027-01-02T09:00:00+01:00",
            "2027-02-29T09:00:00Z",
            "1798880400",
            "%00",
            "%FF",
            "%D9%A2%D9%A0%D9%A2%D9%A7-01-02T09:00:00Z",
            "2" * 5_000,
        )
    ),
    *(asked(f"PhoneNumber={number}", "PhoneNumber") for number in ("", "%00", "%2B19706904544%00", "1" * 101)),
    asked("Status=queued&Status=queued", "Status"),
    asked("PhoneNumber=1&PhoneNumber=2", "PhoneNumber"),
    asked("DateSentFrom=a&DateSentFrom=b", "DateSentFrom", "DateSentFrom"),
    asked("status=queued&phoneNumber=1", "phoneNumber", "status"),
    asked("PhoneNumber=9706904544", "PhoneNumber", path=SOME_DELIVERIES),
    asked("Status=queued", "Status", path=SOME_TEXT),
    asked("Status=&PhoneNumber=&DateSentFrom=&Limit=", "Status", "PhoneNumber", "DateSentFrom", "Limit"),
]


def with_headers(what: str, *headers: tuple[str, bytes], at: Sequence[str]) -> Case:
    return Case(id=what, content=json.dumps(a_text()).encode(), headers=headers, at=at)


KEY = "Idempotency-Key"


HEADERS = [
    *(
        # One that is empty is too short, and holds no visible character.
        with_headers(f"{what} as a key", (KEY, key), at=[KEY] * (1 if key.strip() else 2))
        for what, key in (
            ("nothing", b""),
            ("blanks", b" \t "),
            ("a blank inside", b"a b"),
            ("a tab inside", b"a\tb"),
            ("256 characters", b"x" * 256),
            ("60,000 characters", b"x" * 60_000),
            ("a NUL", b"a\0b"),
            ("a control character", b"a\x7f"),
            ("Latin-1", b"caf\xe9"),
            ("UTF-8", "é\N{GRINNING FACE}".encode()),
            ("a no-break space at the end", b"a\xa0"),
            ("a next line at the beginning", b"\x85a"),
        )
    ),
    with_headers("two keys", (KEY, b"one"), (KEY, b"two"), at=[KEY]),
    with_headers("one key twice", (KEY, b"one"), (KEY.lower(), b"one"), at=[KEY]),
    with_headers("a key and nothing", (KEY, b"one"), (KEY, b""), at=[KEY]),
    with_headers("1,001 characters of preferences", ("Prefer", b"wait=0," + b"x" * 994), at=["Prefer"]),
    with_headers("long preferences in two headers", ("Prefer", b"x" * 500), ("Prefer", b"y" * 500), at=["Prefer"]),
    *(
        Case(id=f"{name} in the query", path=f"{TEXTS}?{name}=a", content=json.dumps(a_text()).encode(), at=at)
        # What looks like no name is not repeated.
        for name, at in ((KEY, [""]), ("Prefer", ["Prefer"]))
    ),
]

NOWHERE = [
    Case(id=path, method="GET", path=path, status=404, slug="no-such-path")
    for path in (
        "/api",
        "/api/",
        "/api/Nothing",
        "/api/textmessages",
        f"{SOME_DELIVERIES}/1",
        "//api/TextMessages",
        f"{SOME_DELIVERIES}%0A",
        f"{TEXTS}/019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11/deliveries",
        "/api/%00",
        "/api/%FF",
        "/docs/",
        "/docs/nothing.html",
        "/docs/assets/nothing.js",
        "/docs/assets/",
        "/docs/assets/%00",
        "/docs/assets/..%2F..%2F..%2Fpyproject.toml",
        "/docs/assets/%2E%2E/%2E%2E/__init__.py",
        "/metrics",
        "/livez",
        "/readyz",
        "/swagger.json",
        "/.env",
        "/" + "x" * 5_000,
    )
]

CASES = [
    *NOT_THE_CONTRACTS,
    *UNKNOWN_PROPERTIES,
    *REFUSED,
    *BROKEN,
    *FORMS,
    *DOUBLES,
    *MEDIA_TYPES,
    *TOO_LARGE,
    *PARAMETERS,
    *HEADERS,
    *NOWHERE,
]


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(hub: Hub) -> Office:
    return await hub.an_office()


def is_problem(response: httpx.Response, status: int, slug: str) -> bool:
    """The shape of problem documents is checked by the client, with every answer."""
    is_one = response.headers.get("content-type") == PROBLEM and response.status_code == status
    # Nothing follows the head that HEAD asks for.
    return is_one and (response.request.method == "HEAD" or response.json()["type"] == slug)


def faults_of(response: httpx.Response) -> list[str]:
    return [
        "@".join(str(each[name]) for name in ("pointer", "parameter", "position") if name in each)
        for each in response.json().get("errors", ())
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id[:80])
async def test_bad_input_gets_a_problem_and_leaves_nothing_behind(hub: Hub, office: Office, case: Case) -> None:
    before = await hub.stored()
    content_type = [("Content-Type", case.content_type.encode())] if case.method == "POST" else []
    token = [(name, value.encode()) for name, value in office.headers.items()]
    headers = [*token, *content_type, *case.headers]

    response = await hub.client.request(
        case.method,
        case.path,
        content=case.content,
        headers=[(name.encode(), value) for name, value in headers],
    )

    assert is_problem(response, case.status, case.slug), response.text
    assert sorted(faults_of(response)) == sorted(case.at)
    assert await hub.stored() == before


async def test_a_body_too_large_is_refused_without_a_length_too(hub: Hub, office: Office) -> None:
    before = await hub.stored()

    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps(a_text()).encode()
        for _ in range(65):
            yield b" " * 65_536

    response = await hub.client.post(TEXTS, content=chunks(), headers={**office.headers, "Content-Type": JSON})

    assert is_problem(response, 413, "content-too-large")
    assert await hub.stored() == before


async def test_a_text_longer_than_its_program_may_send_is_refused(hub: Hub) -> None:
    office = await hub.an_office(segment_cap=2)
    before = await hub.stored()

    answers = [
        await hub.client.post(TEXTS, json=a_text(Message=text), headers=office.headers)
        for text in ("x" * 306, "x" * 307, "й" * 134, "й" * 135)
    ]

    assert [each.status_code for each in answers] == [200, 422, 200, 422]
    assert all(is_problem(each, 422, "too-many-segments") for each in answers[1::2])
    assert faults_of(answers[1]) == ["#/Message"]
    assert (await hub.stored())["text_messages"] == before["text_messages"] + 2


GOOD: Mapping[str, tuple[str, bytes]] = {
    "1,600 characters": (JSON, json.dumps(a_text(Message="x" * 1_600)).encode()),
    "a body of 4 MiB": (JSON, json.dumps(a_text()).encode().ljust(BODY_LIMIT)),
    "a pair of escaped surrogates": (JSON, rb'{"Message": "\ud83d\ude00", "PhoneNumber": "+19706904544"}'),
    "a backslash before what looks like a surrogate": (
        JSON,
        rb'{"Message": "\\ud83d", "PhoneNumber": "+19706904544"}',
    ),
    "control characters": (JSON, rb'{"Message": "a\u0001\u001b\u007fb", "PhoneNumber": "+19706904544"}'),
    "characters that are none": (JSON, rb'{"Message": "\uffff\ufffe\ufeff", "PhoneNumber": "+19706904544"}'),
    "UTF-8 in quotes": (f'{JSON}; charset="UTF-8"', json.dumps(a_text()).encode()),
    "a content type in capitals": ("APPLICATION/JSON;CHARSET=utf8", json.dumps(a_text()).encode()),
    "ASCII": (f"{JSON}; charset=us-ascii", json.dumps(a_text()).encode()),
    "another parameter": (f"{JSON}; odata.metadata=minimal", json.dumps(a_text()).encode()),
    "a byte order mark": (JSON, b"\xef\xbb\xbf" + json.dumps(a_text()).encode()),
    "a very exact time": (JSON, json.dumps(a_text(ExpiresAt=f"2099-01-01T00:00:00.{'1' * 10_000}Z")).encode()),
    "null for all that may be left out": (
        JSON,
        json.dumps(a_text(Sender=None, Priority=None, SendAt=None, ExpiresAt=None)).encode(),
    ),
}


@pytest.mark.parametrize("what", GOOD)
async def test_what_only_looks_bad_is_taken(hub: Hub, office: Office, what: str) -> None:
    content_type, content = GOOD[what]

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    headers = {**office.headers, "Content-Type": content_type}
    whole = await hub.client.post(TEXTS, content=content, headers=headers)
    chunked = await hub.client.post(TEXTS, content=chunks(), headers=headers)

    assert whole.status_code == chunked.status_code == 200
    written = json.loads(content.decode("utf-8-sig"))["Message"]
    assert whole.json()["Message"] == chunked.json()["Message"] == written
    read = await hub.client.get(f"{TEXTS}/{whole.json()['Id']}", headers=office.headers)
    assert read.json()["Message"] == written


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"]
PAGES = ["/", "/assets/pages.css", "/docs", "/docs/reference.js", "/docs/assets/swagger-ui.css", "/openapi.json"]


def allowed_on(path: str) -> set[str]:
    if path in PAGES:
        return {"GET", "HEAD"}
    methods = {each.method.upper() for each in CONTRACT.operations.values() if each.path == path}
    return methods | ({"HEAD"} if "GET" in methods else set())


def addressed(path: str, each_id: str) -> str:
    """With an id in it; those of what only operators know are numbers."""
    return re.sub(r"{\w+Id}", "1", path.replace("{Id}", each_id))


@pytest.mark.parametrize("path", [*dict.fromkeys(each.path for each in CONTRACT.operations.values()), *PAGES])
@pytest.mark.parametrize("with_token", [False, True], ids=["no token", "token"])
async def test_a_wrong_method_is_told_which_are_right(
    hub: Hub,
    office: Office,
    path: str,
    with_token: bool,  # noqa: FBT001
) -> None:
    allowed = allowed_on(path)
    wrong = [method for method in METHODS if method not in allowed]
    headers = office.headers if with_token else {}

    answers = [
        await hub.client.request(method, addressed(path, each_id), headers=headers)
        for method in wrong
        for each_id in (str(uuid4()), "no-id")
    ]

    assert all(is_problem(each, 405, "method-not-allowed") for each in answers)
    assert {frozenset(each.headers["allow"].split(", ")) for each in answers} == {frozenset(allowed)}


async def test_other_programs_messages_are_not_there(hub: Hub, office: Office) -> None:
    other = await hub.an_office()
    theirs = (await hub.client.post(TEXTS, json=a_text(), headers=other.headers)).json()["Id"]

    answers = [
        await hub.client.get(path, headers=office.headers)
        for message_id in (theirs, theirs.upper(), str(uuid4()), "00000000-0000-0000-0000-000000000000")
        for path in (f"{TEXTS}/{message_id}", f"{TEXTS}/{message_id}/Deliveries")
    ]

    assert all(is_problem(each, 404, "message-not-found") for each in answers)
    assert len({each.text for each in answers}) == 1, "whether there is one at another program must not show"
    listed = (await hub.client.get(TEXTS, headers=office.headers)).json()["Items"]
    assert theirs not in {each["Id"] for each in listed}


@pytest.mark.parametrize("scopes", ["", "messages:read", "messages:send", "messages:nonsense"])
async def test_what_the_token_does_not_allow_is_refused_with_403(hub: Hub, office: Office, scopes: str) -> None:
    claims = jwt.decode(office.token, options={"verify_signature": False}) | {"scope": scopes}
    key = hub.container.settings().signing_ring()["tests"]
    headers = {"Authorization": jwt.encode(claims, key, "HS256", headers={"kid": "tests"})}
    before = await hub.stored()
    refused = [each for each in CONTRACT.operations.values() if each.required_scopes - set(scopes.split())]

    answers = [
        await hub.client.request(each.method, addressed(each.path, str(uuid4())), json={}, headers=headers)
        for each in refused
    ]

    assert refused
    assert all(is_problem(each, 403, "scope-missing") for each in answers)
    assert await hub.stored() == before


# On the wire


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: hub", *headers, "", ""]).encode() + body


def test_a_body_that_is_announced_too_large_is_refused_at_once(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    headers = [f"Authorization: {office.token}", f"Content-Type: {JSON}"]
    for length in (BODY_LIMIT + 1, 5 * 1024**3, 10**18):
        with running_hub.connection() as connection:
            connection.send(request("POST", TEXTS, *headers, f"Content-Length: {length}"))

            assert connection.answer("POST", TEXTS).status_code == 413


def test_a_client_that_goes_away_leaves_nothing_behind(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    headers = [f"Authorization: {office.token}", f"Content-Type: {JSON}", "Content-Length: 1000"]
    before = texts_of(running_hub, office)
    for _ in range(3):
        with running_hub.connection() as connection:
            connection.send(request("POST", TEXTS, *headers, body=json.dumps(a_text()).encode()))
            # Closed with a reset, as by a process that is killed.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert texts_of(running_hub, office) == before
    assert running_hub.process.poll() is None
    assert "request_failed" not in running_hub.log()


@pytest.mark.parametrize(
    "written",
    [
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        request("POST", TEXTS, "Content-Length: -1"),
        request("POST", TEXTS, "Content-Length: many"),
        request("POST", TEXTS, "Content-Length: 5", "Transfer-Encoding: chunked", body=b"zz\r\n"),
        request("POST", LOGIN, f"Content-Type: {JSON}", "Transfer-Encoding: chunked", body=b"zz\r\n"),
        request("GET", TEXTS, "Authorization: a\0b"),
        request("GET", f"{TEXTS}\xff"),
    ],
    ids=range(8),
)
def test_what_is_no_http_is_refused_by_the_server(running_hub: RunningHub, written: bytes) -> None:
    with running_hub.connection() as connection:
        connection.send(written)

        assert connection.receive_head().startswith(b"HTTP/1.1 400 ")


def texts_of(hub: RunningHub, office: Office) -> int:
    return len(hub.client.get(TEXTS, headers=office.headers).json()["Items"])


# What nobody else is to see

SECRET_TEXT = "wren-7f3a-text"
SECRET_DIGITS = "2025550147"
SECRET_KEY = "wren-7f3a-key"
SECRET_TOKEN = "wren-7f3a-token"


def telling_requests(office: Office, digits: str) -> Iterable[tuple[str, str, Mapping[str, str], bytes]]:
    """Requests that are refused for one reason or another, with a secret wherever one can stand."""
    own = {"Authorization": f"Bearer {office.token}", "Content-Type": JSON}
    open_to_all = {"Content-Type": JSON}
    secrets = [SECRET_TEXT, digits, SECRET_KEY, SECRET_TOKEN, office.token, office.credentials.key]
    for secret in secrets:
        bodies: list[tuple[str, Mapping[str, object]]] = [
            *((TEXTS, a_text(**{name: value})) for name in a_text() for value in wrong_values(secret)),
            *((TEXTS, a_text(**{name: value})) for name in MODEL for value in (secret, *wrong_values(secret))),
            (TEXTS, a_text(PhoneNumber=f"{NUMBER},{secret},{secret}x")),
            (TEXTS, a_text(Message=secret, PhoneNumber="nobody")),
            (TEXTS, a_text(Message=secret, Nonsense=secret)),
            (TEXTS, a_text(**{f"{secret}-": secret})),
            (TEXTS, a_text(Message=secret.ljust(1_601, "\N{GRINNING FACE}"))),
            (TEXTS, a_text(Message=secret.ljust(1_600, "\N{GRINNING FACE}"))),
            (PREVIEW, a_text(Sender=secret)),
            (PREVIEW, a_text(PhoneNumber=f"{secret}x")),
            *((PREVIEW, a_text(**{name: value})) for name in a_text() for value in wrong_values(secret)),
            *(
                (SUBSCRIBERS, a_subscriber(**{name: value}))
                for name in a_subscriber()
                for value in wrong_values(secret)
            ),
            (SUBSCRIBERS, a_subscriber(PhoneNumber=f"{secret}x")),
            *((LOGIN, a_login(**{name: value})) for name in a_login() for value in (secret, *wrong_values(secret))),
        ]
        for path, body in bodies:
            yield "POST", path, own, json.dumps(body).encode()
        broken = json.dumps(a_text(Message=secret, PhoneNumber=secret)).encode()
        for content in (broken[:-1], broken.replace(b"-", b"\xff"), broken + b",", b'"' + secret.encode() + b'"'):
            yield "POST", TEXTS, own, content
            yield "POST", LOGIN, open_to_all, content
        yield "POST", TEXTS, own | {"Content-Type": secret}, broken
        yield "POST", TEXTS, own | {"Content-Type": f"{JSON}; charset={secret}"}, broken
        yield "POST", LOGIN, {"Content-Type": FORM}, f"ProgramSID=nobody&ProgramKey={secret}".encode()
        yield "POST", LOGIN, {"Content-Type": FORM}, secret.encode()
        for name in (KEY, "Prefer"):
            yield "POST", TEXTS, own | {name: f"{secret} {secret}"}, json.dumps(a_text(Priority=secret)).encode()
            yield "POST", TEXTS, own | {name: secret * 100}, json.dumps(a_text()).encode()
        for header in (secret, f"Bearer {secret}", f"Basic {secret}", f"{secret} {secret}"):
            yield "GET", TEXTS, {"Authorization": f"{header}x"}, b""
        for path in (
            f"{TEXTS}/{secret}",
            f"{TEXTS}?Cursor={secret[:100]}",
            f"{TEXTS}?Limit={secret}",
            f"{TEXTS}?Nonsense={secret}",
            f"{TEXTS}?{secret}=1&{secret}=2",
            f"{SOME_DELIVERIES}?Cursor={secret[:100]}",
            f"{SOME_DELIVERIES}?Status={secret}",
            f"{TEXTS}?Status={secret}",
            f"{TEXTS}?PhoneNumber={secret[:90]}x",
            f"{TEXTS}?DateSentFrom={secret}&DateSentBefore={secret}",
            f"{TEXTS}/{secret}/Cancel",
            f"/api/{secret}",
            f"/{secret}?{secret}",
        ):
            yield "GET", path, own | {"Referer": f"https://office.example/{secret}", "User-Agent": secret}, b""
            yield "DELETE", path, own, b""


MODEL = ("ProgramId", "DateSent", "SendSuccessful", "SentResult", "Sender", "Priority", "SendAt", "ExpiresAt")


def wrong_values(secret: str) -> Iterable[object]:
    return ([secret], {"a": secret}, {secret: 1}, secret + "\0", secret * 100, 10**20 + int(SECRET_DIGITS))


def test_numbers_texts_keys_and_tokens_show_in_no_problem_no_log_and_no_metric(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    refused: list[httpx.Response] = []
    for method, path, headers, content in telling_requests(office, SECRET_DIGITS):
        response = running_hub.client.request(method, path, headers=headers, content=content)
        if response.status_code >= 400:
            refused.append(response)
    accepted = a_text(Message=f"{SECRET_TEXT} {SECRET_KEY} {SECRET_TOKEN}", PhoneNumber=f"{SECRET_DIGITS},+15005550001")
    other = running_hub.an_office()
    sent = running_hub.client.post(TEXTS, json=accepted, headers=other.headers).json()
    await_outcome(running_hub, other, sent["Id"])

    assert len(refused) > 400
    assert max(each.status_code for each in refused) < 500
    secrets = [SECRET_TEXT, SECRET_DIGITS, SECRET_KEY, SECRET_TOKEN, office.token, office.credentials.key]
    secrets += [office.token.split(".")[2], "5005550001", NUMBER.removeprefix("+1")]
    for secret in secrets:
        assert [each.text for each in refused if secret in each.text] == []
        assert secret not in running_hub.log()
        assert secret not in running_hub.metrics()
    events = Counter(json.loads(line)["event"] for line in running_hub.log().splitlines())
    assert events["request_served"] > len(refused)
    assert events["delivery_attempted"]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (FORM, json.dumps({"ProgramSID": "AC1", "ProgramKey": f"{SECRET_KEY}="}).encode()),
        (JSON, json.dumps({SECRET_DIGITS: SECRET_TEXT}).encode()),
    ],
    ids=["a JSON body that is sent as a form", "a number as a name"],
)
def test_a_secret_in_the_place_of_a_name_does_not_show_either(
    running_hub: RunningHub, content_type: str, content: bytes
) -> None:
    response = running_hub.client.post(LOGIN, content=content, headers={"Content-Type": content_type})

    assert response.status_code == 400
    assert not any(secret in response.text for secret in (SECRET_KEY, SECRET_DIGITS))


async def test_of_many_properties_that_nobody_knows_the_first_are_named(hub: Hub, office: Office) -> None:
    names = [f"x{index}" for index in range(100_000)]

    response = await hub.client.post(TEXTS, json=a_text(**dict.fromkeys(names, 1)), headers=office.headers)

    assert is_problem(response, 400, "unknown-property")
    assert faults_of(response) == [f"#/{name}" for name in names[:20]] + ["#"]
    assert response.json()["errors"][-1]["detail"] == "99980 more properties are not known."


async def test_a_property_that_stands_ever_so_often_is_named_once(hub: Hub) -> None:
    content = b"{" + b'"ProgramSID": "a", ' * 500 + b'"ProgramKey": "b"}'

    response = await hub.client.post(LOGIN, content=content, headers={"Content-Type": JSON})

    assert is_problem(response, 400, "invalid-request")
    assert faults_of(response) == ["#/ProgramSID"]


def await_outcome(hub: RunningHub, office: Office, message_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while hub.client.get(f"{TEXTS}/{message_id}", headers=office.headers).json()["Counts"].keys() != {
        "failed",
        "delivered",
    }:
        assert time.monotonic() < deadline
        time.sleep(0.05)
