from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import TemplateNotFound
from domain.model.access import Grant
from domain.model.template import TemplateName, TemplateText, TemplateVersion
from domain.ports.clock import Clock
from domain.ports.templates import Templates


@dataclass(frozen=True, kw_only=True)
class KeepTemplates:
    """A program's templates. Another program's are not found: `TemplateNotFound`."""

    templates: Templates
    clock: Clock

    async def create(self, grant: Grant, name: str, text: str) -> TemplateVersion:
        """Raises `TextRefused`, `TemplateRefused`, `TemplateExists`, `TooManyTemplates` or
        `TooManyTemplateVersions`.
        """
        now_us = self.clock.now_us()
        return await self.templates.add(grant.program_id, TemplateName(name), TemplateText(text), now_us=now_us)

    async def change(self, grant: Grant, name: str, text: str) -> TemplateVersion:
        """The newest version, which is a new one where the text differs. Raises `TextRefused`, `TemplateRefused` or
        `TooManyTemplateVersions`.
        """
        now_us = self.clock.now_us()
        return await self.templates.change(grant.program_id, TemplateName(name), TemplateText(text), now_us=now_us)

    async def all(self, grant: Grant) -> Sequence[TemplateVersion]:
        return await self.templates.all(grant.program_id)

    async def versions(self, grant: Grant, name: str) -> Sequence[TemplateVersion]:
        """Newest first."""
        found = await self.templates.versions(grant.program_id, TemplateName(name))
        if not found:
            raise TemplateNotFound
        return found

    async def find(self, grant: Grant, name: str, version: int | None = None) -> TemplateVersion:
        """The newest for None."""
        for each in await self.versions(grant, name):
            if version in {None, each.number}:
                return each
        raise TemplateNotFound

    async def retire(self, grant: Grant, name: str) -> TemplateVersion:
        """As it was."""
        newest = await self.find(grant, name)
        await self.templates.retire(grant.program_id, TemplateName(name), now_us=self.clock.now_us())
        return newest
