from enum import IntEnum


class Priority(IntEnum):
    """Which of a sender's texts go first; the lower value does."""

    URGENT = 0
    NORMAL = 1
    BULK = 2
