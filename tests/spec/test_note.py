"""Signed notes, checkpoints and cosignatures, byte for byte as other implementations write them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bol_service.ledger import merkle
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.note import (
    KeyType,
    NoteError,
    NoteSignature,
    VerifierKey,
    cosignature_line,
    parse_note,
    parse_vkey,
    sign_note,
    to_base64,
    verify_note,
)
from tests.ledger_log import MemoryLog
from tests.small_orders import signed_with_neutral_r, small_points

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ledger.json").read_bytes())
SPEC, LOG = VECTORS["specNote"], VECTORS["log"]
CHECKPOINT = f"{LOG['origin']}\n{LOG['size']}\n{LOG['root']}\n"
SIGNED = f"{CHECKPOINT}\n{LOG['logSignature']}"
COSIGNED = SIGNED + LOG["witnessSignature"]
LOG_KEY, WITNESS_KEY = parse_vkey(LOG["vkey"]), parse_vkey(LOG["witnessVkey"])


def counting_key(first: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32)))


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


KEY = Ed25519PrivateKey.generate()


def note_of(text: str, name: str = "log.example") -> str:
    return sign_note(text, name, KEY.sign, raw(KEY))


def vkey_of(
    name: str = "log.example",
    kind: KeyType = KeyType.ED25519,
    key: Ed25519PrivateKey = KEY,
) -> VerifierKey:
    return VerifierKey(name=name, type=kind, public=raw(key))


def test_the_note_of_the_specification_verifies():
    key = parse_vkey(SPEC["vkey"])
    verified = verify_note(f"{SPEC['text']}\n{SPEC['signature']}", [key])
    assert verified.text == SPEC["text"]
    assert [by.key for by in verified.by] == [key]
    assert key.vkey == SPEC["vkey"]


def test_our_log_writes_the_recorded_note():
    log = MemoryLog([b"e%d" % number for number in range(LOG["size"])])
    checkpoint = Checkpoint(origin=LOG["origin"], size=LOG["size"], root=log.roots[-1])
    key, witness = counting_key(0), counting_key(32)
    note = sign_note(checkpoint.body(), LOG["origin"], key.sign, raw(key))
    assert note == SIGNED
    line = cosignature_line(
        checkpoint.body(), LOG["witness"], LOG["witnessTime"], witness.sign, raw(witness)
    )
    assert note + line == COSIGNED
    path = log.inclusion(LOG["index"], LOG["size"])
    assert [to_base64(value) for value in path] == LOG["path"]
    leaf = merkle.leaf_hash(b"e%d" % LOG["index"])
    merkle.verify_inclusion(leaf, LOG["index"], LOG["size"], path, checkpoint.root)


def test_a_cosigned_checkpoint_tells_who_signed_and_when():
    signed = open_checkpoint(COSIGNED, [LOG_KEY, WITNESS_KEY])
    assert signed.checkpoint == parse_checkpoint(CHECKPOINT)
    assert [(by.key, by.timestamp) for by in signed.by] == [
        (LOG_KEY, None),
        (WITNESS_KEY, LOG["witnessTime"]),
    ]


def test_signatures_of_unknown_keys_are_passed_over():
    stranger = NoteSignature(name="stranger.example", key_id=b"abcd", signature=b"x" * 2420)
    same_name = NoteSignature(name=LOG["origin"], key_id=b"abcd", signature=b"x" * 64)
    same_id = NoteSignature(name="x.example", key_id=LOG_KEY.key_id, signature=b"x" * 64)
    note = SIGNED + stranger.line() + same_name.line() + same_id.line() + LOG["witnessSignature"]
    assert [by.key for by in verify_note(note, [LOG_KEY]).by] == [LOG_KEY]


@pytest.mark.parametrize("size", [1, 2, 3], ids=["one byte", "two bytes", "three bytes"])
def test_a_signature_of_a_kind_yet_unknown_may_have_any_length(size):
    """Its base64 ends in one, no and two signs of padding."""
    unknown = NoteSignature(name="later.example", key_id=b"\1\2\3\4", signature=bytes(size))
    assert parse_note(SIGNED + unknown.line()).signatures[-1] == unknown
    assert verify_note(SIGNED + unknown.line(), [LOG_KEY]).by[0].key == LOG_KEY


def test_a_note_may_carry_a_hundred_signatures():
    stranger = NoteSignature(name="s.example", key_id=b"abcd", signature=b"x" * 64).line()
    assert len(parse_note(SIGNED + stranger * 99).signatures) == 100
    with pytest.raises(NoteError, match="at most 100 signatures, not 101"):
        parse_note(SIGNED + stranger * 100)


def test_the_last_empty_line_divides_text_from_signatures():
    text = "first\n\n— not.a.signature AAAA\n\nlast\n"
    assert verify_note(note_of(text), [vkey_of()]).text == text


@pytest.mark.parametrize(
    ("note", "keys", "reason"),
    [
        pytest.param(
            COSIGNED.replace("\n66\n", "\n67\n"), [LOG_KEY], "signature of ebl", id="another text"
        ),
        pytest.param(
            COSIGNED.replace("\n66\n", "\n67\n"), [WITNESS_KEY], "signature of wit", id="cosigned"
        ),
        pytest.param(SIGNED, [WITNESS_KEY], "no known key signed", id="signed by a stranger"),
        pytest.param(SIGNED, [], "no known key signed", id="no key known"),
        pytest.param(
            SIGNED, [vkey_of(LOG["origin"])], "no known key signed", id="a namesake's key"
        ),
        pytest.param(
            SIGNED
            + NoteSignature(name=LOG["origin"], key_id=LOG_KEY.key_id, signature=b"x").line(),
            [LOG_KEY],
            "is wrong",
            id="one good and one bad signature of the log",
        ),
        pytest.param(
            SIGNED
            + NoteSignature(
                name=LOG["witness"], key_id=WITNESS_KEY.key_id, signature=bytes(72)
            ).line(),
            [LOG_KEY, WITNESS_KEY],
            "signature of witness.example/w1",
            id="a bad cosignature of a known witness",
        ),
        pytest.param(
            SIGNED
            + NoteSignature(name=LOG["witness"], key_id=WITNESS_KEY.key_id, signature=b"x").line(),
            [LOG_KEY, WITNESS_KEY],
            "has no time",
            id="a cosignature too short for its time",
        ),
        pytest.param(
            SIGNED
            + NoteSignature(
                name=LOG["witness"], key_id=WITNESS_KEY.key_id, signature=bytes(7)
            ).line(),
            [LOG_KEY, WITNESS_KEY],
            "has no time",
            id="a cosignature a byte too short for its time",
        ),
        pytest.param(
            SIGNED
            + NoteSignature(
                name=LOG["witness"], key_id=WITNESS_KEY.key_id, signature=bytes(8)
            ).line(),
            [LOG_KEY, WITNESS_KEY],
            "is wrong",
            id="a cosignature of nothing but its time",
        ),
    ],
)
def test_a_note_that_its_known_keys_did_not_sign_is_refused(note, keys, reason):
    with pytest.raises(NoteError, match=reason):
        verify_note(note, keys)


def test_a_witness_time_cannot_be_moved():
    line = LOG["witnessSignature"].split(" ")[2]
    blob = bytearray(base64.b64decode(line))
    blob[11] ^= 1
    moved = SIGNED + f"— {LOG['witness']} {to_base64(bytes(blob))}\n"
    with pytest.raises(NoteError, match=r"signature of witness\.example/w1"):
        verify_note(moved, [WITNESS_KEY])


@pytest.mark.parametrize("kind", list(KeyType), ids=["by the log", "by a witness"])
def test_a_note_whose_signature_begins_with_a_point_of_small_order_is_refused(kind):
    """The owner of the key made it; one library would take it and another would not."""

    def sign(message: bytes) -> bytes:
        signature = signed_with_neutral_r(KEY, message)
        KEY.public_key().verify(signature, message)
        return signature

    if kind is KeyType.ED25519:
        note = sign_note("text\n", "log.example", sign, raw(KEY))
    else:
        note = "text\n\n" + cosignature_line("text\n", "log.example", 1, sign, raw(KEY))
    with pytest.raises(NoteError, match=r"signature of log\.example"):
        verify_note(note, [vkey_of(kind=kind)])


@pytest.mark.parametrize("point", small_points(), ids=bytes.hex)
def test_a_point_of_small_order_is_no_key_of_a_note(point):
    typed = bytes([KeyType.COSIGNATURE]) + point
    key_id = hashlib.sha256(b"w.example\n" + typed).hexdigest()[:8]
    with pytest.raises(NoteError, match=r"key of w\.example is a point of small order"):
        parse_vkey(f"w.example+{key_id}+{to_base64(typed)}")


def test_a_cosignature_is_no_plain_signature_of_the_same_key():
    text = Checkpoint(origin="log.example", size=0, root=merkle.EMPTY_ROOT).body()
    plain, witness = vkey_of(), vkey_of(kind=KeyType.COSIGNATURE)
    assert plain.key_id != witness.key_id
    line = cosignature_line(text, "log.example", 1, KEY.sign, raw(KEY))
    with pytest.raises(NoteError, match="no known key signed"):
        verify_note(f"{text}\n{line}", [plain])


def test_a_note_of_a_stranger_is_told_with_the_ids_of_both_keys():
    stranger = vkey_of(LOG["origin"])
    with pytest.raises(NoteError) as refused:
        verify_note(SIGNED, [stranger])
    told = str(refused.value)
    assert f"signed by {LOG['origin']}+{LOG_KEY.key_id.hex()}" in told
    assert f"known are {LOG['origin']}+{stranger.key_id.hex()}" in told


LINE = SPEC["signature"]

MALFORMED = [
    pytest.param("", "a text, an empty line", id="nothing"),
    pytest.param("text\n", "a text, an empty line", id="no signature block"),
    pytest.param(f"text\n{LINE}", "a text, an empty line", id="no empty line"),
    pytest.param(f"text\n\n{LINE[:-1]}", "ending in a newline", id="no last newline"),
    pytest.param("text\n\n", "ending in a newline", id="no signature line"),
    pytest.param("text\n\n\n", "ending in a newline", id="an empty signature line"),
    pytest.param(f"text\n\n{LINE}\n", "ending in a newline", id="an empty line after"),
    pytest.param(f"text\n\n{LINE}x\n", "not a signature line", id="a stray line after"),
    pytest.param(f"te\rxt\n\n{LINE}", "no control character", id="a carriage return"),
    pytest.param(f"te\0xt\n\n{LINE}", "no control character", id="a NUL"),
    pytest.param(f"te\txt\n\n{LINE}", "no control character", id="a tab"),
    pytest.param(f"te\ud800xt\n\n{LINE}", "lone surrogate", id="a lone surrogate"),
    pytest.param(f"text\n\n-{LINE[1:]}", "not a signature line", id="a hyphen for the dash"),
    pytest.param(f"text\n\n {LINE}", "not a signature line", id="a space before"),
    pytest.param("text\n\n— a b AAAAAAAA\n", "not a signature line", id="a space in the name"),
    pytest.param("text\n\n— a\u00a0b AAAAAAAA\n", "not a signature", id="a no-break space"),
    pytest.param("text\n\n— a+b AAAAAAAA\n", "not a signature line", id="a plus in the name"),
    pytest.param("text\n\n—  AAAAAAAA\n", "not a signature line", id="no name"),
    pytest.param("text\n\n— a AAAA_AAA\n", "not a signature line", id="the other alphabet"),
    pytest.param("text\n\n— a AAAAAAA\n", "not base64", id="missing padding"),
    pytest.param("text\n\n— a AAAAA===\n", "not a signature line", id="three equals signs"),
    pytest.param("text\n\n— a AAAAAAB=\n", "not the canonical base64", id="trailing bits"),
    pytest.param("text\n\n— a AAAAAA==\n", "4 bytes, fewer than 5", id="a key id alone"),
    pytest.param(f"{'x' * 1_000_000}\n\n{LINE}", "at most 1000000", id="a huge note"),
]


@pytest.mark.parametrize(("note", "reason"), MALFORMED)
def test_a_malformed_note_is_refused(note, reason):
    with pytest.raises(NoteError, match=reason):
        parse_note(note)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("text", "ends in a newline", id="no last newline"),
        pytest.param("", "ends in a newline", id="nothing"),
        pytest.param("a\tb\n", "no other control", id="a tab"),
        pytest.param("\ud800\n", "lone surrogate", id="a lone surrogate"),
    ],
)
def test_no_text_is_signed_that_no_note_can_hold(text, reason):
    with pytest.raises(NoteError, match=reason):
        note_of(text)
    with pytest.raises(NoteError, match=reason):
        cosignature_line(text, "w.example", 1, KEY.sign, raw(KEY))


@pytest.mark.parametrize("timestamp", [0, -1, 2**63], ids=["zero", "negative", "beyond 63 bits"])
def test_no_cosignature_has_an_impossible_time(timestamp):
    with pytest.raises(NoteError, match=f"not {timestamp}"):
        cosignature_line("text\n", "w.example", timestamp, KEY.sign, raw(KEY))


def test_the_largest_time_and_the_largest_note_are_taken():
    line = cosignature_line("text\n", "log.example", 2**63 - 1, KEY.sign, raw(KEY))
    by = verify_note(f"text\n\n{line}", [vkey_of(kind=KeyType.COSIGNATURE)]).by
    assert [one.timestamp for one in by] == [2**63 - 1]
    text = "x" * (1_000_000 - len(f"\n\n{line}")) + "\n"
    assert parse_note(f"{text}\n{line}").text == text


NAME, ID, TYPED = SPEC["vkey"].split("+", 2)


@pytest.mark.parametrize(
    ("vkey", "reason"),
    [
        pytest.param("", "name.id.key", id="nothing"),
        pytest.param(f"{NAME}+{ID}", "name.id.key", id="no key"),
        pytest.param(f"+{ID}+{TYPED}", "empty or has a space", id="no name"),
        pytest.param(f"a b+{ID}+{TYPED}", "empty or has a space", id="a space in the name"),
        pytest.param(f"a\ud800+{ID}+{TYPED}", "empty or has a space", id="a surrogate in the name"),
        pytest.param(f"{NAME}+00000000+{TYPED}", f"it is {ID}", id="another id"),
        pytest.param(f"{NAME}+{ID.upper()}+{TYPED}", f"it is {ID}", id="the id in capitals"),
        pytest.param(f"other+{ID}+{TYPED}", f"states the id {ID}", id="another name"),
        pytest.param(f"{NAME}+{ID}+{TYPED}=", "base64", id="padding"),
        pytest.param(f"{NAME}+{ID}+{TYPED}é", "base64", id="not ASCII"),
        pytest.param(f"{NAME}+{ID}+", "key type other", id="an empty key"),
        pytest.param(f"{NAME}+{ID}+{to_base64(bytes(33))}", "key type other", id="type 0"),
        pytest.param(
            f"{NAME}+{ID}+{to_base64(bytes([6]) + bytes(1312))}", "key type other", id="ML-DSA-44"
        ),
        pytest.param(f"{NAME}+{ID}+{to_base64(b'1')}", "key type other", id="type 0x31"),
        pytest.param(
            f"{NAME}+{ID}+{to_base64(bytes([1]) + bytes(31))}", "32 bytes, not 31", id="31 bytes"
        ),
    ],
)
def test_a_malformed_vkey_is_refused(vkey, reason):
    with pytest.raises(NoteError, match=reason):
        parse_vkey(vkey)


def test_a_vkey_is_read_as_it_is_written():
    for kind in KeyType:
        assert parse_vkey(vkey_of(kind=kind).vkey) == vkey_of(kind=kind)


EMPTY = to_base64(merkle.EMPTY_ROOT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"log.example\n0\n{EMPTY}\n", id="an empty log"),
        pytest.param(f"log.example/a\n{2**63 - 1}\n{EMPTY}\n", id="the largest log"),
        pytest.param(f"log.example\n7\n{EMPTY}\nextension\nanother one\n", id="extension lines"),
    ],
)
def test_a_checkpoint_is_read_as_it_is_written(body):
    assert parse_checkpoint(body).body() == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("", "an origin, a size and a root", id="nothing"),
        pytest.param("log.example\n1\n", "an origin, a size and a root", id="no root"),
        pytest.param(f"log.example\n1\n{EMPTY}", "ending in a newline", id="no last newline"),
        pytest.param(f"\n1\n{EMPTY}\n", "origin '' is empty", id="no origin"),
        pytest.param(f"a b\n1\n{EMPTY}\n", "origin 'a b'", id="a space in the origin"),
        pytest.param(f"a+b\n1\n{EMPTY}\n", "origin 'a.b'", id="a plus in the origin"),
        pytest.param(f"log.example\n01\n{EMPTY}\n", "plain decimal", id="a leading zero"),
        pytest.param(f"log.example\n-1\n{EMPTY}\n", "plain decimal", id="a negative size"),
        pytest.param(f"log.example\n+1\n{EMPTY}\n", "plain decimal", id="a plus sign"),
        pytest.param(f"log.example\n\n{EMPTY}\n", "plain decimal", id="no size"),
        pytest.param(f"log.example\n٣\n{EMPTY}\n", "plain decimal", id="other digits"),
        pytest.param(f"log.example\n{2**63}\n{EMPTY}\n", "size lies in", id="beyond 63 bits"),
        pytest.param(f"log.example\n{10**19}\n{EMPTY}\n", "plain decimal", id="twenty digits"),
        pytest.param(f"log.example\n{'9' * 5000}\n{EMPTY}\n", "plain decimal", id="5,000 digits"),
        pytest.param("log.example\n1\nAAAA\n", "32 bytes, not 3", id="a short root"),
        pytest.param(f"log.example\n1\n{EMPTY[:-1]}\n", "not base64", id="an unpadded root"),
        pytest.param(f"log.example\n1\n{EMPTY}\n\n", "extension line", id="an empty extension"),
    ],
)
def test_a_malformed_checkpoint_is_refused(body, reason):
    with pytest.raises(NoteError, match=reason):
        parse_checkpoint(body)


def test_no_checkpoint_smuggles_a_line_in_an_extension():
    with pytest.raises(NoteError, match="extension line"):
        Checkpoint(origin="log.example", size=0, root=merkle.EMPTY_ROOT, extensions=("a\nb",))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(vkey_of("other.example"), id="the key of another log"),
        pytest.param(vkey_of(kind=KeyType.COSIGNATURE), id="a witness named like the log"),
    ],
)
def test_a_checkpoint_counts_only_with_its_own_logs_signature(key):
    body = Checkpoint(origin="log.example", size=0, root=merkle.EMPTY_ROOT).body()
    if key.type is KeyType.ED25519:
        note = sign_note(body, key.name, KEY.sign, raw(KEY))
    else:
        note = f"{body}\n{cosignature_line(body, key.name, 1, KEY.sign, raw(KEY))}"
    verify_note(note, [key])
    with pytest.raises(NoteError, match="lacks that log's own signature"):
        open_checkpoint(note, [key])
