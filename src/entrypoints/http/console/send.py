"""Sending a text: written, looked at once more, and sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from uuid import uuid4
from zoneinfo import ZoneInfo

from starlette.responses import Response

from domain.errors import (
    CountryNotAllowed,
    HubError,
    InvalidValue,
    NoRecipients,
    NumberRefused,
    PersonalisationRefused,
    RecipientsRefused,
    TemplateNotFound,
    TextRefused,
    TimeRefused,
    TokenRefused,
    TooManyRecipients,
    TooManySegments,
    UnknownSender,
    UnknownTemplate,
)
from domain.model.pace import SECOND_US
from domain.model.priority import Priority
from domain.model.template import Filling, TemplateName, TemplateVersion
from domain.use_cases.preview_text import PreviewTextCommand
from domain.use_cases.send_text import SendTextCommand
from entrypoints.http import representations
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.recipients import listed, pasted
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.problems import Problem

VALUE = "Value."
_REFUSALS_SHOWN = 50
_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody has filled in. `key` is one for each text that they mean to send, however often they click."""

    message: str = field(default="", repr=False)
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    recipients: str = field(default="", repr=False)
    sender: str = ""
    priority: str = Priority.NORMAL.name
    send_at: str = ""
    key: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self:
        return cls(
            message=fields.get("Message", ""),
            template=fields.get("Template", ""),
            values={name.removeprefix(VALUE): each for name, each in fields.items() if name.startswith(VALUE)},
            recipients=pasted(fields.get("Recipients", "")),
            sender=fields.get("Sender", ""),
            priority=fields.get("Priority", Priority.NORMAL.name),
            send_at=fields.get("SendAt", ""),
            key=fields.get("Key", "") if _KEY.fullmatch(fields.get("Key", "")) else "",
        )

    def with_list(self, file: str) -> Self:
        """Raises `InvalidValue` for a file that is no list of numbers."""
        return replace(self, recipients=",".join(filter(None, [self.recipients, listed(file)])))

    @property
    def text(self) -> str | Filling:
        return Filling(template=TemplateName(self.template), values=self.values) if self.template else self.message

    @property
    def urgency(self) -> Priority:
        return Priority.__members__.get(self.priority, Priority.NORMAL)

    def send_at_us(self, zone: str) -> int | None:
        """Raises `TimeRefused`."""
        if not self.send_at:
            return None
        try:
            at = datetime.fromisoformat(self.send_at).replace(tzinfo=ZoneInfo(zone))
            return int(at.timestamp()) * SECOND_US
        except (ValueError, OverflowError):
            raise TimeRefused("The time", "cannot be read") from None


@dataclass(frozen=True)
class SendPages:
    hub: UseCases

    async def form(self, visit: Visit) -> Response:
        draft = Draft(template=visit.asked("template") or "", recipients=visit.asked("to") or "")
        return await self._form(visit, draft)

    async def posted(self, visit: Visit) -> Response:
        draft = Draft.read(visit.fields)
        try:
            draft = draft.with_list(visit.fields.get("List", ""))
        except InvalidValue as error:
            return await self._form(visit, draft, fault=error, about="list")
        try:
            match visit.fields.get("do"):
                case "send":
                    return await self._sent(visit, draft)
                case "review":
                    return await self._review(visit, draft)
                case _:
                    return await self._form(visit, draft)
        except TokenRefused:
            raise
        except HubError as error:
            return await self._form(visit, draft, fault=error, about=_field_of(error))

    async def measure(self, visit: Visit) -> Response:
        """How long the text is so far."""
        preview, fault = None, None
        try:
            draft = Draft.read(visit.fields)
            if draft.template or draft.message.strip():
                command = PreviewTextCommand(text=draft.text, sender=draft.sender or None)
                preview = await self.hub.preview_text(visit.grant, command)
        except TokenRefused:
            raise
        except HubError as error:
            fault = str(error)
        return visit.show("measure.html", preview=preview, fault=fault)

    async def _form(
        self,
        visit: Visit,
        draft: Draft,
        *,
        fault: HubError | None = None,
        about: str | None = None,
        done: str | None = None,
    ) -> Response:
        """`about` is the field that the fault is in."""
        template = await self._template(visit, draft.template)
        problem = None if fault is None else Problem.of(fault)
        response = visit.show(
            "send.html",
            status=200 if problem is None else problem.status,
            fault=None if problem is None else problem.detail,
            about=about,
            done=done,
            draft=draft,
            template=template,
            templates=await self.hub.keep_templates.all(visit.grant),
            priorities=[each.name for each in Priority],
            value=VALUE,
        )
        if problem is not None:
            response.headers.update(problem.headers)
        return response

    async def _template(self, visit: Visit, name: str) -> TemplateVersion | None:
        try:
            return await self.hub.keep_templates.find(visit.grant, name) if name else None
        except (TemplateNotFound, UnknownTemplate, InvalidValue):
            return None

    async def _review(self, visit: Visit, draft: Draft) -> Response:
        send_at_us = draft.send_at_us(visit.zone)
        if send_at_us is not None and send_at_us <= self.hub.clock.now_us():
            raise TimeRefused("The time", "has passed")
        command = PreviewTextCommand(
            text=draft.text, recipients=draft.recipients, sender=draft.sender or None, priority=draft.urgency
        )
        preview = await self.hub.preview_text(visit.grant, command)
        audience = preview.audience
        refusals = () if audience is None else audience.recipients.refusals
        return visit.show(
            "review.html",
            draft=draft,
            preview=preview,
            audience=audience,
            numbers=0 if audience is None else len(audience.recipients.numbers) - audience.opted_out,
            refusals=refusals[:_REFUSALS_SHOWN],
            more_refusals=max(len(refusals) - _REFUSALS_SHOWN, 0),
            send_at_us=send_at_us,
            fits=preview.body.segments <= preview.segment_cap,
            key=draft.key or uuid4().hex,
            value=VALUE,
        )

    async def _sent(self, visit: Visit, draft: Draft) -> Response:
        """To those of the numbers that can be texted: which those are was shown before."""
        command = SendTextCommand(
            text=draft.text,
            recipients=draft.recipients,
            sender=draft.sender or None,
            priority=draft.urgency,
            send_at_us=draft.send_at_us(visit.zone),
            lenient=True,
        )
        accepted = await self.hub.send_text(visit.grant, command, key=f"console-{draft.key}" if draft.key else None)
        if not visit.may("messages:read"):
            return await self._form(visit, Draft(), done=representations.accepted_text(accepted)["SentResult"])
        return visit.go(f"messages/{accepted.summary.message.id}")


def _field_of(error: HubError) -> str | None:
    """None for what lies in no field, such as a budget that is used."""
    match error:
        case NumberRefused() | NoRecipients() | TooManyRecipients() | RecipientsRefused() | CountryNotAllowed():
            return "recipients"
        case UnknownSender():
            return "sender"
        case TimeRefused():
            return "at"
        case TextRefused() | TooManySegments() | PersonalisationRefused() | UnknownTemplate() | InvalidValue():
            return "message"
        case _:
            return None
