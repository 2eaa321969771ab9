"""The tables, as SQLAlchemy Core (docs/adr/0007).

The log: `entries`, `nodes`, `checkpoints` are append-only (triggers in the migration); `log` is the
one row that holds the head and only grows. `states`, `bills`, `bill_parties`, `bill_containers`,
`keys` and `claims` are caches of what the entries say and can be rebuilt. `documents` is keyed by
content. `notices` is the outbox. `access_tokens` is short-lived. `cosignatures` is append-only and
holds what witnesses signed under our checkpoints; `witnessed` holds the last checkpoint of every
log that we cosign for, and only grows.

Times are RFC 3339 UTC text with milliseconds: they sort, and they are the same in every database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")

log = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(255), nullable=False),
    Column("size", Number, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("recorded_at", String(24)),
    Column("note", Text),
)

entries = Table(
    "entries",
    metadata,
    Column("idx", Number, primary_key=True, autoincrement=False),
    Column("stream", String(200), nullable=False),
    Column("sequence", Number, nullable=False),
    Column("event", Text, nullable=False),
    Column("recorded_at", String(24), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("actor", String(31), nullable=False),
    Column("action", String(40), nullable=False),
    Column("kid", String(43), nullable=False),
    Column("payload_digest", String(64), nullable=False),
    UniqueConstraint("stream", "sequence", name="uq_entries_stream"),
    UniqueConstraint("event_id", "actor", name="uq_entries_event_id"),
    UniqueConstraint("payload_digest", name="uq_entries_payload"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", Number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

states = Table(
    "states",
    metadata,
    Column("stream", String(200), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("sequence", Number, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("idx", Number, nullable=False),
    Index("ix_states_kind", "kind", "stream"),
)

claims = Table(
    "claims",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("owner", String(200), nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("party", String(31), nullable=False),
    Column("jwk", Text, nullable=False),
)

bills = Table(
    "bills",
    metadata,
    Column("bill", String(64), primary_key=True),
    Column("reference", String(20), nullable=False),
    Column("carrier", String(31), nullable=False),
    Column("country", String(2), nullable=False),
    Column("shipment", String(36), nullable=False),
    Column("shipper", String(31), nullable=False),
    Column("status", String(40), nullable=False),
    Index("ix_bills_reference", "reference"),
    Index("ix_bills_country", "country", "bill"),
    Index("ix_bills_shipper", "shipper", "bill"),
)

bill_parties = Table(
    "bill_parties",
    metadata,
    Column("party", String(31), primary_key=True),
    Column("bill", String(64), ForeignKey("bills.bill"), primary_key=True),
)

bill_containers = Table(
    "bill_containers",
    metadata,
    Column("container", String(11), primary_key=True),
    Column("bill", String(64), ForeignKey("bills.bill"), primary_key=True),
)

draft_parties = Table(
    "draft_parties",
    metadata,
    Column("party", String(31), primary_key=True),
    Column("shipment", String(36), primary_key=True),
)

mandates = Table(
    "mandates",
    metadata,
    Column("forwarder", String(31), primary_key=True),
    Column("shipper", String(31), primary_key=True),
)

documents = Table(
    "documents",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("checksum", String(64)),
    Column("kind", String(30), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("facts", LargeBinary),
    Column("uploaded_by", String(31), nullable=False),
    Column("uploaded_at", String(24), nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("party", String(31), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("stream", String(200), nullable=False),
    Column("idx", Number),
    Column("at", String(24), nullable=False),
    Column("facts", Text, nullable=False),
    Index("ix_notices_party", "party", "number"),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("party", String(31), nullable=False),
    Column("kid", String(43), nullable=False),
    Column("jti", String(100), nullable=False),
    Column("expires", String(24), nullable=False),
    UniqueConstraint("party", "jti", name="uq_access_tokens_jti"),
    Index("ix_access_tokens_expires", "expires"),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", Number, ForeignKey("checkpoints.size"), primary_key=True),
    Column("witness", String(300), primary_key=True),
    Column("line", Text, nullable=False),
    Index("ix_cosignatures_witness", "witness", "size"),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("size", Number, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)

APPEND_ONLY = ("entries", "nodes", "checkpoints", "cosignatures")
