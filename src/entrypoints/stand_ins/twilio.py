"""Twilio's Messages resource as far as the hub uses it.

What it does wrong is told to it by `POST /_control`, or follows from Twilio's magic numbers; what it was sent is told
by `GET /_control/log`. Nothing of it is a secret: anybody may control it.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from entrypoints.stand_ins import twilio_numbers
from entrypoints.stand_ins.calls import Call, Patience
from entrypoints.stand_ins.deeds import COMMON_DEEDS
from entrypoints.stand_ins.fates import Behaviour, Fate, Receipt
from entrypoints.stand_ins.http import Arrival, Conversation, Exchange, Headers
from entrypoints.stand_ins.stand_in import StandIn
from entrypoints.stand_ins.twilio_answers import account_of, asking_to_wait, error, fault_of, is_asked_for, message_of
from entrypoints.stand_ins.twilio_calls import inbound_call, status_call

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "fedcba9876543210" * 2
API_KEY = "SK" + "0123456789abcdef" * 2
API_SECRET = "the-secret-of-an-api-key"  # noqa: S105 - of nobody

_API = "/2010-04-01/Accounts/"
_LAST = {"delivered", "undelivered", "failed"}
# Words that a recipient may text back, which Twilio goes by unless an account has its own
# (https://support.twilio.com/hc/en-us/articles/223134027).
_STOPS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
_STARTS = {"START", "YES", "UNSTOP"}
# What a messaging service sends from.
_OF_SERVICE = "+15005550006"
_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1_000


class TwilioStandIn(StandIn):
    """`credentials` are passwords by user names. The account's own signs the calls."""

    # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    PATIENCE = Patience((1.0,), with_any_failure=False)

    def __init__(self, *, credentials: Mapping[str, str] | None = None, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.credentials = dict(credentials or {ACCOUNT_SID: AUTH_TOKEN, API_KEY: API_SECRET})
        self.messages: dict[str, dict[str, Any]] = {}
        self.account_status = "active"
        self._status_callbacks: dict[str, str] = {}
        # Who wants nothing from whom any more.
        self._opted_out: set[tuple[str, str]] = set()

    @property
    def sids(self) -> list[str]:
        return list(self.messages)

    def answer(self, conversation: Conversation, request: Exchange, at_ns: int) -> None:
        path = urlsplit(request.target).path
        asking = Arrival(at_ns, "", "", "", asks=True)
        if self.controlled(conversation, request):
            return
        if not self._knows(request.headers.get("authorization", "")):
            conversation.write(*error(20003, HTTPStatus.UNAUTHORIZED))
        elif path == f"{_API}{ACCOUNT_SID}.json" and request.method == "GET":
            # Keys of the usual kind may not see the account.
            found = (
                (HTTPStatus.OK, account_of(ACCOUNT_SID, self._auth_token, self.account_status))
                if self._is_account(request.headers["authorization"])
                else error(20003, HTTPStatus.UNAUTHORIZED)
            )
            self.behave(conversation, asking, lambda: conversation.write(*found))
        elif path == f"{_API}{ACCOUNT_SID}/Messages.json" and request.method == "POST":
            self._take(conversation, request, at_ns)
        elif path == f"{_API}{ACCOUNT_SID}/Messages.json":
            self.behave(conversation, asking, lambda: conversation.write(HTTPStatus.OK, self._page(request.target)))
        elif path.startswith(f"{_API}{ACCOUNT_SID}/Messages/"):
            message = self.messages.get(path.rpartition("/")[2].removesuffix(".json"))
            found = (HTTPStatus.OK, message) if message else error(20404, HTTPStatus.NOT_FOUND)
            self.behave(conversation, asking, lambda: conversation.write(*found))
        else:
            conversation.write(*error(20404, HTTPStatus.NOT_FOUND))

    def success(self, arrival: Arrival) -> tuple[int, object]:
        return (HTTPStatus.OK, {"messages": []}) if arrival.asks else (HTTPStatus.CREATED, self.take(arrival))

    def take(self, arrival: Arrival) -> Mapping[str, Any]:
        """Twilio has the text from here on, whether it says so or not."""
        arrival.sid = f"SM{uuid4().hex}"
        message = message_of(arrival, ACCOUNT_SID)
        self.messages[arrival.sid] = message
        if arrival.form.get("StatusCallback"):
            self._status_callbacks[arrival.sid] = arrival.form["StatusCallback"]
        receipts = self.fate_of(arrival).receipts
        self.follow(arrival.sid, (Receipt("queued"), *receipts) if message["status"] == "accepted" else receipts)
        return message

    def fate_of(self, arrival: Arrival) -> Fate:
        """By the sender first, as nothing can be sent from one that is not good."""
        fate = twilio_numbers.SENDERS.get(arrival.sender) or twilio_numbers.RECIPIENTS.get(arrival.to)
        return fate or twilio_numbers.ORDINARY

    def receipt_call(self, reference: str, receipt: Receipt) -> Call | None:
        message = self.messages[reference]
        if message["status"] not in _LAST:
            now = format_datetime(datetime.now(UTC))
            message |= {"status": receipt.status, "error_code": receipt.code, "date_updated": now}
            message["from"] = message["from"] or _OF_SERVICE
            message["date_sent"] = message["date_sent"] or now
        url = self._status_callbacks.get(reference)
        if url is None:
            return None
        told = {**message, "status": receipt.status, "error_code": receipt.code}
        return status_call(url, told, auth_token=self._auth_token)

    def inbound_calls(self, url: str, *, sender: str, to: str, text: str) -> Sequence[Call]:
        word = text.strip().upper()
        if word in _STOPS:
            self._opted_out.add((sender, to))
        elif word in _STARTS:
            self._opted_out.discard((sender, to))
        arrival = Arrival(0, sender, to, text, sid=f"SM{uuid4().hex}")
        message = {**message_of(arrival, ACCOUNT_SID), "direction": "inbound", "status": "received"}
        self.messages[message["sid"]] = message
        return [inbound_call(url, message, auth_token=self._auth_token)]

    @property
    def _auth_token(self) -> str:
        return self.credentials.get(ACCOUNT_SID, AUTH_TOKEN)

    def _take(self, conversation: Conversation, request: Exchange, at_ns: int) -> None:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        sender = form.get("From") or form.get("MessagingServiceSid", "")
        arrival = Arrival(at_ns, sender, form.get("To", ""), form.get("Body", ""), form=form)
        self.arrivals.append(arrival)
        conversation.arrival = arrival
        self.behave(conversation, arrival, lambda: self._judge(conversation, arrival))

    def _judge(self, conversation: Conversation, arrival: Arrival) -> None:
        refusal = self._refusal_of(arrival)
        if refusal is not None:
            conversation.write(*refusal)
        else:
            self.meet(conversation, arrival, lambda: conversation.write(HTTPStatus.CREATED, self.take(arrival)))

    def _refusal_of(self, arrival: Arrival) -> tuple[HTTPStatus, object, Headers] | None:
        early_us = self.early_us(arrival)
        if early_us > 0:
            return error(20429, HTTPStatus.TOO_MANY_REQUESTS, retry_after=str(-(-early_us // 1_000_000)))
        code = 21610 if (arrival.to, arrival.sender) in self._opted_out else fault_of(arrival)
        return error(code) if code else None

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return False
        return kind == "Basic" and bool(name) and self.credentials.get(name) == password

    def _is_account(self, authorization: str) -> bool:
        return base64.b64decode(authorization.partition(" ")[2]).decode().startswith(f"{ACCOUNT_SID}:")

    def _page(self, target: str) -> Mapping[str, object]:
        """The newest first, as Twilio lists them."""
        asked = dict(parse_qsl(urlsplit(target).query))
        found = [message for message in reversed(self.messages.values()) if is_asked_for(message, asked)]
        size = min(int(asked.get("PageSize", _DEFAULT_PAGE)), _LARGEST_PAGE)
        number = int(asked.get("Page", 0))
        shown = found[number * size : (number + 1) * size]

        def uri(page: int) -> str:
            query = {**asked, "PageSize": size, "Page": page}
            return f"{_API}{ACCOUNT_SID}/Messages.json?{urlencode(query)}"

        return {
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if len(found) > (number + 1) * size else None,
            "previous_page_uri": uri(number - 1) if number else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(shown) - 1, 0),
            "messages": shown,
        }


def _no_sid(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    conversation.write(201, {**({} if arrival.asks else twilio.take(arrival)), "sid": None})


def _hang_but_taken_and_forgotten(
    twilio: TwilioStandIn, _conversation: Conversation, arrival: Arrival, _how: Behaviour
) -> None:
    """Its log shows a text as it does where an account has it keep none."""
    twilio.messages[twilio.take(arrival)["sid"]]["body"] = None


def _error_500(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, _how: Behaviour) -> None:
    conversation.write(*error(20500, HTTPStatus.INTERNAL_SERVER_ERROR))


def _error_500_but_taken(twilio: TwilioStandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    if not arrival.asks:
        twilio.take(arrival)
    conversation.write(*error(20500, HTTPStatus.INTERNAL_SERVER_ERROR))


def _too_many(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, how: Behaviour) -> None:
    conversation.write(*error(20429, HTTPStatus.TOO_MANY_REQUESTS, retry_after=how.retry_after))


def _unauthorized(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, _: Behaviour) -> None:
    conversation.write(*error(20003, HTTPStatus.UNAUTHORIZED))


def _any_error(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, how: Behaviour) -> None:
    conversation.write(*error(how.code or 21211, HTTPStatus(how.status or 400), retry_after=how.retry_after))


def _problem(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, how: Behaviour) -> None:
    """As newer services of Twilio's say what is wrong (RFC 9457)."""
    status = how.status or 400
    body = {"type": "about:blank", "title": "Bad", "status": status, "code": how.code}
    conversation.write(status, body, {"Content-Type": "application/problem+json", **asking_to_wait(how.retry_after)})


def _redirect(_twilio: TwilioStandIn, conversation: Conversation, _arrival: Arrival, how: Behaviour) -> None:
    conversation.write_raw(how.status or 307, b"", {"Location": f"{_API}{ACCOUNT_SID}/Messages.json"})


TwilioStandIn.DEEDS = {
    **COMMON_DEEDS,
    "no-sid": _no_sid,
    "hang-but-taken-and-forgotten": _hang_but_taken_and_forgotten,
    "500": _error_500,
    "500-but-taken": _error_500_but_taken,
    "429": _too_many,
    "401": _unauthorized,
    "error": _any_error,
    "problem": _problem,
    "redirect": _redirect,
}
