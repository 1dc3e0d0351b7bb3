"""What a program may have its texts go by: texting hours, duplicates held back, a notice to those who are new, replies
to keywords, and e-mail in place of texts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TO_BE_REPLIED = sa.text("reply_due_us IS NOT NULL")
_OF_PROGRAMS = ("texting_hours", "notice", "opt_out_reply", "opt_in_reply", "help_reply", "mail_to")


def _no(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    for name in _OF_PROGRAMS:
        op.add_column("programs", sa.Column(name, sa.Text()))
    op.add_column("programs", _no("urgent_any_time"))
    op.add_column("programs", sa.Column("duplicate_window_s", sa.BigInteger()))
    op.add_column("senders", sa.Column("opt_out_replies", sa.Text()))
    op.add_column("text_messages", _no("is_reply"))
    op.add_column("text_messages", sa.Column("notice", sa.Text()))
    op.add_column("deliveries", _no("has_notice"))
    op.add_column("inbound_messages", sa.Column("reply_due_us", sa.BigInteger()))
    op.add_column("inbound_messages", sa.Column("reply_id", sa.Uuid()))
    op.create_index(
        "ix_inbound_messages_reply",
        "inbound_messages",
        ["reply_due_us"],
        postgresql_where=_TO_BE_REPLIED,
        sqlite_where=_TO_BE_REPLIED,
    )
    op.create_index("ix_inbound_messages_number", "inbound_messages", ["number", "id"])
    op.create_table(
        "recent_texts",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "number", "digest", name=op.f("pk_recent_texts")),
    )
    op.create_index("ix_recent_texts_until_us", "recent_texts", ["until_us"])


def downgrade() -> None:
    op.drop_table("recent_texts")
    op.drop_index("ix_inbound_messages_number", "inbound_messages")
    op.drop_index("ix_inbound_messages_reply", "inbound_messages")
    op.drop_column("inbound_messages", "reply_id")
    op.drop_column("inbound_messages", "reply_due_us")
    op.drop_column("deliveries", "has_notice")
    op.drop_column("text_messages", "notice")
    op.drop_column("text_messages", "is_reply")
    op.drop_column("senders", "opt_out_replies")
    op.drop_column("programs", "duplicate_window_s")
    op.drop_column("programs", "urgent_any_time")
    for name in reversed(_OF_PROGRAMS):
        op.drop_column("programs", name)
