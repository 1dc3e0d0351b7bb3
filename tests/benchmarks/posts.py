"""The requests that are posted, ready but for the few bytes that differ from one to the next."""

import base64
import hmac
import itertools
import json
from collections.abc import Callable, Sequence
from typing import TypeAlias
from urllib.parse import urlencode, urlsplit

Post: TypeAlias = Callable[[], bytes]
"""Makes the next request, head and body."""

SHORT_TEXT = "Your appointment is tomorrow at 10:30. Reply to this text if you cannot make it."

_FIRST_NUMBER = 2_000_000
_NUMBERS = 7_000_000
# As long as a UUID and written as one, so that any reader of keys takes it.
_KEY = "00000000-0000-4000-8000-%012d"


def single_texts(tokens: Sequence[str]) -> Post:
    """Each to another number and with another idempotency key, the tokens in turn."""
    body = json.dumps({"Message": SHORT_TEXT, "PhoneNumber": "+1970%07d"})
    # Written out, number and key are longer than their places in the template, and always the same.
    length = len(body % 0)
    templates = [_head("/api/TextMessages", token, length, key=_KEY) + body.encode() for token in tokens]
    turns = itertools.count()

    def next_text() -> bytes:
        turn = next(turns)
        return templates[turn % len(templates)] % (turn, _FIRST_NUMBER + turn % _NUMBERS)

    return next_text


def bulk_texts(tokens: Sequence[str], *, recipients: int) -> Post:
    """Each to the same distinct numbers, with another idempotency key."""
    body = json.dumps({"Message": SHORT_TEXT, "PhoneNumber": many_numbers(recipients)})
    # Singles must not have the same keys with the same tokens.
    turns = itertools.count(10**11)

    def next_bulk() -> bytes:
        turn = next(turns)
        token = tokens[turn % len(tokens)]
        return _head("/api/TextMessages", token, len(body), key=_KEY) % turn + body.encode()

    return next_bulk


def text_post(token: str, body: str) -> bytes:
    """One request, without an idempotency key."""
    return _head("/api/TextMessages", token, len(body)) + body.encode()


def previews(tokens: Sequence[str], *, path: str) -> Post:
    body = json.dumps({"Message": SHORT_TEXT})
    requests = [_head(path, token, len(body)) + body.encode() for token in tokens]
    return itertools.cycle(requests).__next__


def twilio_receipts(url: str, *, account_sid: str, auth_token: str) -> Post:
    """That the delivery 1, 2, … has arrived, as `put_texts` puts them into an empty database. `url` is the hub's."""
    turns = itertools.count(1)
    path = urlsplit(url).path

    def next_receipt() -> bytes:
        delivery_id = next(turns)
        sid = f"SM{delivery_id:032x}"
        query = f"Delivery={delivery_id}&Attempt=1"
        form = {
            "AccountSid": account_sid,
            "MessageSid": sid,
            "MessageStatus": "delivered",
            "To": f"+1970{_FIRST_NUMBER + delivery_id - 1}",
        }
        signed = f"{url}?{query}" + "".join(f"{name}{form[name]}" for name in sorted(form))
        signature = base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()
        body = urlencode(form)
        lines = [
            f"POST {path}?{query} HTTP/1.1",
            "Host: 127.0.0.1",
            f"X-Twilio-Signature: {signature}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", body]).encode()

    return next_receipt


def many_numbers(count: int) -> str:
    return ",".join(f"+1970{_FIRST_NUMBER + each}" for each in range(count))


def _head(path: str, token: str, length: int, *, key: str | None = None) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *([] if key is None else [f"Idempotency-Key: {key}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
