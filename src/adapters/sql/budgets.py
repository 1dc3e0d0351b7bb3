"""Texts that count against what their program may send in a day or a month."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from domain.errors import BudgetExceeded
from domain.model.budget import Budget, BudgetUse
from domain.model.pace import SECOND_US
from domain.model.text_message import NewText

# A program and a period.
Name: TypeAlias = tuple[str, str]

_NEARLY, _WHOLLY = 80, 100


class Use(NamedTuple):
    """`told` is the percentage that was told of last."""

    used: int
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """`fitting` are the texts that may be stored, `refused` the others. `corrected` are the uses that are not as they
    were charged.
    """

    fitting: Sequence[NewText]
    refused: Mapping[UUID, BudgetExceeded]
    corrected: Mapping[Name, Use]
    nearly_used: Sequence[BudgetUse]


def charges(texts: Iterable[NewText]) -> Sequence[Mapping[str, Any]]:
    """What all of them would use, as rows of `budget_uses` in the order in which these are locked."""
    rows: dict[Name, dict[str, Any]] = {}
    for text in texts:
        segments = text.segments
        for budget in text.budgets if segments else ():
            name = text.message.program_id, budget.period
            row = rows.setdefault(
                name,
                {
                    "program_id": name[0],
                    "period": name[1],
                    "used": 0,
                    "since_us": text.message.created_us,
                    "until_us": budget.until_us,
                },
            )
            row["used"] += segments
    return [rows[name] for name in sorted(rows)]


def charged(texts: Sequence[NewText], rows: Sequence[Mapping[str, Any]], after: Mapping[Name, Use]) -> Charged:
    """Who may stay of those that were charged, first come, first served; `after` is how the uses stand since."""
    used = {(row["program_id"], row["period"]): after[row["program_id"], row["period"]].used for row in rows}
    for row in rows:
        used[row["program_id"], row["period"]] -= row["used"]
    refused: dict[UUID, BudgetExceeded] = {}
    budgets: dict[Name, Budget] = {}
    spent: set[Name] = set()
    for text in texts:
        segments, program_id = text.segments, text.message.program_id
        its = {(program_id, budget.period): budget for budget in text.budgets if segments}
        budgets |= its
        short = [name for name, budget in its.items() if used[name] + segments > budget.segments]
        for name in () if short else its:
            used[name] += segments
        if short:
            spent.update(short)
            # It may come again when there is room in all of them.
            last = max(short, key=lambda name: its[name].until_us)
            refused[text.message.id] = _refusal(text, its[last], used[last])
    told = {name: _percent(used[name], budgets[name], name in spent) for name in used}
    final = {name: Use(used[name], max(told[name], after[name].told)) for name in used}
    return Charged(
        fitting=[text for text in texts if text.message.id not in refused],
        refused=refused,
        corrected={name: use for name, use in final.items() if use != after[name]},
        nearly_used=[
            BudgetUse(program_id=name[0], budget=budgets[name], used=used[name], percent=told[name])
            for name in used
            if told[name] > after[name].told
        ],
    )


def _refusal(text: NewText, budget: Budget, used: int) -> BudgetExceeded:
    wait_us = budget.until_us - text.message.created_us
    return BudgetExceeded(
        segments=text.segments,
        left=max(budget.segments - used, 0),
        period=budget.period,
        retry_after_s=max(-(-wait_us // SECOND_US), 1),
    )


def _percent(used: int, budget: Budget, spent: bool) -> int:  # noqa: FBT001
    if spent or used >= budget.segments:
        return _WHOLLY
    return _NEARLY if used * 100 >= budget.segments * _NEARLY else 0
