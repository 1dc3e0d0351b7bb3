import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientError, ClientResponseError, ClientSSLError
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from adapters.providers.http_answers import UnlistedCode, retry_after_us, showable
from adapters.providers.twilio.account import TwilioAccount
from adapters.providers.twilio.callbacks import status_callback
from adapters.providers.twilio.error_codes import is_unlisted, outcome_of
from adapters.providers.twilio.http_client import AnswerTooLong, Call, HttpClient
from adapters.providers.twilio.library import client_of
from adapters.providers.twilio.message_status import is_reference, is_status, verdict_of
from adapters.providers.twilio.signatures import SigningKey
from domain.errors import CredentialsUnreadable, InvalidValue
from domain.model.credentials import Credentials
from domain.model.delivery import DeliveryState
from domain.model.gsm7 import simplified
from domain.model.pace import SECOND_US
from domain.model.send_outcome import (
    Accepted,
    Barred,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotFound,
    NotSent,
    SendOutcome,
    Unknown,
)
from domain.ports.due_deliveries import Enquiry
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider

_LONGEST_VALIDITY_S = 36_000

_ASK_AGAIN_US = 60 * SECOND_US
_PAGE_SIZE = 50
_MOST_SEARCHED = 200
# Twilio's clock and the hub's may differ, and a message is younger than its slot in any case.
_CLOCK_SKEW = timedelta(seconds=120)
# What Twilio puts before the texts of accounts on trial.
_TRIAL_PREFIX = "Sent from your Twilio trial account - "

# Twilio's library has no types.
_Messages = Any
_Message = Any


class TwilioProvider(SmsProvider):
    """Twilio's Programmable Messaging, by its own library. `api_base_url` is for another place than Twilio's own.
    `status_callback` is what Twilio is to call with receipts; None: nothing. `smart_encoding` lets it replace
    characters that make a text long.

    Calls of all accounts share `connections`. `timeout_s` is for the answer; neither the time in which the connection
    is made nor the wait for the departure counts.
    """

    def __init__(
        self,
        accounts: ProviderAccounts,
        *,
        api_base_url: str | None,
        timeout_s: float = 10.0,
        connections: int = 500,
        connect_timeout_s: float = 5.0,
        status_callback: str | None = None,
        smart_encoding: bool = False,
        unlisted: UnlistedCode = lambda status, code: None,  # noqa: ARG005 - nobody wants to be told
    ) -> None:
        self._accounts = accounts
        self._status_callback = status_callback
        self._smart_encoding = smart_encoding
        self._unlisted = unlisted
        self._api_base_url = api_base_url
        self._http = HttpClient(
            connections=connections, connect_timeout_s=connect_timeout_s, answer_timeout_s=timeout_s
        )
        self._look_up_timeout_s = _MOST_SEARCHED / _PAGE_SIZE * (connect_timeout_s + timeout_s)
        self._known: dict[int, _Known] = {}

    async def prepare(self) -> None:
        """It is ready when it is made."""

    async def close(self) -> None:
        await self._http.close()

    def account_of(self, credentials: Credentials) -> str:
        return TwilioAccount.of(credentials).sid

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        try:
            account = await self._account(text.account_id)
        except CredentialsUnreadable:
            return Barred("credentials-unreadable")
        except InvalidValue:
            return Barred("credentials-unusable")
        call = Call(departure)
        try:
            with call.under_way():
                message = await account.messages.create_async(**self._written(text, signs=account.signs))
        except (TwilioRestException, TwilioServiceException) as error:
            status = call.status or 0
            if is_unlisted(status, error.code):
                self._unlisted(status, showable(error.code))
            return outcome_of(status, error.code, retry_after_us=retry_after_us(call.retry_after))
        except Exception as error:  # noqa: BLE001 - whatever it is, the text may have left
            if call.stayed is not None:
                raise call.stayed from None
            return Unknown(_trouble(error)) if call.departed else NotSent(_no_connection(error))
        if not is_reference(message.sid):
            return Unknown("unreadable-answer")
        return Accepted(message.sid)

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:
        try:
            messages = (await self._account(enquiry.account_id)).messages
        except (CredentialsUnreadable, InvalidValue):
            return CannotTell("credentials-unreadable", _ASK_AGAIN_US)
        call, delivery = Call(), enquiry.delivery
        reference = delivery.provider_reference if delivery.state is DeliveryState.SENT else None
        try:
            async with asyncio.timeout(self._look_up_timeout_s):
                with call.under_way():
                    if reference is not None:
                        return _told_of(reference, await messages(reference).fetch_async())
                    return _found_among(
                        await messages.list_async(to=delivery.number.e164, limit=_MOST_SEARCHED, page_size=_PAGE_SIZE),
                        enquiry,
                        as_written=not self._smart_encoding,
                    )
        except TwilioException:
            if reference is not None and call.status == 404:
                return NotFound()
            return CannotTell(_why_not_told(call.status or 0), _ASK_AGAIN_US)
        except Exception as error:  # noqa: BLE001 - of whatever a provider or a network may do, none is ours
            return CannotTell(_trouble(error), _ASK_AGAIN_US)

    async def _account(self, account_id: int) -> "_Known":
        """Raises `CredentialsUnreadable`, and `InvalidValue` for credentials of another kind."""
        credentials = await self._accounts.credentials(account_id)
        known = self._known.get(account_id)
        if known is not None and known.credentials == credentials:
            return known
        client = client_of(TwilioAccount.of(credentials), self._http, api_base_url=self._api_base_url)
        known = _Known(credentials, client.messages, signs=SigningKey.of(credentials) is not None)
        self._known[account_id] = known
        return known

    def _written(self, text: OutgoingText, *, signs: bool) -> dict[str, str | int | bool]:
        sender = "messaging_service_sid" if text.sender.is_pool else "from_"
        written: dict[str, str | int | bool] = {
            sender: text.sender.value,
            "to": text.number.e164,
            "body": text.body.text,
        }
        if text.valid_s is not None:
            written["validity_period"] = min(max(text.valid_s, 1), _LONGEST_VALIDITY_S)
        if self._status_callback is not None and signs:
            written["status_callback"] = status_callback(
                self._status_callback, delivery_id=text.delivery_id, attempt=text.attempt
            )
        if self._smart_encoding:
            written["smart_encoded"] = True
        return written


@dataclass(frozen=True, slots=True)
class _Known:
    """`signs`: its calls can be checked, so it is worth asking for them."""

    credentials: Credentials
    messages: _Messages
    signs: bool


def _trouble(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no-answer"
    unreadable = isinstance(error, ClientResponseError | AnswerTooLong)
    return "connection-lost" if isinstance(error, ClientError | OSError) and not unreadable else "unreadable-answer"


def _no_connection(error: Exception) -> str:
    return "no-secure-connection" if isinstance(error, ClientSSLError) else "no-connection"


def _why_not_told(status: int) -> str:
    if status in {401, 403}:
        return "credentials-refused"
    if status == 429:
        return "throttled"
    return "server-error" if status >= 500 else "unreadable-answer"


def _told_of(reference: str, message: _Message) -> EnquiryAnswer:
    if message.sid != reference or not is_status(message.status):
        return CannotTell("unreadable-answer", _ASK_AGAIN_US)
    return _found(message)


def _found(message: _Message) -> Found:
    state, reason = verdict_of(message.status, message.error_code)
    return Found(message.sid, state, reason)


def _found_among(listed: Sequence[_Message], enquiry: Enquiry, *, as_written: bool) -> EnquiryAnswer:
    """Says that it is not there only of a list that goes back beyond the attempt and keeps what was written.

    `as_written`: Twilio was not asked to replace anything in it.
    """
    attempted = datetime.fromtimestamp(enquiry.attempted_us // SECOND_US, UTC)
    earliest = attempted - _CLOCK_SKEW
    ours = [
        message
        for message in listed
        if is_reference(message.sid)
        and message.sid not in enquiry.others
        and message.direction == "outbound-api"
        and enquiry.sender.value in {message.from_, message.messaging_service_sid}
        and _created(message) >= earliest
    ]
    matches = [message for message in ours if _says(message, enquiry.body.text)]
    if matches:
        # What came before the attempt did so by the clocks' difference alone: the nearest then.
        after = [message for message in matches if _created(message) >= attempted]
        return _found(min(after, key=_created) if after else max(matches, key=_created))
    if any(not message.body or not as_written for message in ours):
        return CannotTell("texts-not-kept")
    if len(listed) >= _MOST_SEARCHED and _created(listed[-1]) >= earliest:
        return CannotTell("too-many-texts")
    return NotFound()


def _created(message: _Message) -> datetime:
    """One of no date counts as new: to overlook it might send a text twice."""
    return message.date_created or datetime.max.replace(tzinfo=UTC)


def _says(message: _Message, text: str) -> bool:
    """Blanks are not compared, nor what typewriters lack: they may change on their way."""
    words = simplified(str(message.body or "")).removeprefix(_TRIAL_PREFIX).split()
    return words == simplified(text).removeprefix(_TRIAL_PREFIX).split()
