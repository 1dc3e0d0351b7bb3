"""How senders, their accounts, and what they share look on the wire."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.model.credentials_check import CredentialsCheck
from domain.model.price import Price
from domain.ports.known_accounts import KnownAccount
from domain.ports.limits import LimitInUse
from domain.use_cases.survey_senders import SenderInUse
from entrypoints.durations import written_duration
from entrypoints.http.times import optional_instant


def sender(each: SenderInUse) -> Mapping[str, Any]:
    its = each.sender
    return {
        "SenderId": its.id,
        "Sender": its.address.value,
        "Provider": its.provider,
        "AccountId": its.account_id,
        "Account": its.account,
        "Rate": str(its.pace),
        "Backlog": written_duration(timedelta(microseconds=its.backlog_us)),
        "Limit": its.limit,
        "OptOutReplies": its.opt_out_replies.value,
        "Paused": its.paused,
        "Barred": its.bar_reason,
        "Programs": [{"ProgramId": program.id, "Name": program.name} for program in each.programs],
        "QueuedSegments": each.queued_segments,
        "EstimatedCompletionAt": optional_instant(each.through_us),
    }


def account(each: KnownAccount) -> Mapping[str, Any]:
    return {
        "AccountId": each.id,
        "Provider": each.provider,
        "Account": each.name,
        "HasCredentials": each.has_credentials,
        "Limit": each.limit,
        "Senders": [{"SenderId": sender_id, "Sender": address} for sender_id, address in each.senders.items()],
    }


def credentials_check(of: KnownAccount, check: CredentialsCheck) -> Mapping[str, Any]:
    return {
        "AccountId": of.id,
        "Provider": of.provider,
        "Account": of.name,
        "Result": check.verdict.value,
        "Reason": check.reason,
        "Detail": check.sentence,
    }


def limit(each: LimitInUse) -> Mapping[str, Any]:
    its = each.limit
    return {
        "Name": its.name,
        "Under": its.parent,
        "Counts": its.counts.value,
        "Rate": None if its.pace is None else str(its.pace),
        "Daily": None if its.daily is None else its.daily.amount,
        "Zone": None if its.daily is None else its.daily.zone,
        "UsedToday": each.used_today,
        "Senders": list(each.senders),
        "Accounts": list(each.accounts),
    }


def price(country: str, each: Price) -> Mapping[str, Any]:
    return {"Country": country, "Price": str(each.amount), "Currency": each.currency}
