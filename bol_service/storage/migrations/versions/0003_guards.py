"""The append-only triggers; on PostgreSQL always enabled, the contiguity of entries by statement.

A later migration that adds a guarded table calls `guards.put` for that table.
"""

from alembic import op

from bol_service.storage import guards

revision = "0003"
down_revision = "0002"

TABLES = ("entries", "nodes", "checkpoints", "log", "cosignatures", "witnessed")


def upgrade() -> None:
    guards.put(op.get_bind(), TABLES)


def downgrade() -> None:
    guards.remove(op.get_bind(), TABLES)
