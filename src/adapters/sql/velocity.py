"""Numbers that have got as many of a program's texts within a while as they may."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from domain.model.delivery import TOO_MANY_TEXTS, DeliveryState
from domain.model.message_id import first_message_id
from domain.model.text_message import NewText

# A program and a number.
Name: TypeAlias = tuple[str, str]

# What was never on its way to a number is none of its texts.
UNCOUNTED = (DeliveryState.BLOCKED, DeliveryState.CANCELED)


def recipients(texts: Iterable[NewText]) -> Sequence[Mapping[str, Any]]:
    """Whose texts are to be counted, and from which message on."""
    since_us: dict[Name, int] = {}
    for text in texts:
        if text.per_recipient is None:
            continue
        from_us = text.message.created_us - text.per_recipient.within_us
        for each in text.deliveries:
            if each.state is not DeliveryState.BLOCKED:
                name = text.message.program_id, each.number.e164
                since_us[name] = min(since_us.get(name, from_us), from_us)
    return [
        {"program_id": program_id, "number": number, "since_id": first_message_id(from_us)}
        for (program_id, number), from_us in since_us.items()
    ]


def without_too_many(texts: Sequence[NewText], earlier: Mapping[Name, int]) -> Sequence[NewText]:
    """As they are to be stored, where so many went to each number before."""
    counts = dict(earlier)
    return [text if text.per_recipient is None else _without(text, text.per_recipient.texts, counts) for text in texts]


def _without(text: NewText, most: int, counts: dict[Name, int]) -> NewText:
    over = set()
    for each in text.deliveries:
        name = text.message.program_id, each.number.e164
        if each.state is DeliveryState.BLOCKED:
            continue
        if counts.get(name, 0) >= most:
            over.add(each.number)
        else:
            counts[name] = counts.get(name, 0) + 1
    return text.blocked_for(TOO_MANY_TEXTS, over)
