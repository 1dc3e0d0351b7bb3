"""Webhooks: endpoints of programs, what they are told, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TO_BE_MADE = sa.text("due_us IS NOT NULL")


def _identity() -> sa.Column[int]:
    return sa.Column("id", _ID, sa.Identity(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary()),
        sa.Column("old_until_us", sa.BigInteger()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.Text()),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since_us", sa.BigInteger()),
        sa.Column("rests_until_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_webhooks_program_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_program_id", "webhooks", ["program_id"])
    op.create_table(
        "webhook_events",
        _identity(),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_webhook_events_uid")),
        sa.UniqueConstraint("subject", "key", "program_id", name=op.f("uq_webhook_events_subject_key_program_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_events_at_us", "webhook_events", ["at_us"])
    op.create_table(
        "webhook_calls",
        _identity(),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("accepted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_calls")),
        sa.UniqueConstraint("event_id", "webhook_id", name=op.f("uq_webhook_calls_event_id_webhook_id")),
    )
    op.create_index("ix_webhook_calls_due", "webhook_calls", ["webhook_id", "due_us"])
    op.create_index(
        "ix_webhook_calls_subject",
        "webhook_calls",
        ["webhook_id", "subject", "event_id"],
        postgresql_where=_TO_BE_MADE,
        sqlite_where=_TO_BE_MADE,
    )
    op.create_table(
        "webhook_attempts",
        _identity(),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index("ix_webhook_attempts_event_id", "webhook_attempts", ["event_id"])
    op.create_index("ix_webhook_attempts_log", "webhook_attempts", ["webhook_id", "id"])


def downgrade() -> None:
    for name in ("webhook_attempts", "webhook_calls", "webhook_events", "webhooks"):
        op.drop_table(name)
