"""The ledger, its caches, documents, notices and access tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _log_tables()
    _cache_tables()
    _bill_tables()
    _other_tables()


def _log_tables() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("recorded_at", sa.String(24)),
        sa.Column("note", sa.Text),
    )
    op.create_table(
        "entries",
        sa.Column("idx", Number, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.String(200), nullable=False),
        sa.Column("sequence", Number, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.String(24), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("actor", sa.String(31), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("payload_digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("stream", "sequence", name="uq_entries_stream"),
        sa.UniqueConstraint("event_id", "actor", name="uq_entries_event_id"),
        sa.UniqueConstraint("payload_digest", name="uq_entries_payload"),
    )
    op.create_table(
        "nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("idx", Number, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", Number, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )


def _cache_tables() -> None:
    op.create_table(
        "states",
        sa.Column("stream", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("sequence", Number, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("idx", Number, nullable=False),
    )
    op.create_index("ix_states_kind", "states", ["kind", "stream"])
    op.create_table(
        "claims",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("value", sa.String(255), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("kid", sa.String(43), primary_key=True),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
    )
    op.create_table(
        "mandates",
        sa.Column("forwarder", sa.String(31), primary_key=True),
        sa.Column("shipper", sa.String(31), primary_key=True),
    )
    op.create_table(
        "draft_parties",
        sa.Column("party", sa.String(31), primary_key=True),
        sa.Column("shipment", sa.String(36), primary_key=True),
    )


def _bill_tables() -> None:
    op.create_table(
        "bills",
        sa.Column("bill", sa.String(64), primary_key=True),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("carrier", sa.String(31), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("shipment", sa.String(36), nullable=False),
        sa.Column("shipper", sa.String(31), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
    )
    op.create_index("ix_bills_reference", "bills", ["reference"])
    op.create_index("ix_bills_country", "bills", ["country", "bill"])
    op.create_index("ix_bills_shipper", "bills", ["shipper", "bill"])
    op.create_table(
        "bill_parties",
        sa.Column("party", sa.String(31), primary_key=True),
        sa.Column("bill", sa.String(64), sa.ForeignKey("bills.bill"), primary_key=True),
    )
    op.create_table(
        "bill_containers",
        sa.Column("container", sa.String(11), primary_key=True),
        sa.Column("bill", sa.String(64), sa.ForeignKey("bills.bill"), primary_key=True),
    )


def _other_tables() -> None:
    op.create_table(
        "documents",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("checksum", sa.String(64)),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("facts", sa.LargeBinary),
        sa.Column("uploaded_by", sa.String(31), nullable=False),
        sa.Column("uploaded_at", sa.String(24), nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("stream", sa.String(200), nullable=False),
        sa.Column("idx", Number),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_index("ix_notices_party", "notices", ["party", "number"])
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("jti", sa.String(100), nullable=False),
        sa.Column("expires", sa.String(24), nullable=False),
        sa.UniqueConstraint("party", "jti", name="uq_access_tokens_jti"),
    )
    op.create_index("ix_access_tokens_expires", "access_tokens", ["expires"])


def downgrade() -> None:
    for table in (
        "access_tokens",
        "notices",
        "documents",
        "bill_containers",
        "bill_parties",
        "bills",
        "draft_parties",
        "mandates",
        "keys",
        "claims",
        "states",
        "checkpoints",
        "nodes",
        "entries",
        "log",
    ):
        op.drop_table(table)
