"""What Vonage's answers say of a text."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.providers import http_answers
from adapters.providers.vonage.account import Api
from adapters.providers.vonage.connection import Answer
from adapters.providers.vonage.error_codes import MESSAGES_API, SMS_API
from domain.model.send_outcome import Accepted, Refused, SendOutcome, Unknown

_UNREADABLE = Unknown("unreadable-answer")
_PARTLY_SENT = Refused("partly-sent")
_NOT_LISTED = Refused("refused-by-provider")
_REFERENCE = re.compile(r"[\w-]{1,64}", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """`unlisted` are the codes that no table has; `credit` is what the account has left, where that is told."""

    outcome: SendOutcome
    unlisted: tuple[str, ...] = ()
    credit: float | None = None


def read(api: Api, answer: Answer) -> Reading:
    return _READERS[api](answer)


def _by_messages_api(answer: Answer) -> Reading:
    told = _json(answer.body)
    properties: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if 200 <= answer.status < 300:
        return Reading(_accepted(properties.get("message_uuid")))
    code = _code(properties)
    listed = None if code is None else MESSAGES_API.get(code)
    outcome = _by_status(answer, listed)
    unlisted = (code,) if code is not None and listed is None and 400 <= answer.status < 500 else ()
    return Reading(outcome, unlisted)


def _by_sms_api(answer: Answer) -> Reading:
    """Each part of a long text has an outcome of its own."""
    if answer.status != 200:
        return Reading(_by_status(answer, None))
    told = _json(answer.body)
    match told:
        case {"message-count": count, "messages": [*parts]} if parts and str(count) == str(len(parts)):
            outcomes = [_of_part(part) for part in parts]
        case _:
            return Reading(_UNREADABLE)
    unlisted = (part["status"] for part, outcome in zip(parts, outcomes, strict=True) if outcome is _NOT_LISTED)
    return Reading(_of_all(outcomes), tuple(unlisted), _credit(parts[-1]))


def _of_part(part: object) -> SendOutcome:
    match part:
        case {"status": "0", "message-id": reference}:
            return _accepted(reference)
        case {"status": str(status)} if status != "0" and _NUMBER.fullmatch(status):
            return SMS_API.get(status, _NOT_LISTED)
        case _:
            return _UNREADABLE


def _credit(part: object) -> float | None:
    match part:
        case {"remaining-balance": str(amount)} if _AMOUNT.fullmatch(amount):
            return float(amount)
        case _:
            return None


def _of_all(outcomes: Sequence[SendOutcome]) -> SendOutcome:
    """What was sent in part must never be sent again, however the rest of it fared."""
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    if accepted:
        return accepted[0] if len(accepted) == len(outcomes) else _PARTLY_SENT
    return _UNREADABLE if _UNREADABLE in outcomes else outcomes[0]


def _by_status(answer: Answer, listed: SendOutcome | None) -> SendOutcome:
    wait_us = http_answers.retry_after_us(answer.headers.get("retry-after"))
    return http_answers.outcome_of(answer.status, listed, retry_after_us=wait_us)


def _code(problem: Mapping[str, Any]) -> str | None:
    """A problem's type is an address that ends in its code; some have the code as their title."""
    kind, title = problem.get("type"), problem.get("title")
    if isinstance(kind, str) and "#" in kind:
        return kind.rpartition("#")[2]
    return title if isinstance(title, str) and _NUMBER.fullmatch(title) else None


def _accepted(reference: object) -> SendOutcome:
    readable = isinstance(reference, str) and _REFERENCE.fullmatch(reference)
    return Accepted(str(reference)) if readable else _UNREADABLE


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """None for what is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


_READERS: Mapping[Api, Callable[[Answer], Reading]] = {Api.MESSAGES: _by_messages_api, Api.SMS: _by_sms_api}
