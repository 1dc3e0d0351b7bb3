"""The log, and what became of each text in it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypedDict

from starlette.responses import Response

from domain.errors import NumberRefused
from domain.model.budget import beginning_us
from domain.model.delivery import STILL_TO_COME, WAITING, DeliveryState, in_order
from domain.model.text_message import TextSummary
from entrypoints.http import cursors, representations, spreadsheets
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.console.words import STATES, explained, history
from entrypoints.http.downloads import CsvDownload

_MESSAGES, _DELIVERIES = 25, 50


class _Wanted(TypedDict):
    state: DeliveryState | None
    number: str | None
    from_us: int | None
    before_us: int | None


@dataclass(frozen=True)
class MessagePages:
    hub: UseCases

    async def log(self, visit: Visit) -> Response:
        cursor, fault = visit.asked("cursor"), None
        try:
            page = await self.hub.list_texts(
                visit.grant, **_wanted(visit), before=cursors.message_of(cursor), limit=_MESSAGES
            )
        except NumberRefused as refused:
            page, fault = None, f"This number {refused.reason}."
        return visit.show(
            "messages.html",
            status=200 if fault is None else 422,
            fault=fault,
            texts=[_shown(each) for each in page.items] if page else [],
            older=cursors.after_message(page.end) if page and page.end else None,
            is_first=cursor is None,
            states=STATES,
            filters={name: visit.asked(name) or "" for name in ("status", "number", "from", "to")},
        )

    async def export(self, visit: Visit) -> Response:
        texts = self.hub.export_texts(visit.grant.program_id, **_wanted(visit))
        file = await CsvDownload.of(spreadsheets.written(spreadsheets.TEXTS, texts), name="text-messages.csv")
        return visit.hand_over(file)

    async def message(self, visit: Visit) -> Response:
        summary = await self._found(visit)
        state = _state(visit.asked("status"))
        page = await self.hub.list_deliveries(
            visit.grant,
            summary.message.id,
            state=state,
            after=cursors.position_of(visit.asked("cursor")),
            limit=_DELIVERIES,
        )
        return visit.show(
            "message.html",
            text=_progress(summary),
            deliveries=[
                (each, history(summary.message, each.delivery), explained(each.delivery)) for each in page.items
            ],
            following=cursors.after_position(page.end) if page.end else None,
            state=state,
            states=STATES,
        )

    async def progress(self, visit: Visit) -> Response:
        """The part of a message's page that changes while it goes out."""
        return visit.show("progress.html", text=_progress(await self._found(visit)), states=STATES)

    async def cancel(self, visit: Visit) -> Response:
        await self.hub.cancel_text(visit.grant, visit.id_in_path())
        return visit.go(f"messages/{visit.id_in_path()}")

    async def _found(self, visit: Visit) -> TextSummary:
        return await self.hub.find_text(visit.grant, visit.id_in_path())


def _wanted(visit: Visit) -> _Wanted:
    """By days as they are in the program's zone, both included."""
    first, last = _day(visit.asked("from")), _day(visit.asked("to"))
    return {
        "state": _state(visit.asked("status")),
        "number": visit.asked("number"),
        "from_us": None if first is None else beginning_us(first, visit.zone),
        "before_us": None if last is None else beginning_us(last + timedelta(days=1), visit.zone),
    }


def _state(name: str | None) -> DeliveryState | None:
    with suppress(ValueError):
        return None if name is None else DeliveryState(name)
    return None


def _day(written: str | None) -> date | None:
    """None for what is no day between which and now anything was sent."""
    with suppress(ValueError):
        day = None if written is None else date.fromisoformat(written)
        return day if day is None or 2000 <= day.year < 3000 else None
    return None


def _shown(summary: TextSummary) -> Mapping[str, object]:
    return {
        "message": summary.message,
        "to": summary.numbers[0].e164 if summary.message.recipients == 1 else f"{summary.message.recipients:,} numbers",
        "state": summary.state,
        "result": representations.text(summary)["SentResult"],
    }


def _progress(summary: TextSummary) -> Mapping[str, object]:
    going = sum(summary.counts.get(state, 0) for state in STILL_TO_COME)
    return {
        **_shown(summary),
        "counts": [(state, summary.counts[state]) for state in in_order(summary.counts)],
        "waiting": any(summary.counts.get(state) for state in WAITING),
        "going": going,
        "done": summary.message.recipients - going,
    }
