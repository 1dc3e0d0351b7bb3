"""Templates: made, looked at, tried out, changed and retired."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import HubError, InvalidValue, StoreUnavailable, TemplateExists, TemplateNotFound
from domain.model.message_body import MessageBody
from domain.model.template import Filling, TemplateName, TemplateText, TemplateVersion
from domain.use_cases.preview_text import Preview, PreviewTextCommand
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.send import VALUE
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.problems import Problem


@dataclass(frozen=True)
class TemplatePages:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        return visit.show("templates.html", templates=await self.hub.keep_templates.all(visit.grant))

    async def new(self, visit: Visit) -> Response:
        return self._form(visit)

    async def create(self, visit: Visit) -> Response:
        try:
            made = await self.hub.keep_templates.create(visit.grant, _name(visit), visit.fields.get("Message", ""))
        except StoreUnavailable:
            raise
        except HubError as fault:
            return self._form(visit, fault)
        return visit.go(f"templates/{made.name}")

    async def measure(self, visit: Visit) -> Response:
        """What the template would be that is being written."""
        text, fault = None, None
        try:
            text = TemplateText(visit.fields.get("Message", "")) if visit.fields.get("Message", "").strip() else None
        except HubError as error:
            fault = str(error)
        return visit.show(
            "template_measure.html", text=text, body=None if text is None else MessageBody(text.text), fault=fault
        )

    async def one(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def preview(self, visit: Visit) -> Response:
        name = visit.request.path_params["name"]
        values = {field.removeprefix(VALUE): each for field, each in visit.fields.items() if field.startswith(VALUE)}
        try:
            filling = Filling(template=TemplateName(name), values=values)
            shown = await self.hub.preview_text(visit.grant, PreviewTextCommand(text=filling))
        except StoreUnavailable:
            raise
        except HubError as fault:
            return await self._page(visit, fault=fault, about="values", values=values)
        return await self._page(visit, shown=shown, values=values)

    async def change(self, visit: Visit) -> Response:
        try:
            changed = await self.hub.keep_templates.change(
                visit.grant, visit.request.path_params["name"], visit.fields.get("Message", "")
            )
        except (StoreUnavailable, TemplateNotFound):
            raise
        except HubError as fault:
            return await self._page(visit, fault=fault, about="message")
        return visit.go(f"templates/{changed.name}")

    async def retire(self, visit: Visit) -> Response:
        await self.hub.keep_templates.retire(visit.grant, visit.request.path_params["name"])
        return visit.go("templates")

    def _form(self, visit: Visit, fault: HubError | None = None) -> Response:
        problem = None if fault is None else Problem.of(fault)
        in_name = isinstance(fault, TemplateExists) or (fault is not None and not _reads_as_name(_name(visit)))
        return visit.show(
            "template_new.html",
            status=200 if problem is None else problem.status,
            fault=None if problem is None else problem.detail,
            about="name" if in_name else "message",
            typed=visit.fields,
        )

    async def _page(
        self,
        visit: Visit,
        *,
        fault: HubError | None = None,
        about: str | None = None,
        shown: Preview | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Response:
        try:
            newest, *earlier = await self._versions(visit)
        except InvalidValue:
            # Nothing is called so.
            raise TemplateNotFound from None
        problem = None if fault is None else Problem.of(fault)
        return visit.show(
            "template.html",
            status=200 if problem is None else problem.status,
            fault=None if problem is None else problem.detail,
            about=about,
            template=newest,
            earlier=earlier,
            text=visit.fields.get("Message", newest.text.text),
            shown=shown,
            values=values or {},
            value=VALUE,
        )

    async def _versions(self, visit: Visit) -> list[TemplateVersion]:
        return list(await self.hub.keep_templates.versions(visit.grant, visit.request.path_params["name"]))


def _name(visit: Visit) -> str:
    return visit.fields.get("Name", "").strip()


def _reads_as_name(name: str) -> bool:
    try:
        TemplateName(name)
    except InvalidValue:
        return False
    return True
