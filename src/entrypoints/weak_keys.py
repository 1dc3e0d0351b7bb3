"""Keys that are long enough and no secret: made up by a person, or copied from an example."""

from collections.abc import Mapping
from itertools import pairwise

# Bytes that were drawn by lot repeat little: of 32 there are 30 different ones on average, and hardly ever below 22.
_FEWEST_DIFFERENT = 8

# What a key repeats is to be as long as a key; that so many bytes are repeated is no chance.
_SHORTEST_KEY, _NO_CHANCE = 32, 8

# In random bytes none of them turns up in the hub's lifetime; none is shorter than four letters.
_WORDS = (
    b"change",
    b"default",
    b"demo",
    b"example",
    b"insecure",
    b"password",
    b"qwerty",
    b"sample",
    b"secret",
    b"smshub",
    b"sms-hub",
    b"test",
    b"this key",
)


def weak_keys(ring: Mapping[str, bytes]) -> Mapping[str, str]:
    """Why each weak key of a ring is weak, by the key's id. Sentences without a subject."""
    found = {key_id: _weakness(key) for key_id, key in ring.items()}
    return {key_id: why for key_id, why in found.items() if why is not None}


def _weakness(key: bytes) -> str | None:
    if len(set(key)) < _FEWEST_DIFFERENT:
        return "has a few bytes again and again"
    if any(key[period:] == key[:-period] for period in range(1, min(_SHORTEST_KEY, len(key) - _NO_CHANCE + 1))):
        return "repeats itself"
    if len({(after - before) % 256 for before, after in pairwise(key)}) == 1:
        return "counts up or down"
    if any(word in key.lower() for word in _WORDS):
        return "is made of words"
    return None
