"""Keys with a kind, a name, scopes and an end, programs that are suspended, and the record of what operators change."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIMES = ("expires_us", "last_used_us", "revoked_us")
_TEXTS = ("scopes", "numbers", "networks")


def upgrade() -> None:
    op.add_column("program_keys", sa.Column("kind", sa.Text(), server_default=sa.text("'live'"), nullable=False))
    for name in ("name", "hint"):
        op.add_column("program_keys", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    for name in _TEXTS:
        op.add_column("program_keys", sa.Column(name, sa.Text()))
    for name in _TIMES:
        op.add_column("program_keys", sa.Column(name, sa.BigInteger()))
    op.add_column("programs", sa.Column("suspended_us", sa.BigInteger()))
    op.add_column("text_messages", sa.Column("is_test", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "audit_events",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("program_id", sa.Text()),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_program_id", "audit_events", ["program_id", "id"])


def downgrade() -> None:
    op.drop_table("audit_events")
    op.drop_column("text_messages", "is_test")
    op.drop_column("programs", "suspended_us")
    for name in (*_TIMES, *_TEXTS, "hint", "name", "kind"):
        op.drop_column("program_keys", name)
