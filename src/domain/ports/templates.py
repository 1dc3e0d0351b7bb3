from collections.abc import Sequence
from typing import Protocol

from domain.errors import UnknownTemplate
from domain.model.message_body import MessageBody
from domain.model.template import Filling, TemplateName, TemplateText, TemplateVersion, Wording


class Templates(Protocol):
    """The programs' templates, by their names in any letter case. What is retired is not found, by any version.

    A name and a number stand for one text for good: a template that is added once more goes on from its last version.
    """

    async def add(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        """Raises `TemplateExists`, `TooManyTemplates` or `TooManyTemplateVersions`."""
        ...

    async def change(self, program_id: str, name: TemplateName, text: TemplateText, *, now_us: int) -> TemplateVersion:
        """The next version; the newest where it has this text already. Raises `TemplateNotFound` or
        `TooManyTemplateVersions`.
        """
        ...

    async def retire(self, program_id: str, name: TemplateName, *, now_us: int) -> None:
        """Raises `TemplateNotFound`."""
        ...

    async def all(self, program_id: str) -> Sequence[TemplateVersion]:
        """The newest version of each, by their names."""
        ...

    async def versions(self, program_id: str, name: TemplateName) -> Sequence[TemplateVersion]:
        """Newest first; none where there is no such template."""
        ...

    async def find(self, program_id: str, name: TemplateName, version: int | None) -> TemplateVersion | None:
        """The newest for None."""
        ...


async def worded(templates: Templates, program_id: str, text: str | Filling) -> Wording:
    """Raises `UnknownTemplate`, `PersonalisationRefused` or `TextRefused`."""
    if isinstance(text, str):
        return Wording(body=MessageBody(text))
    template = await templates.find(program_id, text.template, text.version)
    if template is None:
        raise UnknownTemplate
    return Wording(body=template.text.filled(text.values), template=template)
