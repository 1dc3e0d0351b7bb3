"""What becomes of a call that was not accepted, and of an endpoint that accepts nothing. The delays are those that
Standard Webhooks recommends.
"""

from dataclasses import dataclass

from domain.model.pace import SECOND_US

_MINUTE_US = 60 * SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DELAYS_US = (
    5 * SECOND_US,
    5 * _MINUTE_US,
    30 * _MINUTE_US,
    2 * _HOUR_US,
    5 * _HOUR_US,
    10 * _HOUR_US,
    14 * _HOUR_US,
    20 * _HOUR_US,
    24 * _HOUR_US,
)
_LONGEST_RETRY_AFTER_US = 24 * _HOUR_US
_GIVEN_UP_AFTER_US = 5 * 24 * _HOUR_US

# One bad answer may be about one event; several in a row are about the endpoint.
_FAILURES_BEFORE_REST = 3
_FIRST_REST_US = 5 * SECOND_US
_LONGEST_REST_US = 5 * _MINUTE_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call came to. `status` is None where no answer came, and `error` says why then. `took_us` is from the
    beginning of the call.
    """

    took_us: int
    status: int | None = None
    error: str | None = None
    retry_after_s: int | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Health:
    """`failures` in a row, of whichever calls; `failing_since_us` is when the first of them was."""

    failing_since_us: int
    failures: int


def next_call_us(answer: Answer, failures: int, *, now_us: int, jitter: float) -> int | None:
    """When to call again after so many failures; None where it is given up. `jitter` is from 0 to 1: a fifth is added
    at the most, so that what failed together is not tried together.
    """
    if failures > len(_DELAYS_US):
        return None
    delay_us = int(_DELAYS_US[failures - 1] * (1 + jitter / 5))
    return now_us + max(delay_us, _told_us(answer))


def rests_until_us(answer: Answer, health: Health, *, now_us: int) -> int | None:
    """Until when the endpoint is left alone, after which one call tries it; None: it is not."""
    rest_us = _told_us(answer)
    if health.failures >= _FAILURES_BEFORE_REST:
        doubled_us = _FIRST_REST_US << min(health.failures - _FAILURES_BEFORE_REST, 10)
        rest_us = max(rest_us, min(doubled_us, _LONGEST_REST_US))
    return now_us + rest_us if rest_us else None


def is_given_up(health: Health, *, now_us: int) -> bool:
    return now_us - health.failing_since_us >= _GIVEN_UP_AFTER_US


def _told_us(answer: Answer) -> int:
    return min((answer.retry_after_s or 0) * SECOND_US, _LONGEST_RETRY_AFTER_US)
