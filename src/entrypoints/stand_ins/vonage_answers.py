"""What Vonage answers to a text, by each of its two APIs."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from entrypoints.stand_ins.http import Headers

_ERRORS = "https://developer.vonage.com/api-errors"
_NUMBER = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_TEXTS = {
    "1": "Throughput Rate Exceeded",
    "2": "Missing to param",
    "3": "Invalid value for param",
    "4": "Bad Credentials",
    "7": "Number barred.",
}

Answer = tuple[int, object, Headers]


def fault_of_message(form: Mapping[str, Any]) -> str | None:
    if not {"to", "from", "message_type", "channel", "text"} <= form.keys():
        return "1010"
    lives = 20 <= form.get("ttl", 20) <= 604_800
    numbered = _NUMBER.fullmatch(form["to"]) is not None
    return None if lives and numbered and 0 < len(form["text"]) <= 3_200 else "1020"


def fault_of_sms(form: Mapping[str, Any]) -> str | None:
    if not {"to", "from", "text"} <= form.keys():
        return "2"
    lives = 20_000 <= int(form.get("ttl", 20_000)) <= 604_800_000
    return None if lives and _NUMBER.fullmatch(form["to"]) else "3"


def in_parts(parts: Sequence[Mapping[str, str]]) -> Mapping[str, object]:
    return {"message-count": str(len(parts)), "messages": list(parts)}


def refused_part(code: str) -> Mapping[str, str]:
    return {"status": code, "error-text": _TEXTS.get(code, "Refused")}


def problem(code: str, status: int, *, retry_after: str | None = None) -> Answer:
    body = {
        "type": f"{_ERRORS}/messages#{code}" if code.isdecimal() else f"{_ERRORS}#{code}",
        "title": "Refused",
        "detail": "The text was refused.",
        "instance": uuid4().hex,
    }
    # As it is documented, the one kind of problem that is no problem+json.
    kind = "application/json" if status == HTTPStatus.UNPROCESSABLE_ENTITY else "application/problem+json"
    return status, body, {"Content-Type": kind, **request_id(), **asking_to_wait(retry_after)}


def asking_to_wait(retry_after: str | None) -> Headers:
    return {} if retry_after is None else {"Retry-After": retry_after}


def request_id() -> Headers:
    return {"X-Request-Id": str(uuid4())}
