"""One method for each operation of the contract, named by its operationId: parse, call one use case, render."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from starlette.responses import Response

from domain.errors import NumberRefused, PeriodRefused
from domain.model.consent import Consent
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.priority import Priority
from domain.model.program_key import ProgramKey
from domain.model.webhook import EventType
from domain.use_cases.await_outcome import AwaitOutcome
from domain.use_cases.cancel_text import CancelText
from domain.use_cases.export_opt_outs import ExportOptOuts
from domain.use_cases.export_texts import ExportTexts
from domain.use_cases.import_opt_outs import ImportOptOuts
from domain.use_cases.issue_token import IssueToken
from domain.use_cases.keep_webhooks import KeepWebhooks
from domain.use_cases.list_inbound_messages import ListInboundMessages
from domain.use_cases.list_opt_outs import ListConsentEvents, ListOptOuts
from domain.use_cases.preview_text import PreviewText, PreviewTextCommand
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from domain.use_cases.read_usage import ReadUsage
from domain.use_cases.send_text import SendText, SendTextCommand
from domain.use_cases.set_opt_out import SetOptOut
from entrypoints.http import cursors, representations, spreadsheets
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call
from entrypoints.http.downloads import CsvDownload
from entrypoints.http.preferences import Preferences
from entrypoints.http.problems import refused_parameter
from entrypoints.http.template_handlers import text_of
from entrypoints.http.times import day, optional_microseconds

_BAD_LINES_SHOWN = 1_000


@dataclass(frozen=True, kw_only=True)
class Handlers:
    issue_token: IssueToken
    send_text: SendText
    await_outcome: AwaitOutcome
    cancel_text: CancelText
    preview_text: PreviewText
    find_text: FindText
    list_texts: ListTexts
    export_texts: ExportTexts
    list_inbound_messages: ListInboundMessages
    list_opt_outs: ListOptOuts
    export_opt_outs: ExportOptOuts
    import_opt_outs: ImportOptOuts
    list_consent_events: ListConsentEvents
    list_deliveries: ListDeliveries
    set_opt_out: SetOptOut
    read_usage: ReadUsage
    keep_webhooks: KeepWebhooks

    async def logIn(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        token, grant = await self.issue_token(
            call.body["ProgramSID"], ProgramKey(call.body["ProgramKey"]), address=call.address
        )
        call.posted_by(grant)
        return as_json(token, headers={"Cache-Control": "no-store"})

    async def sendTextMessage(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        preferences = Preferences.read(call.parameters.get("Prefer"))
        command = SendTextCommand(
            text=text_of(body),
            recipients=body["PhoneNumber"],
            program_id=body.get("ProgramId"),
            client_date_sent=body.get("DateSent"),
            sender=body.get("Sender"),
            priority=_priority(body.get("Priority")),
            send_at_us=optional_microseconds(body.get("SendAt")),
            expires_us=optional_microseconds(body.get("ExpiresAt")),
            lenient=preferences.lenient,
        )
        accepted = await self.send_text(call.grant, command, key=call.parameters.get("Idempotency-Key"))
        answer = representations.accepted_text(accepted)
        if preferences.wait_s:
            outcome = await self.await_outcome(call.grant, accepted.summary, at_most_us=preferences.wait_s * SECOND_US)
            if outcome is None:
                preferences = replace(preferences, wait_s=None)
            elif outcome is not accepted.summary:
                answer = representations.text(outcome)
        if preferences.lenient:
            answer["RefusedNumbers"] = representations.refused_numbers(accepted.refusals)
        headers = {"Location": f"{call.base_path}/api/TextMessages/{accepted.summary.message.id}"}
        if preferences.applied:
            headers["Preference-Applied"] = preferences.applied
        if accepted.replayed:
            headers["Idempotency-Replayed"] = "true"
        return as_json(answer, headers=headers)

    async def cancelTextMessage(self, call: Call) -> Response:  # noqa: N802
        canceled, summary = await self.cancel_text(call.grant, UUID(call.parameters["Id"]))
        return as_json(representations.cancellation(canceled, summary))

    async def previewTextMessage(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        command = PreviewTextCommand(
            text=text_of(body),
            recipients=body.get("PhoneNumber"),
            program_id=body.get("ProgramId"),
            sender=body.get("Sender"),
            priority=_priority(body.get("Priority")),
        )
        return as_json(representations.preview(await self.preview_text(call.grant, command)))

    async def listTextMessages(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        try:
            page = await self.list_texts(
                call.grant,
                state=_state(parameters.get("Status")),
                number=parameters.get("PhoneNumber"),
                from_us=optional_microseconds(parameters.get("DateSentFrom")),
                before_us=optional_microseconds(parameters.get("DateSentBefore")),
                before=cursors.message_of(parameters.get("Cursor")),
                limit=parameters["Limit"],
            )
        except NumberRefused as refused:
            raise refused_parameter("PhoneNumber", refused) from None
        following = None if page.end is None else cursors.after_message(page.end)
        return as_list([representations.text(each) for each in page.items], following)

    async def exportTextMessages(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        texts = self.export_texts(
            call.grant.program_id,
            state=_state(parameters.get("Status")),
            number=parameters.get("PhoneNumber"),
            from_us=optional_microseconds(parameters.get("DateSentFrom")),
            before_us=optional_microseconds(parameters.get("DateSentBefore")),
        )
        try:
            return await CsvDownload.of(spreadsheets.written(spreadsheets.TEXTS, texts), name="text-messages.csv")
        except NumberRefused as refused:
            raise refused_parameter("PhoneNumber", refused) from None

    async def getTextMessage(self, call: Call) -> Response:  # noqa: N802
        summary = await self.find_text(call.grant, UUID(call.parameters["Id"]))
        return as_json(representations.text(summary))

    async def listDeliveries(self, call: Call) -> Response:  # noqa: N802
        page = await self.list_deliveries(
            call.grant,
            UUID(call.parameters["Id"]),
            state=_state(call.parameters.get("Status")),
            after=cursors.position_of(call.parameters.get("Cursor")),
            limit=call.parameters["Limit"],
        )
        following = None if page.end is None else cursors.after_position(page.end)
        return as_list([representations.delivery(each) for each in page.items], following)

    async def listInboundMessages(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        page = await self.list_inbound_messages(
            call.grant,
            number=parameters.get("PhoneNumber"),
            before=cursors.id_of(parameters.get("Cursor")),
            limit=parameters["Limit"],
        )
        following = None if page.end is None else cursors.after_id(page.end)
        return as_list([representations.inbound_message(each) for each in page.items], following)

    async def listOptOuts(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        try:
            page = await self.list_opt_outs(
                call.grant,
                number=parameters.get("PhoneNumber"),
                after=cursors.opt_out_of(parameters.get("Cursor")),
                limit=parameters["Limit"],
            )
        except NumberRefused as refused:
            raise refused_parameter("PhoneNumber", refused) from None
        following = None if page.end is None else cursors.after_opt_out(page.end)
        return as_list([representations.opt_out(each) for each in page.items], following)

    async def exportOptOuts(self, call: Call) -> Response:  # noqa: N802
        opt_outs = self.export_opt_outs(call.grant.program_id)
        return await CsvDownload.of(spreadsheets.written(spreadsheets.OPT_OUTS, opt_outs), name="opt-outs.csv")

    async def importOptOuts(self, call: Call) -> Response:  # noqa: N802
        lines = io.StringIO(call.text, newline="")
        imported = await self.import_opt_outs(call.grant.program_id, lines, bad_at_most=_BAD_LINES_SHOWN)
        return as_json(representations.imported(imported))

    async def listConsentEvents(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        try:
            page = await self.list_consent_events(
                call.grant,
                parameters["PhoneNumber"],
                after=cursors.id_of(parameters.get("Cursor")),
                limit=parameters["Limit"],
            )
        except NumberRefused as refused:
            raise refused_parameter("PhoneNumber", refused) from None
        following = None if page.end is None else cursors.after_id(page.end)
        return as_list([representations.consent_event(each) for each in page.items], following)

    async def recordConsent(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        recorded = await self.set_opt_out.told(
            call.grant,
            body["PhoneNumber"],
            Consent(body["Consent"]),
            wording=body.get("Wording"),
            actor=body.get("Actor"),
        )
        return as_json(representations.recorded_consent(recorded))

    async def getUsage(self, call: Call) -> Response:  # noqa: N802
        parameters = call.parameters
        try:
            usage = await self.read_usage(call.grant, first=day(parameters["From"]), last=day(parameters["To"]))
        except PeriodRefused as refused:
            raise refused_parameter(refused.name, refused) from None
        return as_json(representations.usage(usage))

    async def setSubscriber(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        number = await self.set_opt_out(
            call.grant, body["PhoneNumber"], do_not_text=body["DoNotText"], program_id=body.get("ProgramId")
        )
        return as_json({"PhoneNumber": number.e164, "DoNotText": body["DoNotText"]})

    async def createWebhook(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        webhook, secret = await self.keep_webhooks.create(
            call.grant, body["Url"], description=body.get("Description"), events=_events(body.get("Events"))
        )
        return as_json(representations.webhook(webhook, secret), headers=_NOT_KEPT)

    async def listWebhooks(self, call: Call) -> Response:  # noqa: N802
        found = await self.keep_webhooks.all(call.grant)
        return as_list([representations.webhook(each) for each in found])

    async def getWebhook(self, call: Call) -> Response:  # noqa: N802
        return as_json(representations.webhook(await self.keep_webhooks.find(call.grant, UUID(call.parameters["Id"]))))

    async def changeWebhook(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        webhook = await self.keep_webhooks.change(
            call.grant,
            UUID(call.parameters["Id"]),
            url=body.get("Url"),
            description=body.get("Description"),
            events=_events(body.get("Events")),
            enabled=body.get("Enabled"),
        )
        return as_json(representations.webhook(webhook))

    async def deleteWebhook(self, call: Call) -> Response:  # noqa: N802
        return as_json(
            representations.webhook(await self.keep_webhooks.remove(call.grant, UUID(call.parameters["Id"])))
        )

    async def rotateWebhookSecret(self, call: Call) -> Response:  # noqa: N802
        webhook, secret = await self.keep_webhooks.rotate(call.grant, UUID(call.parameters["Id"]))
        return as_json(representations.webhook(webhook, secret), headers=_NOT_KEPT)

    async def listWebhookAttempts(self, call: Call) -> Response:  # noqa: N802
        page = await self.keep_webhooks.attempts(
            call.grant,
            UUID(call.parameters["Id"]),
            before=cursors.id_of(call.parameters.get("Cursor")),
            limit=call.parameters["Limit"],
        )
        following = None if page.end is None else cursors.after_id(page.end)
        return as_list([representations.webhook_attempt(each) for each in page.items], following)

    async def replayWebhookEvents(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        event_id = body.get("EventId")
        replayed = await self.keep_webhooks.replay(
            call.grant,
            UUID(call.parameters["Id"]),
            event_id=None if event_id is None else UUID(event_id),
            since_us=optional_microseconds(body.get("Since")),
        )
        return as_json({"Replayed": replayed})

    async def testWebhook(self, call: Call) -> Response:  # noqa: N802
        event_id = await self.keep_webhooks.test(call.grant, UUID(call.parameters["Id"]))
        return as_json({"EventId": str(event_id)})


# A secret is in it.
_NOT_KEPT = {"Cache-Control": "no-store"}


def _events(names: Sequence[str] | None) -> Sequence[EventType] | None:
    return None if names is None else [EventType(each) for each in names]


def _priority(name: str | None) -> Priority:
    return Priority.NORMAL if name is None else Priority[name.upper()]


def _state(name: str | None) -> DeliveryState | None:
    return None if name is None else DeliveryState(name)
