"""The hub's next version, as far as an upgrade has to do with it: this code with one migration more.

To an upgrade, the code at hand is the old one. Whatever its next migration may do by the rules, this one does, to every
table that work is done on.
"""

import shutil
from pathlib import Path

from adapters.sql.schema import _revisions

ROOT = Path(__file__).parents[2]

REVISION = "9000"

_MIGRATION = f'''"""What a migration may do while older code runs."""

import sqlalchemy as sa
from alembic import op

revision = "{REVISION}"
down_revision = "{_revisions()[-1]}"

BUSY = ("text_messages", "deliveries", "senders", "programs", "dispatchers", "idempotency_keys", "hub")


def upgrade():
    op.create_table("next_things", sa.Column("id", sa.BigInteger(), primary_key=True))
    for table in BUSY:
        op.add_column(table, sa.Column("next_note", sa.Text()))
        op.add_column(table, sa.Column("next_count", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index("ix_deliveries_next", "deliveries", ["program_id", "next_count"])
'''


def next_hub(folder: Path) -> Path:
    """Where its packages are, made in the folder."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    shutil.copytree(ROOT / "openapi", folder / "openapi", ignore=ignored)
    versions = folder / "src" / "adapters" / "sql" / "migrations" / "versions"
    (versions / f"{REVISION}_next.py").write_text(_MIGRATION, encoding="utf-8")
    return folder / "src"
