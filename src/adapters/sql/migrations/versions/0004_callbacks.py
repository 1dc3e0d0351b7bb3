"""What providers tell the hub by calling it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = sa.text("due_us IS NOT NULL")
_PART = sa.text("part_of IS NOT NULL AND outcome IS NULL")


def upgrade() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text()),
        sa.Column("delivery_id", _ID),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger()),
        sa.Column("outcome", sa.Text()),
        sa.Column("part_of", sa.Text()),
        sa.Column("part_number", sa.Integer()),
        sa.Column("part_total", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.UniqueConstraint("account_id", "kind", "key", name="uq_callbacks_account_id_kind_key"),
        sa.UniqueConstraint("nonce", "account_id", name="uq_callbacks_nonce_account_id"),
    )
    op.create_index("ix_callbacks_due", "callbacks", ["due_us"], postgresql_where=_DUE, sqlite_where=_DUE)
    op.create_index(
        "ix_callbacks_parts", "callbacks", ["account_id", "part_of"], postgresql_where=_PART, sqlite_where=_PART
    )
    op.create_index("ix_callbacks_kept", "callbacks", ["kind", "received_us"])


def downgrade() -> None:
    op.drop_table("callbacks")
