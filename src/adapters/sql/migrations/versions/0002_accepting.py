"""Idempotency keys, further senders, priorities, times and cancellation of messages, finding messages by number."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_QUEUED = "state = 'queued'"


def _index_where(name: str, columns: list[str], condition: str) -> None:
    op.create_index(name, "deliveries", columns, postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))


def _priority() -> sa.Column[int]:
    return sa.Column("priority", sa.SmallInteger(), server_default=sa.text("1"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "program_senders",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("sender_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name="fk_program_senders_program_id"),
        sa.ForeignKeyConstraint(["sender_id"], ["senders.id"], name="fk_program_senders_sender_id"),
        sa.PrimaryKeyConstraint("program_id", "sender_id", name="pk_program_senders"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("first_counts", sa.Text(), nullable=False),
        sa.Column("refusals", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_us", "idempotency_keys", ["created_us"])
    op.add_column("text_messages", _priority())
    for name in ("send_at_us", "expires_us", "canceled_us"):
        op.add_column("text_messages", sa.Column(name, sa.BigInteger()))
    op.add_column("deliveries", _priority())
    op.add_column("deliveries", sa.Column("expires_us", sa.BigInteger()))
    _index_where("ix_deliveries_line", ["sender_id", "priority", "id"], _QUEUED)
    op.drop_index("ix_deliveries_queue", "deliveries")
    _index_where(
        "ix_deliveries_expiring", ["expires_us"], "expires_us IS NOT NULL AND state IN ('scheduled', 'queued')"
    )
    op.create_index("ix_deliveries_number", "deliveries", ["number", "message_id"])


def downgrade() -> None:
    op.drop_index("ix_deliveries_number", "deliveries")
    op.drop_index("ix_deliveries_expiring", "deliveries")
    _index_where("ix_deliveries_queue", ["sender_id", "id"], _QUEUED)
    op.drop_index("ix_deliveries_line", "deliveries")
    for name in ("expires_us", "priority"):
        op.drop_column("deliveries", name)
    for name in ("canceled_us", "expires_us", "send_at_us", "priority"):
        op.drop_column("text_messages", name)
    op.drop_table("idempotency_keys")
    op.drop_table("program_senders")
