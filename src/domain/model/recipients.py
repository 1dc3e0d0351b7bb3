"""Lists of phone numbers as people write them."""

import asyncio
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from domain.errors import NoRecipients, NumberRefused, TooManyRecipients
from domain.model.phone_number import PhoneNumber

MAX_RECIPIENTS = 10_000
OTHER_COUNTRY = "belongs to a country that this program does not text"

# Reading a number takes some 0.03 ms: after so many it is others' turn.
_AT_A_STRETCH = 50
_NOT_FOR_THIS_KEY = "is not among those that your key may text"


def _anybody(_number: PhoneNumber) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Recipients:
    """What a list of numbers reads as. `numbers` are the distinct ones in the order in which they first stand,
    `doubles` counts those that stood before, `refusals` are (position, reason) pairs of what is not to be texted;
    positions count from 1 and skip nothing.
    """

    numbers: Sequence[PhoneNumber]
    doubles: int = 0
    refusals: Sequence[tuple[int, str]] = ()


async def read_recipients(
    text: str,
    *,
    region: str,
    countries: Container[str | None] | None = None,
    may_text: Callable[[PhoneNumber], bool] = _anybody,
    most: int = MAX_RECIPIENTS,
) -> Recipients:
    """Reads a comma-delimited list. Empty places, as a trailing comma leaves, are passed over; numbers that are not to
    be texted are refused.

    `countries` are those whose numbers are texted; None: all. Raises `NoRecipients` or `TooManyRecipients` (counted
    before doubles are dropped).
    """
    filled = [(position, part) for position, part in enumerate(text.split(","), start=1) if part.strip()]
    if not filled:
        raise NoRecipients
    if len(filled) > most:
        raise TooManyRecipients(count=len(filled), limit=most)
    numbers: dict[PhoneNumber, None] = {}
    refusals: list[tuple[int, str]] = []
    for count, (position, part) in enumerate(filled, start=1):
        try:
            number = PhoneNumber.parse(part.strip(), region=region)
        except NumberRefused as refused:
            refusals.append((position, refused.reason))
        else:
            if countries is not None and number.region not in countries:
                refusals.append((position, OTHER_COUNTRY))
            elif not may_text(number):
                refusals.append((position, _NOT_FOR_THIS_KEY))
            else:
                numbers[number] = None
        if count % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    doubles = len(filled) - len(numbers) - len(refusals)
    return Recipients(tuple(numbers), doubles, tuple(refusals))
