"""Transfers of originals from and to other platforms that are under way, and the flow log.

Carrier and shipper of a bill from abroad are named `CODE:slug`, which is longer than a slug. On the
way back those columns stay wide: such names may stand in them, and a wide column serves the older
version as well.
"""

import sqlalchemy as sa
from alembic import op

from bol_service.storage import guards

revision = "0006"
down_revision = "0005"

_SET_ASIDE = (
    "CREATE TEMP TABLE kept_parties AS SELECT * FROM bill_parties",
    "CREATE TEMP TABLE kept_containers AS SELECT * FROM bill_containers",
    "DELETE FROM bill_parties",
    "DELETE FROM bill_containers",
)
_PUT_BACK = (
    "INSERT INTO bill_parties SELECT * FROM kept_parties",
    "INSERT INTO bill_containers SELECT * FROM kept_containers",
    "DROP TABLE kept_parties",
    "DROP TABLE kept_containers",
)
Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "inbound_transfers",
        sa.Column("reference", sa.String(43), primary_key=True),
        sa.Column("bill", sa.String(64), nullable=False),
        sa.Column("sender", sa.String(4), nullable=False),
        sa.Column("manifest", sa.String(64), nullable=False),
        sa.Column("envelope", sa.String(64), nullable=False),
        sa.Column("opened", sa.String(24), nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("status", sa.Integer),
    )
    op.create_index("ix_inbound_transfers_bill", "inbound_transfers", ["bill"])
    op.create_index("ix_inbound_transfers_manifest", "inbound_transfers", ["manifest"])
    op.create_table(
        "inbound_documents",
        sa.Column("bill", sa.String(64), primary_key=True),
        sa.Column("checksum", sa.String(64), primary_key=True),
    )
    op.create_table(
        "outbound_transfers",
        sa.Column("number", Number, primary_key=True, autoincrement=False),
        sa.Column("bill", sa.String(64), nullable=False),
        sa.Column("platform", sa.String(4), nullable=False),
        sa.Column("since", Number, nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.String(24)),
        sa.Column("leased_until", sa.String(24), nullable=False),
        sa.Column("reference", sa.String(100)),
        sa.Column("fault", sa.String(250)),
        sa.Column("answer", sa.Text),
    )
    op.create_index("ix_outbound_transfers_due", "outbound_transfers", ["due"])
    op.create_index("ix_outbound_transfers_bill", "outbound_transfers", ["bill"])
    op.create_table(
        "flows",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("platform", sa.String(4), nullable=False),
        sa.Column("bill", sa.String(64), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("recipient", sa.String(100), nullable=False),
        sa.Column("basis", sa.String(100), nullable=False),
    )
    guards.put(op.get_bind(), ("flows",))
    _widen()


def downgrade() -> None:
    op.drop_table("flows")
    op.drop_table("outbound_transfers")
    op.drop_table("inbound_documents")
    op.drop_table("inbound_transfers")


def _widen() -> None:
    """SQLite copies the table and drops the old one, which it may not while rows refer to it."""
    is_copied = op.get_bind().dialect.name == "sqlite"
    for statement in _SET_ASIDE if is_copied else ():
        op.execute(statement)
    with op.batch_alter_table("bills") as bills:
        bills.alter_column("carrier", type_=sa.String(40), existing_nullable=False)
        bills.alter_column("shipper", type_=sa.String(40), existing_nullable=False)
    for statement in _PUT_BACK if is_copied else ():
        op.execute(statement)
