"""What programs do with their templates: a method for each of these operations, named by its operationId."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from domain.errors import TemplateNotFound, TextUnclear, UnknownTemplate
from domain.model.template import Filling, TemplateName
from domain.use_cases.keep_templates import KeepTemplates
from domain.use_cases.preview_text import PreviewText, PreviewTextCommand
from entrypoints.http import representations
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call


@dataclass(frozen=True, kw_only=True)
class TemplateHandlers:
    keep_templates: KeepTemplates
    preview_text: PreviewText

    async def createTemplate(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        body = call.posted_by(call.grant)
        return as_json(
            representations.template(await self.keep_templates.create(call.grant, body["Name"], body["Message"]))
        )

    async def listTemplates(self, call: Call) -> Response:  # noqa: N802
        found = await self.keep_templates.all(call.grant)
        return as_list([representations.template(each) for each in found])

    async def getTemplate(self, call: Call) -> Response:  # noqa: N802
        name, version = call.parameters["Name"], call.parameters.get("Version")
        return as_json(representations.template(await self.keep_templates.find(call.grant, name, version)))

    async def changeTemplate(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        changed = await self.keep_templates.change(call.grant, call.parameters["Name"], body["Message"])
        return as_json(representations.template(changed))

    async def deleteTemplate(self, call: Call) -> Response:  # noqa: N802
        return as_json(representations.template(await self.keep_templates.retire(call.grant, call.parameters["Name"])))

    async def listTemplateVersions(self, call: Call) -> Response:  # noqa: N802
        found = await self.keep_templates.versions(call.grant, call.parameters["Name"])
        return as_list([representations.template(each) for each in found])

    async def previewTemplate(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        filling = Filling(
            template=TemplateName(call.parameters["Name"]),
            version=call.parameters.get("Version"),
            values=body.get("Personalisation") or {},
        )
        try:
            shown = await self.preview_text(
                call.grant, PreviewTextCommand(text=filling, recipients=body.get("PhoneNumber"))
            )
        except UnknownTemplate:
            raise TemplateNotFound from None
        return as_json(representations.preview(shown))


def text_of(body: Mapping[str, Any]) -> str | Filling:
    """What a request says: a text, or what to put into a template. Raises `TextUnclear` where it says both."""
    text: str | None = body["Message"]
    template, version, values = (body.get(name) for name in ("Template", "TemplateVersion", "Personalisation"))
    if text is None and template is not None:
        return Filling(template=TemplateName(template), version=version, values=values or {})
    if text is None or (template, version, values) != (None, None, None):
        raise TextUnclear
    return text
