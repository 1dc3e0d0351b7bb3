from dataclasses import dataclass

from domain.model.phone_number import PhoneNumber
from domain.model.subject import SubjectRecord
from domain.ports.subjects import Subjects
from domain.ports.text_log import Page


@dataclass(frozen=True, kw_only=True)
class SearchSubject:
    """Everything that the hub has of one number, over all programs."""

    subjects: Subjects
    default_region: str

    async def __call__(
        self, number: str, *, after: tuple[int, int], limit: int
    ) -> tuple[PhoneNumber, Page[SubjectRecord, tuple[int, int]]]:
        """The number as the hub reads it, and a page. Raises `NumberRefused`."""
        read = PhoneNumber.parse(number, region=self.default_region)
        return read, await self.subjects.page(read, after=after, limit=limit)
