"""How the domain's values look on the wire."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.model.audit import AuditEvent
from domain.model.consent import ConsentEvent, OptOut
from domain.model.delivery import DUPLICATE, OPTED_OUT, TOO_MANY_TEXTS, DeliveryState, in_order
from domain.model.inbound_message import InboundMessage
from domain.model.instant import instant
from domain.model.price import Price
from domain.model.program import Program
from domain.model.program_key import IssuedKey
from domain.model.reasons import sentence_of
from domain.model.subject import Erasure, SubjectRecord
from domain.model.template import TemplateVersion
from domain.model.text_message import AcceptedText, TextSummary
from domain.model.usage import Usage
from domain.model.webhook import Webhook, told_of_consent
from domain.model.webhook_secret import WebhookSecret
from domain.ports.text_log import LoggedDelivery
from domain.ports.webhooks import LoggedAttempt
from domain.use_cases.import_opt_outs import Imported
from domain.use_cases.preview_text import Audience, Preview
from domain.use_cases.set_opt_out import Recorded
from entrypoints.http.times import optional_instant
from entrypoints.terms import written

_OUTCOME = {
    DeliveryState.SCHEDULED: "scheduled",
    DeliveryState.QUEUED: "waiting to be sent",
    DeliveryState.SENDING: "being sent",
    DeliveryState.UNKNOWN: "with unknown outcome",
    DeliveryState.SENT: "sent",
    DeliveryState.FAILED: "failed",
    DeliveryState.UNDELIVERED: "not delivered",
    DeliveryState.EXPIRED: "expired",
    DeliveryState.BLOCKED: "not texted",
    DeliveryState.CANCELED: "canceled",
    DeliveryState.DELIVERED: "delivered",
}


def accepted_text(accepted: AcceptedText) -> dict[str, Any]:
    """As it is told when it is accepted: clients of the first hub take SendSuccessful for "the hub has it"."""
    blocked = accepted.blocked
    result = f"Accepted for {_numbers(sum(accepted.summary.counts.values()) - sum(blocked.values()))}."
    if opted_out := blocked.get(OPTED_OUT, 0):
        result += f" {_numbers(opted_out)} opted out and will not be texted."
    if duplicates := blocked.get(DUPLICATE, 0):
        result += f" {_numbers(duplicates)} got this text a short while ago and will not be texted again."
    if too_many := blocked.get(TOO_MANY_TEXTS, 0):
        result += f" {_numbers(too_many)} got as many texts lately as may be and will not be texted."
    return _text(accepted.summary, successful=True, result=result)


def refused_numbers(refusals: Sequence[tuple[int, str]]) -> Sequence[Mapping[str, Any]]:
    return [{"Position": position, "Detail": f"Number {position} {reason}."} for position, reason in refusals]


def text(summary: TextSummary) -> dict[str, Any]:
    return _text(summary, successful=not summary.failed, result=_result(summary))


def inbound_message(message: InboundMessage) -> dict[str, Any]:
    return {
        "Id": message.id,
        "PhoneNumber": message.number,
        "Sender": message.sender,
        "Message": message.text,
        "DateReceived": instant(message.received_us),
        "Keyword": None if message.keyword is None else message.keyword.value,
        "InReplyTo": message.answers,
        "Reply": message.reply,
    }


def opt_out(found: OptOut) -> dict[str, Any]:
    return {
        "PhoneNumber": found.number.e164,
        "Scope": found.scope.value,
        "Since": instant(found.since_us),
        "Method": None if found.method is None else found.method.value,
        "Wording": found.wording,
        "Actor": found.actor,
        "Reference": found.reference,
    }


def consent_event(event: ConsentEvent) -> dict[str, Any]:
    return told_of_consent(event)


def webhook(found: Webhook, secret: WebhookSecret | None = None) -> dict[str, Any]:
    shown = {
        "Id": str(found.id),
        "Url": found.url,
        "Description": found.description,
        "Events": [each.value for each in found.events],
        "Enabled": found.disabled is None,
        "DisabledReason": None if found.disabled is None else found.disabled.value,
        "FailingSince": optional_instant(found.failing_since_us),
        "CreatedAt": instant(found.created_us),
    }
    return shown if secret is None else {**shown, "Secret": secret.written()}


def template(version: TemplateVersion) -> dict[str, Any]:
    return {
        "Name": version.name,
        "Version": version.number,
        "Message": version.text.text,
        "Placeholders": list(version.text.placeholders),
        "CreatedAt": instant(version.created_us),
    }


def webhook_attempt(attempt: LoggedAttempt) -> Mapping[str, Any]:
    return {
        "EventId": str(attempt.event_id),
        "Type": attempt.type.value,
        "At": instant(attempt.at_us),
        "Accepted": attempt.accepted,
        "Status": attempt.status,
        "Error": attempt.error,
        "Milliseconds": attempt.took_ms,
    }


def recorded_consent(recorded: Recorded) -> dict[str, Any]:
    return {
        "Event": consent_event(recorded.event),
        "OptOuts": [opt_out(each) for each in recorded.still_bound],
    }


def program(each: Program) -> dict[str, Any]:
    """As operators see it."""
    return {
        "ProgramId": each.id,
        "ProgramSID": each.sid,
        "Name": each.name,
        "Senders": [sender.address.value for sender in each.senders],
        "FirstHub": each.first_hub,
        "Paused": each.paused,
        "Suspended": each.suspended,
        **({} if each.deleted_us is None else {"DeletedAt": instant(each.deleted_us)}),
        **written(each.terms),
    }


def audit_event(event: AuditEvent) -> dict[str, Any]:
    return {
        "Id": event.id,
        "At": instant(event.at_us),
        "Actor": event.actor.name,
        "Via": event.actor.via,
        "Address": event.actor.address,
        "Action": event.action,
        "Subject": event.subject,
        "ProgramId": event.program_id,
        "Changes": {name: {"Before": was, "After": is_} for name, (was, is_) in event.changes.items()},
    }


def program_key(key: IssuedKey) -> dict[str, Any]:
    """Without its value, which the hub does not have."""
    return {
        "KeyId": key.id,
        "Kind": key.terms.kind.value,
        "Name": key.terms.name,
        "Hint": key.hint,
        "Scopes": sorted(scope.value for scope in key.terms.scopes),
        "Numbers": sorted(number.e164 for number in key.terms.numbers),
        "Networks": list(key.terms.networks),
        "CreatedAt": instant(key.created_us),
        "ExpiresAt": optional_instant(key.terms.expires_us),
        "LastUsedAt": optional_instant(key.last_used_us),
        "RevokedAt": optional_instant(key.revoked_us),
    }


def subject_record(record: SubjectRecord) -> dict[str, Any]:
    return {
        "Kind": record.kind.value,
        "Id": record.id,
        "ProgramId": record.program_id,
        "At": instant(record.at_us),
        "Details": record.details,
    }


def erasure(done: Erasure) -> dict[str, Any]:
    return {"Erased": done.erased, "Remaining": done.remaining}


def _text(summary: TextSummary, *, successful: bool, result: str) -> dict[str, Any]:
    message = summary.message
    return {
        "Id": str(message.id),
        "ProgramId": message.program_id,
        "Message": message.body.text,
        "PhoneNumber": ",".join(number.e164 for number in summary.numbers),
        "DateSent": instant(message.created_us),
        "ClientDateSent": message.client_date_sent,
        "Status": summary.state.value,
        "SendSuccessful": successful,
        "SentResult": result,
        "Sender": message.sender.value,
        "Priority": message.priority.name.lower(),
        "SendAt": optional_instant(message.send_at_us),
        "ExpiresAt": optional_instant(message.expires_us),
        "Encoding": message.body.encoding.value,
        "Segments": message.body.segments,
        "Notice": message.notice,
        "Recipients": message.recipients,
        "EstimatedCompletionAt": optional_instant(message.estimated_us),
        "Counts": _counts(summary),
        "Template": message.template,
        "TemplateVersion": message.template_version,
        "SentBy": message.sent_by,
    }


def cancellation(canceled: int, summary: TextSummary) -> Mapping[str, Any]:
    return {
        "Id": str(summary.message.id),
        "Canceled": canceled,
        "Status": summary.state.value,
        "Counts": _counts(summary),
    }


def preview(each: Preview) -> Mapping[str, Any]:
    obstacles = each.body.obstacles
    plain = each.body.plain if obstacles else None
    return {
        "Encoding": each.body.encoding.value,
        "Segments": each.body.segments,
        "SegmentLimit": each.segment_cap,
        "Characters": len(each.body.text),
        "CharactersLeft": each.body.units_left,
        "Sender": each.sender.address.value,
        "Obstacles": [
            {
                "Character": obstacle.character,
                "CodePoint": f"U+{ord(obstacle.character):04X}",
                "Count": obstacle.count,
                "Instead": obstacle.instead,
            }
            for obstacle in obstacles
        ],
        "SegmentsInstead": None if plain is None else plain.segments,
        "Audience": None if each.audience is None else _audience(each.audience),
        "Message": each.body.text,
        "Template": None if each.template is None else each.template.name,
        "TemplateVersion": None if each.template is None else each.template.number,
        "TemplateSegments": None if each.template is None else each.template.text.own_segments,
    }


def _audience(audience: Audience) -> Mapping[str, Any]:
    completed_us, cost = audience.completed_us, audience.cost
    return {
        "Recipients": len(audience.recipients.numbers) - audience.opted_out,
        "Duplicates": audience.recipients.doubles,
        "OptedOut": audience.opted_out,
        "RefusedNumbers": refused_numbers(audience.recipients.refusals),
        "TotalSegments": audience.segments,
        "EstimatedSeconds": None if completed_us is None else (completed_us - audience.asked_us) / 1_000_000,
        "EstimatedCompletionAt": optional_instant(completed_us),
        "EstimatedCost": _cost(cost),
    }


def usage(used: Usage) -> Mapping[str, Any]:
    return {
        "From": used.first.isoformat(),
        "To": used.last.isoformat(),
        "Zone": used.zone,
        "Items": [
            {
                "Day": each.day.isoformat(),
                "Sender": each.sender.value,
                "Status": each.state.value,
                "Messages": each.messages,
                "Deliveries": each.deliveries,
                "Segments": each.segments,
                "EstimatedCost": _cost(used.prices.cost([each])),
            }
            for each in used.days
        ],
        "EstimatedCost": _cost(used.prices.cost(used.days)),
        "SegmentsWithoutPrice": used.prices.without_price(used.days),
    }


def _cost(cost: Price | None) -> Mapping[str, str] | None:
    return None if cost is None else {"Amount": f"{cost.amount:f}", "Currency": cost.currency}


def delivery(logged: LoggedDelivery) -> Mapping[str, Any]:
    each = logged.delivery
    return {
        "Position": each.position,
        "PhoneNumber": each.number.e164,
        "Sender": logged.sender.value,
        "Status": each.state.value,
        "Reason": each.reason,
        "Attempts": each.attempt,
        "Resends": each.resends,
        "Segments": each.segments,
        "HasNotice": each.has_notice,
        "ProviderReference": each.provider_reference,
        "UpdatedAt": instant(each.updated_us),
    }


def imported(each: Imported) -> Mapping[str, Any]:
    return {
        "Added": each.added,
        "Known": each.known,
        "BadLines": [{"Line": bad.line, "Detail": f"Line {bad.line} {bad.reason}."} for bad in each.bad],
        "BadLinesInAll": each.bad_in_all,
    }


def _counts(summary: TextSummary) -> Mapping[str, int]:
    """By status, the least advanced first."""
    return {state.value: summary.counts[state] for state in in_order(summary.counts)}


def _result(summary: TextSummary) -> str:
    """The best news first; of a single number, why it is so."""
    states = in_order(summary.counts)[::-1]
    if summary.message.recipients == 1:
        sentences = f"{_OUTCOME[states[0]].capitalize()}.", summary.reason and sentence_of(summary.reason)
        return " ".join(filter(None, sentences))
    return ", ".join(f"{summary.counts[state]} {_OUTCOME[state]}" for state in states) + "."


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"
