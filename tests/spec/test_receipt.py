"""A receipt proves, to whoever holds the log's key, that the log recorded the act."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bol_service.crypto import jws
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger import entry as ledger_entry
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.entry import Entry, leaf, public_entry, split_public_entry, stream_tag
from bol_service.ledger.merkle import ProofError, leaf_hash
from bol_service.ledger.note import KeyType, NoteError, VerifierKey, sign_note
from bol_service.ledger.receipt import Receipt
from tests.ledger_log import MemoryLog

ORIGIN = "demo.example/ebl"
STREAM = "bill:" + "5" * 64
RECORDED_AT = "2027-03-05T08:00:00.123Z"
LOG_KEY = Ed25519PrivateKey.generate()
VKEY = VerifierKey(
    name=ORIGIN, type=KeyType.ED25519, public=LOG_KEY.public_key().public_bytes_raw()
)
EVENT = jws.sign(b'{"action":"SIGN"}', "ebl-event+jws", LocalSigner(generate(Algorithm.ED25519)))
ENTRY = Entry(event=EVENT, recorded_at=RECORDED_AT)


def checkpoint_of(log: MemoryLog, origin: str = ORIGIN) -> str:
    body = Checkpoint(origin=origin, size=log.frontier.size, root=log.frontier.root()).body()
    return sign_note(body, origin, LOG_KEY.sign, LOG_KEY.public_key().public_bytes_raw())


def log_with(leaf_: bytes) -> MemoryLog:
    log = MemoryLog([b"before %d" % number for number in range(4)])
    log.append(leaf_)
    for number in range(3):
        log.append(leaf_hash(b"after %d" % number))
    return log


LOG = log_with(leaf(STREAM, 3, ENTRY))
RECEIPT = Receipt(
    entry=ENTRY,
    index=4,
    stream=STREAM,
    sequence=3,
    inclusion_path=tuple(LOG.inclusion(4, 8)),
    checkpoint=checkpoint_of(LOG),
)
VALUE = RECEIPT.to_value()


def test_entry_bytes_are_canonical_json():
    assert ENTRY.bytes() == rfc8785.dumps({"recordedAt": RECORDED_AT, "event": EVENT})
    assert ENTRY.bytes() == f'{{"event":"{EVENT}","recordedAt":"{RECORDED_AT}"}}'.encode()
    assert ENTRY.digest == hashlib.sha256(ENTRY.bytes()).digest()
    assert ENTRY.event_digest == hashlib.sha256(EVENT.encode()).hexdigest()
    assert Entry.from_bytes(ENTRY.bytes()) == ENTRY


def test_a_public_entry_has_72_bytes_that_name_nobody():
    tag = hashlib.sha256(b"ebl-stream/v1\x00" + STREAM.encode()).digest()
    public = public_entry(stream_tag(STREAM), 3, ENTRY.digest)
    assert public == tag + b"\0\0\0\0\0\0\0\3" + ENTRY.digest
    assert len(public) == ledger_entry.PUBLIC_ENTRY_SIZE == 72
    assert leaf(STREAM, 3, ENTRY) == hashlib.sha256(b"\0" + public).digest()


def test_a_stream_tag_is_frozen():
    # Written out, so that no later change of the format passes unseen.
    tag = "7b8ca8ab090a79f88e440217fe96be1204b4f474445ec20f4765c2c5fc168abb"
    assert stream_tag("party:operator").hex() == tag


@pytest.mark.parametrize(
    ("event", "recorded_at", "reason"),
    [
        pytest.param("a.b", RECORDED_AT, "compact JWS, not 'a.b'", id="two parts"),
        pytest.param("a..c", RECORDED_AT, "compact JWS", id="a detached payload"),
        pytest.param("a.b.c\n", RECORDED_AT, "compact JWS", id="a line feed after"),
        pytest.param('a.b.c"', RECORDED_AT, "compact JWS", id="a quotation mark"),
        pytest.param("a.b.c.d", RECORDED_AT, "compact JWS", id="four parts"),
        pytest.param(".b.c", RECORDED_AT, "compact JWS", id="no header"),
        pytest.param("a.b.", RECORDED_AT, "compact JWS", id="no signature"),
        pytest.param("a.b+.c", RECORDED_AT, "compact JWS", id="a sign of plain base64"),
        pytest.param("a.b?.c", RECORDED_AT, "compact JWS", id="a question mark"),
        pytest.param("a.b.ｃ", RECORDED_AT, "compact JWS", id="a wide letter"),
        pytest.param("a.b.c", "2027-03-05T08:00:00Z", "recordedAt", id="no milliseconds"),
        pytest.param("a.b.c", "2027-03-05T08:00:00.123+08:00", "recordedAt", id="another zone"),
        pytest.param("a.b.c", "2027-03-05 08:00:00.123Z", "recordedAt", id="a space for the T"),
        pytest.param("a.b.c", RECORDED_AT + "\n", "recordedAt", id="a line feed after the time"),
        pytest.param("a.b.c", "２027-03-05T08:00:00.123Z", "recordedAt", id="a wide digit"),
        pytest.param("a.b.c", "2027-02-30T08:00:00.123Z", "day", id="30 February"),
        pytest.param("a.b.c", "2027-03-05T24:00:00.123Z", "hour", id="hour 24"),
    ],
)
def test_a_malformed_entry_is_refused(event, recorded_at, reason):
    with pytest.raises(ValueError, match=reason):
        Entry(event=event, recorded_at=recorded_at)


@pytest.mark.parametrize("event", [7, None, b"a.b.c"])
def test_what_is_no_text_is_no_entry(event):
    """SQLite keeps in a column what a stranger writes there."""
    with pytest.raises(TypeError):
        Entry(event=event, recorded_at=RECORDED_AT)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="endless nesting"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"{}", id="no members"),
        pytest.param(ENTRY.bytes() + b"\n", id="a line feed after"),
        pytest.param(ENTRY.bytes().replace(b",", b", "), id="a space inside"),
        pytest.param(ENTRY.bytes().replace(b'{"event"', b'{"event":"x","event"'), id="twice"),
        pytest.param(ENTRY.bytes()[:-1] + b',"z":"1"}', id="another member"),
        pytest.param(b'{"event":1,"recordedAt":2}', id="numbers"),
        pytest.param(b'{"event":"a.b.c","recordedAt":2}', id="one number"),
        pytest.param(ENTRY.bytes().decode().encode("utf-16"), id="UTF-16"),
    ],
)
def test_entry_bytes_have_one_spelling(data):
    with pytest.raises(ValueError):
        Entry.from_bytes(data)


@pytest.mark.parametrize(
    ("tag", "sequence", "digest"),
    [
        pytest.param(bytes(31), 0, bytes(32), id="a short tag"),
        pytest.param(bytes(32), 0, bytes(33), id="a long digest"),
        pytest.param(bytes(32), -1, bytes(32), id="a negative sequence"),
        pytest.param(bytes(32), 2**63, bytes(32), id="a sequence beyond 63 bits"),
    ],
)
def test_a_public_entry_of_another_shape_is_refused(tag, sequence, digest):
    with pytest.raises(ValueError, match="not"):
        public_entry(tag, sequence, digest)


@pytest.mark.parametrize("sequence", [0, 1, 2**63 - 1], ids=["first", "second", "largest"])
def test_a_public_entry_is_split_as_it_was_put_together(sequence):
    parts = stream_tag(STREAM), sequence, ENTRY.digest
    assert split_public_entry(public_entry(*parts)) == parts


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "72 bytes, not 0", id="nothing"),
        pytest.param(bytes(71), "72 bytes, not 71", id="a byte too few"),
        pytest.param(bytes(73), "72 bytes, not 73", id="a byte too many"),
        pytest.param(
            bytes(32) + b"\x80" + bytes(39), "not 9223372036854775808", id="beyond 2^63-1"
        ),
    ],
)
def test_what_is_no_public_entry_is_not_split(data, reason):
    with pytest.raises(ValueError, match=reason):
        split_public_entry(data)


def test_the_largest_numbers_are_taken():
    largest = 2**63 - 1
    assert public_entry(bytes(32), largest, bytes(32))[32:40] == largest.to_bytes(8)
    limits = {"index": largest, "sequence": largest, "inclusionProof": ["A" * 43 + "="] * 63}
    receipt = Receipt.from_value({**VALUE, **limits})
    assert (receipt.index, receipt.sequence, len(receipt.inclusion_path)) == (largest, largest, 63)


def test_a_receipt_verifies_and_names_its_checkpoint():
    signed = receipts.verify(RECEIPT, [VKEY])
    assert signed.checkpoint == Checkpoint(origin=ORIGIN, size=8, root=LOG.frontier.root())
    assert [by.key for by in signed.by] == [VKEY]


def test_a_receipt_survives_its_json():
    again = Receipt.from_value(json.loads(json.dumps(VALUE)))
    assert again == RECEIPT
    assert VALUE["head"] == hashlib.sha256(EVENT.encode()).hexdigest()
    assert list(VALUE) == [
        "v",
        "event",
        "recordedAt",
        "index",
        "stream",
        "sequence",
        "head",
        "inclusionProof",
        "checkpoint",
    ]


def test_the_first_entry_of_a_log_has_a_receipt_without_path():
    log = MemoryLog()
    log.append(leaf("party:operator", 0, ENTRY))
    receipt = Receipt(
        entry=ENTRY,
        index=0,
        stream="party:operator",
        sequence=0,
        inclusion_path=(),
        checkpoint=checkpoint_of(log),
    )
    receipts.verify(Receipt.from_value(receipt.to_value()), [VKEY])


OTHER_EVENT = EVENT[:-4] + "AAAA"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"entry": Entry(event=OTHER_EVENT, recorded_at=RECORDED_AT)}, id="event"),
        pytest.param(
            {"entry": Entry(event=EVENT, recorded_at="2027-03-05T08:00:00.124Z")}, id="time"
        ),
        pytest.param({"index": 5}, id="index"),
        pytest.param({"index": 8}, id="index beyond the tree"),
        pytest.param({"stream": "bill:" + "6" * 64}, id="stream"),
        pytest.param({"sequence": 4}, id="sequence"),
        pytest.param({"inclusion_path": RECEIPT.inclusion_path[:-1]}, id="a shorter path"),
        pytest.param({"inclusion_path": RECEIPT.inclusion_path[::-1]}, id="a reversed path"),
        pytest.param({"checkpoint": checkpoint_of(log_with(bytes(32)))}, id="another tree"),
    ],
)
def test_a_receipt_proves_nothing_else(changes):
    with pytest.raises(ProofError):
        receipts.verify(replace(RECEIPT, **changes), [VKEY])


def test_a_receipt_needs_the_signature_of_its_own_log():
    with pytest.raises(NoteError, match="no known key signed"):
        receipts.verify(RECEIPT, [])
    foreign = replace(RECEIPT, checkpoint=checkpoint_of(LOG, "demo.other/ebl"))
    with pytest.raises(NoteError, match="no known key signed"):
        receipts.verify(foreign, [VKEY])


def without(name: str) -> dict[str, object]:
    return {member: value for member, value in VALUE.items() if member != name}


REFUSED_VALUES = [
    pytest.param([], "JSON object, not list", id="a list"),
    *(pytest.param(without(name), "has exactly", id=f"without {name}") for name in VALUE),
    pytest.param({**VALUE, "extra": 1}, "has exactly", id="an unknown member"),
    pytest.param({**VALUE, "v": 2}, "version 2 is not known", id="another version"),
    pytest.param({**VALUE, "v": True}, "version True", id="version true"),
    pytest.param({**VALUE, "v": 1.0}, r"version 1\.0", id="version 1.0"),
    pytest.param({**VALUE, "event": 1}, "event is a non-empty text", id="event a number"),
    pytest.param({**VALUE, "event": "a.b"}, "compact JWS", id="event no JWS"),
    pytest.param({**VALUE, "recordedAt": "now"}, "recordedAt", id="time in words"),
    pytest.param({**VALUE, "index": -1}, "index is a whole number", id="a negative index"),
    pytest.param({**VALUE, "index": 4.0}, "index is a whole number", id="an index with fraction"),
    pytest.param({**VALUE, "index": True}, "index is a whole number", id="an index of true"),
    pytest.param({**VALUE, "sequence": "3"}, "sequence is a whole", id="a sequence in quotes"),
    pytest.param({**VALUE, "sequence": 2**63}, "sequence is a whole", id="a sequence too large"),
    pytest.param({**VALUE, "stream": ""}, "stream is a non-empty text", id="no stream"),
    pytest.param({**VALUE, "stream": None}, "stream is a non-empty text", id="stream null"),
    pytest.param({**VALUE, "stream": "\ud800"}, "lone surrogate", id="a surrogate in the stream"),
    pytest.param({**VALUE, "head": "0" * 64}, "head is '0+', but", id="another head"),
    pytest.param({**VALUE, "head": RECEIPT.head.upper()}, "but the event's", id="head in capitals"),
    pytest.param({**VALUE, "inclusionProof": "AAAA"}, "a list of at most 63", id="no list"),
    pytest.param({**VALUE, "inclusionProof": ["A" * 43 + "="] * 64}, "at most 63", id="64 hashes"),
    pytest.param({**VALUE, "inclusionProof": [1]}, "1 where base64", id="a number for a hash"),
    pytest.param({**VALUE, "inclusionProof": ["AAAA"]}, "3 bytes, not 32", id="a short hash"),
    pytest.param({**VALUE, "inclusionProof": ["A" * 43]}, "not base64", id="an unpadded hash"),
    pytest.param(
        {**VALUE, "inclusionProof": ["A" * 42 + "B="]}, "canonical base64", id="trailing bits"
    ),
    pytest.param({**VALUE, "checkpoint": {}}, "checkpoint is a non-empty", id="no checkpoint note"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED_VALUES)
def test_a_value_that_is_not_exactly_a_receipt_is_refused(value, reason):
    with pytest.raises(ValueError, match=reason):
        Receipt.from_value(value)
