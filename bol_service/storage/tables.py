"""The tables, as SQLAlchemy Core (docs/adr/0007).

The log: `entries`, `nodes`, `checkpoints` are append-only (triggers in the migration); `log` is the
one row that holds the head and only grows. `states`, `bills`, `bill_parties`, `bill_containers`,
`keys` and `claims` are caches of what the entries say and can be rebuilt. `documents` is keyed by
content; `document_uploaders` names all who have sent it. `notices` is the outbox. `access_tokens`
is short-lived. `cosignatures` is append-only and holds what witnesses signed under our checkpoints;
`witnessed` holds the last checkpoint of every log that we cosign for, and only grows; `disputes`,
append-only, those that were not shown to continue it. `webhooks` says where a party wants its
notices sent, and who is sending there now; `deliveries` is their queue and log. Where no notice is
looked at twice, it is because their numbers grow in the order of the commits: both happen under the
head's lock.

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
    Column("carrier", String(40), nullable=False),
    Column("country", String(2), nullable=False),
    Column("shipment", String(36), nullable=False),
    Column("shipper", String(40), nullable=False),
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

document_uploaders = Table(
    "document_uploaders",
    metadata,
    Column("digest", String(64), ForeignKey("documents.digest"), primary_key=True),
    Column("party", String(31), primary_key=True),
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

disputes = Table(
    "disputes",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("root", String(64), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("at", String(24), nullable=False),
    Column("kept", Text),
    Column("offered", Text, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("party", String(31), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("url", String(1000), nullable=False),
    Column("kinds", Text, nullable=False),
    Column("kid", String(43), nullable=False),
    Column("since", Number, nullable=False),
    Column("created", String(24), nullable=False),
    Column("paused", String(200)),
    Column("looked_up_to", Number, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("rests_until", String(24), nullable=False),
    Column("served", String(24), nullable=False),
    Column("lease", String(36)),
    Column("leased_until", String(24), nullable=False),
    UniqueConstraint("party", "slot", name="uq_webhooks_slot"),
    UniqueConstraint("party", "url", name="uq_webhooks_url"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("webhook", String(36), ForeignKey("webhooks.id"), primary_key=True),
    Column("notice", Number, ForeignKey("notices.number"), primary_key=True),
    Column("stage", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", String(24)),
    Column("tried", String(24)),
    Column("status", Integer),
    Column("fault", String(250)),
    Column("answer", Text),
    Index("ix_deliveries_due", "webhook", "due", "notice"),
    Index("ix_deliveries_tried", "tried"),
)

inbound_transfers = Table(
    "inbound_transfers",
    metadata,
    Column("reference", String(43), primary_key=True),
    Column("bill", String(64), nullable=False),
    Column("sender", String(4), nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("envelope", String(64), nullable=False),
    Column("opened", String(24), nullable=False),
    Column("answer", Text),
    Column("status", Integer),
    Index("ix_inbound_transfers_bill", "bill"),
    Index("ix_inbound_transfers_manifest", "manifest"),
)

inbound_documents = Table(
    "inbound_documents",
    metadata,
    Column("bill", String(64), primary_key=True),
    Column("checksum", String(64), primary_key=True),
)

outbound_transfers = Table(
    "outbound_transfers",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("bill", String(64), nullable=False),
    Column("platform", String(4), nullable=False),
    Column("since", Number, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", String(24)),
    Column("leased_until", String(24), nullable=False),
    Column("reference", String(100)),
    Column("fault", String(250)),
    Column("answer", Text),
    Index("ix_outbound_transfers_due", "due"),
    Index("ix_outbound_transfers_bill", "bill"),
)

flows = Table(
    "flows",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", String(24), nullable=False),
    Column("direction", String(3), nullable=False),
    Column("platform", String(4), nullable=False),
    Column("bill", String(64), nullable=False),
    Column("what", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", Number, nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("basis", String(100), nullable=False),
)

# -- the delivery abroad (docs/adr/0030); all of it can be asked for again -------------------------

peer_applications = Table(
    "peer_applications",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("platform", String(4), nullable=False),
    Column("name", String(31), nullable=False),
    Column("party", String(31), nullable=False),
    Column("kid", String(43), nullable=False),
    Column("application", Text, nullable=False),
    Column("at", String(24), nullable=False),
    UniqueConstraint("kid", name="uq_peer_applications_kid"),
    Index("ix_peer_applications_party", "party"),
    Index("ix_peer_applications_name", "platform", "name"),
)

evidence_followed = Table(
    "evidence_followed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", Number, nullable=False),
)

evidence_offers = Table(
    "evidence_offers",
    metadata,
    Column("platform", String(4), primary_key=True),
    Column("bill", String(64), primary_key=True),
    Column("reader", String(31), primary_key=True),
    Column("asked", Number, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", String(24)),
    Column("leased_until", String(24), nullable=False),
    Column("seen", String(64)),
    Column("fault", String(250)),
    Index("ix_evidence_offers_due", "due"),
)

parties_abroad = Table(
    "parties_abroad",
    metadata,
    Column("party", String(31), primary_key=True),
    Column("platform", String(4), primary_key=True),
    Column("name", String(31), primary_key=True),
    Column("at", String(24), nullable=False),
)

kept_evidence = Table(
    "kept_evidence",
    metadata,
    Column("platform", String(4), primary_key=True),
    Column("bill", String(64), primary_key=True),
    Column("reader", String(31), primary_key=True),
    Column("at", String(24), nullable=False),
    Column("size", Number, nullable=False),
    Column("cover", Text, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
    Column("received", String(24), nullable=False),
    Index("ix_kept_evidence_reader", "reader", "platform"),
)

kept_boxes = Table(
    "kept_boxes",
    metadata,
    Column("container", String(11), primary_key=True),
    Column("platform", String(4), primary_key=True),
    Column("bill", String(64), primary_key=True),
    Column("reader", String(31), primary_key=True),
)

kept_checkpoints = Table(
    "kept_checkpoints",
    metadata,
    Column("platform", String(4), primary_key=True),
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
)

registrations = Table(
    "registrations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("party", String(31), nullable=False),
    Column("kid", String(43), nullable=False),
    Column("asked", Text, nullable=False),
    Column("at", String(24), nullable=False),
    Column("refusal", Text),
    Index("ix_registrations_at", "at"),
)

APPEND_ONLY = (
    *("entries", "nodes", "checkpoints", "cosignatures", "flows"),
    *("peer_applications", "kept_checkpoints", "disputes"),
)
