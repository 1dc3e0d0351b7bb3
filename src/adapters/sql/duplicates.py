"""Texts that are not to be sent twice within a while, as their program wants it."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from domain.model.delivery import DUPLICATE, IN_VAIN, DeliveryState
from domain.model.text_message import NewText

# The message that a number gets, and the number.
To: TypeAlias = tuple[UUID, str]

IN_VAIN_STATES = ", ".join(f"'{state.value}'" for state in sorted(IN_VAIN, key=lambda state: state.value))


def notes(texts: Iterable[NewText]) -> Sequence[Mapping[str, Any]]:
    """A row of `recent_texts` for each delivery of theirs that counts, in the order in which such rows are locked."""
    rows: dict[tuple[str, str, bytes], Mapping[str, Any]] = {}
    for text in texts:
        if text.duplicate_window_us is None:
            continue
        message = text.message
        digest = hashlib.sha256(message.body.text.encode()).digest()
        for delivery in text.deliveries:
            if delivery.state is DeliveryState.BLOCKED:
                continue
            # Of those that came together, the first is sent.
            rows.setdefault(
                (message.program_id, delivery.number.e164, digest),
                {
                    "program_id": message.program_id,
                    "number": delivery.number.e164,
                    "digest": digest,
                    "message_id": message.id,
                    "since_us": message.created_us,
                    "until_us": message.created_us + text.duplicate_window_us,
                },
            )
    return [rows[key] for key in sorted(rows)]


def without_duplicates(texts: Sequence[NewText], noted: Collection[To]) -> Sequence[NewText]:
    """As they are to be stored, where those of `noted` alone are no duplicates."""
    first: dict[UUID, set[str]] = defaultdict(set)
    for message_id, number in noted:
        first[message_id].add(number)
    return [text if text.duplicate_window_us is None else _without(text, first[text.message.id]) for text in texts]


def _without(text: NewText, first: Collection[str]) -> NewText:
    return text.blocked_for(DUPLICATE, {each.number for each in text.deliveries if each.number.e164 not in first})
