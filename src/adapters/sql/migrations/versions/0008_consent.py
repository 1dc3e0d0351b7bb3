"""Opt-outs of senders and of all, the record of everything that is said about being texted, and what people text."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_INBOUND = sa.text("kind = 'inbound' AND part_of IS NULL AND outcome IS NULL")


def upgrade() -> None:
    op.add_column("opt_outs", sa.Column("event_id", _ID, nullable=True))
    op.create_table(
        "sender_opt_outs",
        sa.Column("sender_id", _ID, nullable=False, autoincrement=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("event_id", _ID),
        sa.PrimaryKeyConstraint("sender_id", "number", name=op.f("pk_sender_opt_outs")),
    )
    op.create_table(
        "consent_events",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("program_id", sa.Text()),
        sa.Column("sender_id", _ID),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("wording", sa.Text()),
        sa.Column("actor", sa.Text()),
        sa.Column("reference", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_events")),
        sa.CheckConstraint("consent IN ('opt-in', 'opt-out')", name=op.f("ck_consent_events_consent_known")),
    )
    op.create_index("ix_consent_events_number", "consent_events", ["number", "id"])
    op.create_index("ix_callbacks_inbound", "callbacks", ["id"], postgresql_where=_INBOUND, sqlite_where=_INBOUND)
    op.create_table(
        "inbound_messages",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("sender_id", _ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("keyword", sa.Text()),
        sa.Column("answers_id", sa.Uuid()),
        sa.Column("callback_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_messages")),
        sa.UniqueConstraint("callback_id", name=op.f("uq_inbound_messages_callback_id")),
    )
    op.create_index("ix_inbound_messages_log", "inbound_messages", ["program_id", "id"])


def downgrade() -> None:
    op.drop_table("inbound_messages")
    op.drop_index("ix_callbacks_inbound", "callbacks")
    op.drop_table("consent_events")
    op.drop_table("sender_opt_outs")
    op.drop_column("opt_outs", "event_id")
