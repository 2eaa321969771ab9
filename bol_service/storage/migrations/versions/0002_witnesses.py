"""Cosignatures under our checkpoints, and the checkpoints of other logs that we cosigned."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "cosignatures",
        sa.Column("size", Number, sa.ForeignKey("checkpoints.size"), primary_key=True),
        sa.Column("witness", sa.String(300), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_index("ix_cosignatures_witness", "cosignatures", ["witness", "size"])
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.String(255), primary_key=True),
        sa.Column("size", Number, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("witnessed")
    op.drop_table("cosignatures")
