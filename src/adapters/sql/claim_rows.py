"""What a claim reads. A row of SQLAlchemy's looks each name up anew, which for thousands of rows takes longer than all
else that is done with them: these are taken out of theirs once.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, bindparam, or_, select

from adapters.sql.rows import SENDER_COLUMNS, as_texting_hours
from adapters.sql.tables import hub_paused, provider_accounts, senders
from domain.model.delivery import MAIL, SANDBOX
from domain.model.phone_number import PhoneNumber
from domain.model.priority import Priority
from domain.model.share import Share
from domain.model.turns import Candidate

_SENDERS_AT_ONCE = 500

# A dispatcher takes over another's sender only when that one is so late that it must be stuck or gone: when the first
# slot that is not reserved has come, so that no slot of a line is lost by waiting.
_GRACE_US = 250_000


class DueSender(NamedTuple):
    sender_id: int
    account_id: int
    address: str
    pace_numerator: int
    pace_denominator: int
    backlog_us: int
    sender_paused_us: int | None
    bar_reason: str | None
    provider: str
    account: str
    limit_name: str | None
    opt_out_replies: str | None
    next_free_us: int
    owner: int | None
    turns: str | None
    bars: int
    limit_id: int | None
    account_limit_id: int | None


def in_share(share: Share) -> ColumnElement[bool]:
    return senders.c.id % share.of == share.rank


# Made once, as making it takes longer than a small claim itself: its parameters are those of `due_parameters`.
DUE_SENDERS = (
    select(
        *SENDER_COLUMNS,
        senders.c.next_free_us,
        senders.c.owner,
        senders.c.turns,
        senders.c.bars,
        senders.c.limit_id,
        provider_accounts.c.limit_id.label("account_limit_id"),
    )
    .join(provider_accounts, senders.c.account_id == provider_accounts.c.id)
    .where(
        senders.c.due_us <= bindparam("now_us"),
        or_(
            senders.c.id % bindparam("share_of", type_=BigInteger) == bindparam("share_rank", type_=BigInteger),
            senders.c.due_us <= bindparam("late_us"),
        ),
        senders.c.paused_us.is_(None),
        ~hub_paused,
    )
    .order_by(senders.c.due_us)
    .limit(_SENDERS_AT_ONCE)
)


def due_parameters(now_us: int, share: Share) -> Mapping[str, int]:
    return {"now_us": now_us, "late_us": now_us - _GRACE_US, "share_of": share.of, "share_rank": share.rank}


class CandidateRow(NamedTuple):
    """A delivery that is queued, with what is needed of its message. `texting_hours` are those that it is bound to."""

    id: int
    position: int
    number: str
    segments: int
    state: str
    attempt: int
    failures: int
    enquiries: int
    resends: int
    reason: str | None
    provider_reference: str | None
    due_us: int | None
    updated_us: int
    has_notice: bool
    message_id: UUID
    program_id: str
    sender_id: int
    priority: int
    expires_us: int | None
    body: str
    notice: str | None
    canceled_us: int | None
    trace_parent: str | None
    is_reply: bool
    is_test: bool
    opted_out: bool | None
    texting_hours: str | None
    mail_to: str | None

    @property
    def instead(self) -> str | None:
        """Who gets it in place of its sender's provider."""
        if self.is_test:
            return SANDBOX
        return None if self.mail_to is None else MAIL

    @property
    def line(self) -> tuple[int, int, str]:
        return self.sender_id, self.priority, self.program_id

    def as_candidate(self) -> Candidate:
        return Candidate(
            delivery_id=self.id,
            segments=self.segments,
            priority=Priority(self.priority),
            program_id=self.program_id,
            opted_out=bool(self.opted_out) and not self.is_reply,
            canceled=self.canceled_us is not None,
            expires_us=self.expires_us,
            hours=None if self.texting_hours is None else as_texting_hours(self.texting_hours),
            zones=() if self.texting_hours is None else PhoneNumber(self.number).time_zones,
        )


# Each by its name: a column that a later version adds must not change what a running one is given. `d` is the
# delivery, `m` its message; whether the number has opted out is asked in each database's own way, and so is what its
# program wants.
_OF_ITS_MESSAGE = {"body", "notice", "canceled_us", "trace_parent", "is_reply", "is_test"}
_ASKED_OTHERWISE = {"opted_out", "texting_hours", "mail_to"}
CANDIDATE_COLUMNS = ", ".join(
    f"{'m' if name in _OF_ITS_MESSAGE else 'd'}.{name}" for name in CandidateRow._fields if name not in _ASKED_OTHERWISE
)

# Of a line, given that `p` is its program.
HOURS_OF_LINE = f"""
    CASE WHEN line.priority = {Priority.URGENT.value} AND p.urgent_any_time THEN NULL ELSE p.texting_hours END
    AS texting_hours
"""
