"""Where the bars of the charts stand, in the units of their drawings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.model.delivery import DeliveryState
from domain.model.usage import Usage

WIDTH, HEIGHT = 720, 200


@dataclass(frozen=True, slots=True)
class Group:
    """States that are one to whoever looks from afar. `name` is that of its colour."""

    name: str
    title: str
    states: frozenset[DeliveryState]


GROUPS = (
    Group("delivered", "Delivered", frozenset({DeliveryState.DELIVERED})),
    Group("sent", "Sent", frozenset({DeliveryState.SENT})),
    Group(
        "waiting",
        "On the way",
        frozenset({DeliveryState.SCHEDULED, DeliveryState.QUEUED, DeliveryState.SENDING}),
    ),
    Group("unknown", "Unknown", frozenset({DeliveryState.UNKNOWN})),
    Group(
        "failed",
        "Failed",
        frozenset({DeliveryState.FAILED, DeliveryState.UNDELIVERED, DeliveryState.EXPIRED}),
    ),
    Group("held", "Not texted", frozenset({DeliveryState.BLOCKED, DeliveryState.CANCELED})),
)
_GROUP_OF = {state: group.name for group in GROUPS for state in group.states}


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """`counts` is by the group's name; of a chart without groups there is one, `texts`."""

    label: str
    counts: Mapping[str, int]
    bars: Sequence[Bar]
    left: float
    x: float

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Chart:
    """`highest` is what the top of the drawing stands for, `step` how wide a column is with the room around it; `every`
    says which columns have room for their label.
    """

    columns: Sequence[Column]
    highest: int
    step: float
    every: int


def by_day(usage: Usage, last: date) -> Chart:
    """A column for each day, the empty ones as well."""
    days: dict[date, Counter[str]] = {
        usage.first + timedelta(days=index): Counter() for index in range((last - usage.first).days + 1)
    }
    for each in usage.days:
        days[each.day][_GROUP_OF[each.state]] += each.deliveries
    names = [group.name for group in GROUPS]
    return _chart([(f"{day:%-d %b}", counts) for day, counts in days.items()], names, labels=8)


def by_hour(hours: Sequence[int]) -> Chart:
    return _chart([(f"{hour:02}:00", Counter(texts=count)) for hour, count in enumerate(hours)], ["texts"], labels=8)


def totals(usage: Usage) -> Mapping[str, int]:
    """By the group's name."""
    found: Counter[str] = Counter()
    for each in usage.days:
        found[_GROUP_OF[each.state]] += each.deliveries
    return found


def shares(totals: Mapping[str, int]) -> Sequence[Bar]:
    """All groups in one bar that lies."""
    bars, x, texts = [], 0.0, sum(totals.values())
    for group in GROUPS:
        width = WIDTH * totals[group.name] / texts if totals.get(group.name) else 0.0
        if width:
            bars.append(Bar(group.name, round(x, 2), 0, round(width, 2), 0))
        x += width
    return bars


def _chart(rows: Sequence[tuple[str, Mapping[str, int]]], names: Sequence[str], *, labels: int) -> Chart:
    highest = _round(max((sum(counts.values()) for _, counts in rows), default=0))
    step = WIDTH / len(rows)
    columns = []
    for index, (label, counts) in enumerate(rows):
        x, bars, top = index * step, [], float(HEIGHT)
        for name in names:
            height = counts.get(name, 0) / highest * HEIGHT
            top -= height
            if height:
                bars.append(Bar(name, round(x + step * 0.1, 2), round(top, 2), round(step * 0.8, 2), round(height, 2)))
        columns.append(Column(label, counts, bars, round(x, 2), round(x + step / 2, 2)))
    return Chart(columns, highest, round(step, 2), max(1, round(len(rows) / labels)))


def _round(count: int) -> int:
    """The next number that is easy to read, and half of which is a whole number: 2, 4, 6, 8 or 10 and noughts."""
    size = 1
    while True:
        for each in (2, 4, 6, 8, 10):
            if count <= each * size:
                return each * size
        size *= 10
