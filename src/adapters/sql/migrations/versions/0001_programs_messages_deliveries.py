"""Programs with their senders, messages with their deliveries, opt-outs, dispatchers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _identity() -> sa.Column[int]:
    return sa.Column("id", _ID, sa.Identity(), primary_key=True)


def _index_where(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))


def upgrade() -> None:
    op.create_table(
        "dispatchers",
        _identity(),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispatchers"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "provider_accounts",
        _identity(),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_accounts"),
        sa.UniqueConstraint("provider", "account", name="uq_provider_accounts_provider_account"),
    )
    op.create_table(
        "senders",
        _identity(),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("pace_numerator", sa.BigInteger(), nullable=False),
        sa.Column("pace_denominator", sa.BigInteger(), nullable=False),
        sa.Column("next_free_us", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.Column("owner", sa.BigInteger()),
        sa.CheckConstraint("pace_numerator > 0 AND pace_denominator > 0", name=op.f("ck_senders_pace_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["provider_accounts.id"], name="fk_senders_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_senders"),
        sa.UniqueConstraint("account_id", "address", name="uq_senders_account_id_address"),
    )
    _index_where("ix_senders_due", "senders", ["due_us"], "due_us IS NOT NULL")
    op.create_table(
        "programs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("folded_id", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sender_id", _ID, nullable=False),
        sa.Column("segment_cap", sa.SmallInteger(), nullable=False),
        sa.Column("token_lifetime_s", sa.BigInteger()),
        sa.Column("first_hub", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["senders.id"], name="fk_programs_sender_id"),
        sa.PrimaryKeyConstraint("id", name="pk_programs"),
        sa.UniqueConstraint("folded_id", name="uq_programs_folded_id"),
        sa.UniqueConstraint("sid", name="uq_programs_sid"),
    )
    op.create_table(
        "program_keys",
        _identity(),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("pepper_id", sa.Text()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name="fk_program_keys_program_id"),
        sa.PrimaryKeyConstraint("id", name="pk_program_keys"),
    )
    op.create_index("ix_program_keys_program_id", "program_keys", ["program_id"])
    op.create_table(
        "opt_outs",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name="fk_opt_outs_program_id"),
        sa.PrimaryKeyConstraint("program_id", "number", name="pk_opt_outs"),
    )
    op.create_table(
        "text_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("sender_id", _ID, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("client_date_sent", sa.Text()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name="fk_text_messages_program_id"),
        sa.ForeignKeyConstraint(["sender_id"], ["senders.id"], name="fk_text_messages_sender_id"),
        sa.PrimaryKeyConstraint("id", name="pk_text_messages"),
    )
    op.create_index("ix_text_messages_log", "text_messages", ["program_id", "id"])
    op.create_table(
        "deliveries",
        _identity(),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("sender_id", _ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("segments", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("enquiries", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("provider_reference", sa.Text()),
        sa.Column("claimed_by", sa.BigInteger()),
        sa.Column("slot_us", sa.BigInteger()),
        sa.Column("due_us", sa.BigInteger()),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('scheduled', 'queued', 'sending', 'unknown', 'sent', 'failed', 'undelivered', 'expired', "
            "'blocked', 'canceled', 'delivered')",
            name=op.f("ck_deliveries_state_known"),
        ),
        sa.ForeignKeyConstraint(["message_id"], ["text_messages.id"], name="fk_deliveries_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("message_id", "position", name="uq_deliveries_message_id_position"),
        postgresql_with={
            "fillfactor": "85",
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "20000",
        },
    )
    _index_where("ix_deliveries_queue", "deliveries", ["sender_id", "id"], "state = 'queued'")
    _index_where("ix_deliveries_claimed", "deliveries", ["claimed_by"], "state = 'sending'")
    _index_where("ix_deliveries_due", "deliveries", ["due_us"], "due_us IS NOT NULL")


def downgrade() -> None:
    for table in (
        "deliveries",
        "text_messages",
        "opt_outs",
        "program_keys",
        "programs",
        "senders",
        "provider_accounts",
        "dispatchers",
    ):
        op.drop_table(table)
