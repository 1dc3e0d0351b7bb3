"""What Twilio posts to whoever it is told to call, and how it signs that.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from twilio.request_validator import RequestValidator

from entrypoints.stand_ins.calls import Call

_DONE = {"delivered", "undelivered"}


def status_call(url: str, message: Mapping[str, Any], *, auth_token: str) -> Call:
    """`message` is as Twilio's interface shows it."""
    form = {
        "AccountSid": message["account_sid"],
        "ApiVersion": message["api_version"],
        "From": message["from"],
        "MessageSid": message["sid"],
        "MessageStatus": message["status"],
        "MessagingServiceSid": message["messaging_service_sid"],
        "SmsSid": message["sid"],
        "SmsStatus": message["status"],
        "To": message["to"],
        "ErrorCode": message["error_code"],
        "RawDlrDoneDate": f"{datetime.now(UTC):%y%m%d%H%M}" if message["status"] in _DONE else None,
    }
    given = {name: str(value) for name, value in form.items() if value is not None}
    return _signed(f"{message['sid']} {message['status']}", url, given, auth_token)


def inbound_call(url: str, message: Mapping[str, Any], *, auth_token: str) -> Call:
    form = {
        "AccountSid": message["account_sid"],
        "ApiVersion": message["api_version"],
        "Body": message["body"],
        "From": message["from"],
        "FromCity": "",
        "FromCountry": "US",
        "FromState": "",
        "FromZip": "",
        "MessageSid": message["sid"],
        "NumMedia": "0",
        "NumSegments": message["num_segments"],
        "SmsMessageSid": message["sid"],
        "SmsSid": message["sid"],
        "SmsStatus": "received",
        "To": message["to"],
        "ToCity": "",
        "ToCountry": "US",
        "ToState": "",
        "ToZip": "",
    }
    return _signed(f"{message['sid']} received", url, form, auth_token)


def _signed(what: str, url: str, form: Mapping[str, str], auth_token: str) -> Call:
    return Call(
        what=what,
        url=url,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": RequestValidator(auth_token).compute_signature(url, form),
        },
        body=urlencode(form).encode(),
    )
