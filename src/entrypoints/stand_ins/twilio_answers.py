"""What Twilio answers: errors, and texts as its log shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from entrypoints.stand_ins.http import Arrival, Headers


def error(
    code: int, status: HTTPStatus = HTTPStatus.BAD_REQUEST, *, retry_after: str | None = None
) -> tuple[HTTPStatus, object, Headers]:
    body = {
        "code": code,
        "message": status.phrase,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": int(status),
    }
    return status, body, asking_to_wait(retry_after)


def asking_to_wait(retry_after: str | None) -> Headers:
    return {} if retry_after is None else {"Retry-After": retry_after}


def fault_of(arrival: Arrival) -> int | None:
    if not arrival.to.startswith("+"):
        return 21211
    if not arrival.sender:
        return 21603
    if not arrival.body:
        return 21602
    if not arrival.form.get("StatusCallback", "http").startswith("http"):
        return 21609
    return 21617 if len(arrival.body) > 1_600 else None


def account_of(sid: str, auth_token: str, status: str) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{sid}"
    now = format_datetime(datetime.now(UTC))
    return {
        "auth_token": auth_token,
        "date_created": now,
        "date_updated": now,
        "friendly_name": "Stand-in",
        "owner_account_sid": sid,
        "sid": sid,
        "status": status,
        "subresource_uris": {"messages": f"{uri}/Messages.json"},
        "type": "Full",
        "uri": f"{uri}.json",
    }


def message_of(arrival: Arrival, account_sid: str) -> dict[str, Any]:
    by_service = arrival.sender.startswith("MG")
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{arrival.sid}"
    now = format_datetime(datetime.now(UTC))
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": arrival.body,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if by_service else arrival.sender,
        "messaging_service_sid": arrival.sender if by_service else None,
        "num_media": "0",
        "num_segments": "0" if by_service else str(-(-len(arrival.body) // 153)),
        "price": None,
        "price_unit": "USD",
        "sid": arrival.sid,
        "status": "accepted" if by_service else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": arrival.to,
        "uri": f"{uri}.json",
    }


def is_asked_for(message: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    if message["to"] != asked.get("To", message["to"]) or message["from"] != asked.get("From", message["from"]):
        return False
    dates = {name: day for name, day in asked.items() if name.startswith("DateSent")}
    if not dates:
        return True
    if message["date_sent"] is None:
        return False
    sent = datetime.strptime(message["date_sent"], "%a, %d %b %Y %H:%M:%S %z").date().isoformat()
    return all(
        sent[:10] == day[:10] if name == "DateSent" else (sent <= day[:10] if name == "DateSent<" else sent >= day[:10])
        for name, day in dates.items()
    )
