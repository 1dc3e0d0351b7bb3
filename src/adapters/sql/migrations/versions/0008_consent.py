"""Opt-outs of senders and of all, and the record of everything that is said about being texted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("opt_outs", sa.Column("event_id", _ID, nullable=True))
    op.create_table(
        "sender_opt_outs",
        sa.Column("sender_id", _ID, nullable=False, autoincrement=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("sender_id", "number", name="pk_sender_opt_outs"),
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
        sa.PrimaryKeyConstraint("id", name="pk_consent_events"),
        sa.CheckConstraint("consent IN ('opt-in', 'opt-out')", name="ck_consent_events_consent_known"),
    )
    op.create_index("ix_consent_events_number", "consent_events", ["number", "id"])


def downgrade() -> None:
    op.drop_table("consent_events")
    op.drop_table("sender_opt_outs")
    op.drop_column("opt_outs", "event_id")
