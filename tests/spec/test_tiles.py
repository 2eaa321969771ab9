"""Tiles, policies, witness requests and proof files: their paths and bytes (C2SP)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bol_service.ledger import proof_file, tiles
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import ProofError, leaf_hash
from bol_service.ledger.note import (
    KeyType,
    NoteError,
    VerifierKey,
    cosignature_line,
    parse_vkey,
    sign_note,
)
from bol_service.ledger.policy import PolicyError, parse_policy
from bol_service.ledger.tiles import Tile, TileError, parse_tile
from bol_service.ledger.witnessing import (
    MAX_REQUEST_BYTES,
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    RequestError,
    cosignature_in,
    line_of,
    origin_hash,
    read_size,
)
from tests.ledger_log import MemoryLog, mth

# -- paths ---------------------------------------------------------------------------------------

PATHS = [
    pytest.param("tile/0/000", Tile(level=0, number=0), id="the first tile"),
    pytest.param("tile/0/000.p/1", Tile(level=0, number=0, width=1), id="the narrowest tile"),
    pytest.param(
        "tile/0/x036/x028/x797/x018/x963/967",
        Tile(level=0, number=36_028_797_018_963_967),
        id="the last tile of the largest log",
    ),
    pytest.param("tile/1/000.p/17", Tile(level=1, number=0, width=17), id="a partial tile"),
    pytest.param("tile/63/999", Tile(level=63, number=999), id="the highest level"),
    pytest.param("tile/0/x001/000", Tile(level=0, number=1000), id="two groups of digits"),
    pytest.param(
        "tile/0/x001/x234/067", Tile(level=0, number=1234067), id="the specification's example"
    ),
    pytest.param(
        "tile/entries/x001/x234/067.p/255",
        Tile(level=None, number=1234067, width=255),
        id="a partial bundle of entries",
    ),
]


@pytest.mark.parametrize(("path", "tile"), PATHS)
def test_a_path_names_one_tile_and_back(path: str, tile: Tile) -> None:
    assert parse_tile(path) == tile
    assert tile.path == path


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("tile/0/0", id="a group of one digit"),
        pytest.param("tile/0/0001", id="a group of four digits"),
        pytest.param("tile/0/1234/067", id="a group without x"),
        pytest.param("tile/0/x001/x067", id="x before the last group"),
        pytest.param("tile/0/x000/067", id="a leading group of zeros"),
        pytest.param("tile/00/000", id="a level with a leading zero"),
        pytest.param("tile/64/000", id="a level beyond 63"),
        pytest.param("tile/-1/000", id="a negative level"),
        pytest.param("tile/data/000", id="an unknown kind"),
        pytest.param("tile/0/000.p/0", id="an empty tile"),
        pytest.param("tile/0/000.p/256", id="a full tile called partial"),
        pytest.param("tile/0/000.p/01", id="a width with a leading zero"),
        pytest.param("tile/0/000.p/", id="a width that is missing"),
        pytest.param("tile/0/000/", id="a slash at the end"),
        pytest.param("tile/0/000\n", id="a newline at the end"),
        pytest.param("tile/0/٠٠٠", id="digits of another script"),
        pytest.param("/tile/0/000", id="a slash at the beginning"),
        pytest.param("tile/0/x999/x999/x999/x999/x999/x999/999", id="more than any log holds"),
    ],
)
def test_any_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(TileError):
        parse_tile(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("tile/0/x001/x000/x000/x000/x000/x000/000", id="more digits than any log has"),
        pytest.param("tile/0/000.p/1000", id="a width of four digits"),
    ],
)
def test_a_path_that_is_too_long_is_not_read_at_all(path: str) -> None:
    with pytest.raises(TileError, match="is not tile/<L>/<N>"):
        parse_tile(path)


@pytest.mark.parametrize(
    ("level", "number", "width"),
    [
        pytest.param(0, 0, 0, id="no width"),
        pytest.param(0, 0, 257, id="too wide"),
        pytest.param(-1, 0, 1, id="below the leaves"),
        pytest.param(64, 0, 1, id="too high"),
        pytest.param(0, -1, 1, id="before the first"),
        pytest.param(0, 36_028_797_018_963_968, 1, id="after the largest log"),
    ],
)
def test_an_impossible_tile_is_refused(level: int, number: int, width: int) -> None:
    with pytest.raises(TileError):
        Tile(level=level, number=number, width=width)


# -- which tiles there are -----------------------------------------------------------------------


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    last = [(tile.level, tile.number, tile.width) for tile in tiles.tiles_of(70_000)]

    assert last == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(0, [], id="nothing in an empty tree"),
        pytest.param(1, [(0, 0, 1)], id="one leaf"),
        pytest.param(255, [(0, 0, 255)], id="one short of full"),
        pytest.param(256, [(0, 0, 256), (1, 0, 1)], id="one full tile, one hash above"),
        pytest.param(257, [(0, 1, 1), (1, 0, 1)], id="one more"),
        pytest.param(65_536, [(0, 255, 256), (1, 0, 256), (2, 0, 1)], id="two levels full"),
    ],
)
def test_the_last_tiles_of_a_tree(size: int, expected: list[tuple[int, int, int]]) -> None:
    found = tiles.tiles_of(size)

    assert [(tile.level, tile.number, tile.width) for tile in found] == expected
    assert all(tile.is_in(size) and not tile.is_in(size - 1) for tile in found[:1])


def test_only_full_tiles_are_hashed_upward() -> None:
    assert Tile(level=1, number=0, width=1).is_in(256)
    assert not Tile(level=1, number=0, width=1).is_in(255)


def test_entries_stand_at_the_level_of_the_leaves() -> None:
    assert Tile(level=None, number=3).merkle_level == 0
    assert Tile(level=2, number=3).merkle_level == 16


def test_a_tile_holds_the_subtree_hashes_of_the_specification() -> None:
    """Tile n of level l holds MTH(D[(n*256+i) * 256^l : (n*256+i+1) * 256^l])."""
    entries = [f"e{number}".encode() for number in range(600)]
    log = MemoryLog(entries)
    for tile in (Tile(level=0, number=2, width=88), Tile(level=1, number=0, width=2)):
        nodes = [log.get(tile.merkle_level, tile.first + at) for at in range(tile.width)]
        step = 256 ** (tile.level or 0)
        printed = [
            mth(entries[(tile.first + at) * step : (tile.first + at + 1) * step])
            for at in range(tile.width)
        ]

        assert tiles.read_hashes(tiles.write_hashes(nodes), tile) == printed


@pytest.mark.parametrize(
    ("first", "size", "paths"),
    [
        pytest.param(0, 0, [], id="none for nothing"),
        pytest.param(0, 3, ["tile/entries/000.p/3"], id="a partial one"),
        pytest.param(0, 256, ["tile/entries/000"], id="a full one"),
        pytest.param(256, 256, [], id="none when nothing is new"),
        pytest.param(
            200, 600, ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"], id="three"
        ),
        pytest.param(300, 310, ["tile/entries/001.p/54"], id="the one that holds both ends"),
    ],
)
def test_the_bundles_that_hold_new_entries(first: int, size: int, paths: list[str]) -> None:
    assert [tile.path for tile in tiles.bundles(first, size)] == paths


# -- content -------------------------------------------------------------------------------------


def test_a_bundle_is_each_entry_after_its_length() -> None:
    content = tiles.write_entries([b"ab", b"", b"c" * 300])

    assert content == b"\x00\x02ab" + b"\x00\x00" + b"\x01\x2c" + b"c" * 300
    assert tiles.read_entries(content, Tile(level=None, number=0, width=3)) == [
        b"ab",
        b"",
        b"c" * 300,
    ]


@pytest.mark.parametrize(
    ("content", "width"),
    [
        pytest.param(b"\x00\x02a", 1, id="the entry is cut"),
        pytest.param(b"\x00\x01a\x00", 1, id="a byte is left"),
        pytest.param(b"\x00\x01a\x00", 2, id="a length is cut"),
        pytest.param(b"\x00\x01a", 2, id="one entry too few"),
        pytest.param(b"\x00\x01a\x00\x01b", 1, id="one entry too many"),
        pytest.param(b"", 1, id="nothing"),
    ],
)
def test_a_bundle_of_another_width_is_refused(content: bytes, width: int) -> None:
    with pytest.raises(TileError):
        tiles.read_entries(content, Tile(level=None, number=0, width=width))


def test_an_entry_beyond_16_bits_of_length_is_refused() -> None:
    assert len(tiles.write_entries([b"a" * 65_535])) == 65_537
    with pytest.raises(TileError):
        tiles.write_entries([b"a" * 65_536])


@pytest.mark.parametrize("excess", [-1, 1])
def test_a_tile_of_another_length_is_refused(excess: int) -> None:
    with pytest.raises(TileError):
        tiles.read_hashes(b"\x00" * (64 + excess), Tile(level=0, number=0, width=2))


# -- policy --------------------------------------------------------------------------------------


def key(number: int, kind: KeyType = KeyType.COSIGNATURE, name: str = "") -> VerifierKey:
    return VerifierKey(
        name=name or f"w{number}.example",
        type=kind,
        public=Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        .public_key()
        .public_bytes_raw(),
    )


KEYS = {f"X{number}": key(number) for number in (1, 2, 3)} | {
    f"Y{number}": key(number + 3) for number in (1, 2, 3)
}
LOG = key(9, KeyType.ED25519, "log.example/1")
WITNESS_LINES = "\n".join(
    f"witness {name} {found.vkey} https://{name.lower()}.example" for name, found in KEYS.items()
)
TWO_LEVELS = f"""
# two organisations
log {LOG.vkey}\thttps://log.example/
{WITNESS_LINES}
group X-witnesses 2 X1 X2 X3
  group\tY-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("signers", "enough"),
    [
        pytest.param(["X1", "X3", "Y2"], True, id="two of X and one of Y"),
        pytest.param(["X1", "X2", "X3"], False, id="all of X and none of Y"),
        pytest.param(["X1", "Y1", "Y2", "Y3"], False, id="one of X and all of Y"),
        pytest.param([], False, id="nobody"),
    ],
)
def test_a_quorum_of_two_levels(signers: list[str], enough: bool) -> None:
    policy = parse_policy(TWO_LEVELS)
    ids = {witness.id for witness in policy.witnesses if witness.name in signers}

    assert policy.is_met_by(ids) is enough


def test_a_policy_names_logs_and_addresses() -> None:
    policy = parse_policy(TWO_LEVELS)

    assert [(known.key, known.url) for known in policy.logs] == [(LOG, "https://log.example/")]
    assert [witness.url for witness in policy.witnesses][:2] == [
        "https://x1.example",
        "https://x2.example",
    ]


@pytest.mark.parametrize("least", ["any", "all", "1"])
def test_a_group_may_have_one_member(least: str) -> None:
    policy = parse_policy(f"witness a {key(1).vkey}\ngroup g {least} a\nquorum g\n")

    assert [policy.is_met_by(who) for who in ({policy.witnesses[0].id}, set())] == [True, False]


def test_a_fault_is_told_with_its_line() -> None:
    with pytest.raises(PolicyError, match=r"^line 2: 'logs' is none of log, witness"):
        parse_policy("quorum none\nlogs\n")


def test_without_a_quorum_nobody_is_needed() -> None:
    assert parse_policy("quorum none\n").is_met_by(set())


def test_a_stranger_with_a_witness_name_does_not_count() -> None:
    policy = parse_policy(f"witness a {key(1).vkey}\nquorum a\n")

    assert not policy.is_met_by({key(2, name="w1.example").vkey.rpartition("+")[0]})
    assert policy.is_met_by({key(1).vkey.rpartition("+")[0]})


W1, W2 = (f"witness {name} {key(number).vkey}" for number, name in ((1, "a"), (2, "b")))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([W1], id="no quorum line"),
        pytest.param([W1, "quorum a", "quorum a"], id="two quorum lines"),
        pytest.param([W1, "quorum b"], id="a quorum of nobody"),
        pytest.param(["quorum a", W1], id="a quorum before its witness"),
        pytest.param([W1, "quorum a b"], id="a quorum of two names"),
        pytest.param([W1, W2.replace(" b ", " a "), "quorum a"], id="a name twice"),
        pytest.param([W1, W1.replace(" a ", " c "), "quorum a"], id="a witness key twice"),
        pytest.param([f"log {LOG.vkey}", f"log {LOG.vkey}", "quorum none"], id="a log key twice"),
        pytest.param(["witness none " + key(1).vkey, "quorum none"], id="a witness named none"),
        pytest.param([W1, "group g any none", "quorum g"], id="none as a member"),
        pytest.param([W1, "group g any a c", "quorum g"], id="a member that is not defined"),
        pytest.param([W1, "group g any a a", "quorum g"], id="a member twice"),
        pytest.param([W1, "group g any a", "group h any a", "quorum g"], id="a member of two"),
        pytest.param([W1, "group g any", "quorum g"], id="a group of nobody"),
        pytest.param([W1, "group g 2 a", "quorum g"], id="more than there are"),
        pytest.param([W1, "group g 0 a", "quorum g"], id="none of them"),
        pytest.param([W1, "group g 01 a", "quorum g"], id="a number with a leading zero"),
        pytest.param([W1, "group g most a", "quorum g"], id="an unknown threshold"),
        pytest.param([f"log {key(1).vkey}", "quorum none"], id="a log with a witness's key"),
        pytest.param([f"witness a {LOG.vkey}", "quorum a"], id="a witness with a log's key"),
        pytest.param(["witness a", "quorum none"], id="a witness without a key"),
        pytest.param([W1 + " http://a b", "quorum a"], id="too many items"),
        pytest.param(["log x+00000000+AAAA", "quorum none"], id="a key that is none"),
        pytest.param(["logs", "quorum none"], id="an unknown line"),
        pytest.param(["quorum none\r"], id="a carriage return"),
        pytest.param(["# a bell \x07", "quorum none"], id="a control character in a comment"),
    ],
)
def test_an_impossible_policy_is_refused(lines: list[str]) -> None:
    with pytest.raises(PolicyError):
        parse_policy("\n".join(lines) + "\n")


# -- add-checkpoint ------------------------------------------------------------------------------

NOTE = "log.example/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAA=\n"
HASH = b"\x07" * 32


def test_a_request_is_written_as_the_specification_prints_it() -> None:
    request = AddCheckpoint(old=20852014, proof=(HASH,), note=NOTE)
    line = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

    assert request.to_bytes().decode() == f"old 20852014\n{line}\n\n{NOTE}"
    assert AddCheckpoint.from_bytes(request.to_bytes()) == request


def test_a_request_may_have_63_hashes_and_any_size() -> None:
    for old in (0, 7, 10**18):
        request = AddCheckpoint(old=old, proof=(HASH,) * 63, note=NOTE)
        assert AddCheckpoint.from_bytes(request.to_bytes()) == request


def test_what_both_sides_rely_on() -> None:
    assert (SIZE_MEDIA_TYPE, MAX_REQUEST_BYTES) == ("text/x.tlog.size", 65_536)


def test_a_first_request_has_no_proof() -> None:
    request = AddCheckpoint(old=0, proof=(), note=NOTE)

    assert request.to_bytes().decode() == f"old 0\n\n{NOTE}"
    assert AddCheckpoint.from_bytes(request.to_bytes()) == request


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"old 1\n", id="no empty line"),
        pytest.param(b"old 1", id="a size alone"),
        pytest.param(b"old 1" + b"0" * 19 + b"\n\n" + NOTE.encode(), id="a size of 20 digits"),
        pytest.param(b"old 01\n\n" + NOTE.encode(), id="a size with a leading zero"),
        pytest.param(b"old -1\n\n" + NOTE.encode(), id="a negative size"),
        pytest.param(b"new 1\n\n" + NOTE.encode(), id="another word"),
        pytest.param(b"old 1\nAAAA\n\n" + NOTE.encode(), id="a short hash"),
        pytest.param(b"old 1\n!\n\n" + NOTE.encode(), id="a hash that is no base64"),
        pytest.param(b"old 1\n\n\xff", id="no UTF-8"),
        pytest.param(AddCheckpoint(old=1, proof=(HASH,) * 64, note=NOTE).to_bytes(), id="64 lines"),
    ],
)
def test_a_malformed_request_is_refused(content: bytes) -> None:
    with pytest.raises(RequestError):
        AddCheckpoint.from_bytes(content)


@pytest.mark.parametrize("size", [0, 7, 10, 10**18])
def test_a_size_is_a_number_and_a_newline(size: int) -> None:
    assert read_size(f"{size}\n".encode()) == size


@pytest.mark.parametrize(
    "content", [b"7", b"07\n", b"7\n\n", b"-7\n", b"\xff\n", b"1" * 20 + b"\n"]
)
def test_a_malformed_size_is_refused(content: bytes) -> None:
    with pytest.raises(RequestError):
        read_size(content)


def test_a_log_is_named_by_the_hash_of_its_origin() -> None:
    assert origin_hash("demo.a/b") == hashlib.sha256(b"demo.a/b").hexdigest()


def test_a_line_of_somebody_who_has_not_signed_is_not_found() -> None:
    with pytest.raises(NoteError, match="has not signed"):
        line_of(NOTE, key(1))


def cosigned(number: int, body: str) -> str:
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return cosignature_line(body, f"w{number}.example", 7, private.sign, key(number).public)


def test_only_the_line_of_the_known_witness_is_taken_from_an_answer() -> None:
    body = NOTE.partition("\n\n")[0] + "\n"
    own, other = cosigned(1, body), cosigned(2, body)

    assert cosignature_in(NOTE, (other + own).encode(), key(1)) == own


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(cosigned(2, "log.example/1\n0\nx\n").encode(), id="a stranger's line"),
        pytest.param(cosigned(1, "log.example/1\n1\nx\n").encode(), id="a line for another tree"),
        pytest.param(b"ok\n", id="no signature line"),
        pytest.param(b"\xff", id="no UTF-8"),
    ],
)
def test_an_answer_without_a_valid_cosignature_is_refused(answer: bytes) -> None:
    with pytest.raises(NoteError):
        cosignature_in(NOTE, answer, key(1))


def test_an_answer_cannot_replace_the_checkpoint_by_another_note() -> None:
    other = "log.example/1\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    longer = f"{NOTE}\n{cosigned(1, NOTE)}"
    with pytest.raises(NoteError):
        cosignature_in(NOTE, longer.removeprefix(NOTE).encode(), key(1))
    with pytest.raises(NoteError):
        cosignature_in(NOTE, f"\n{other}\n{cosigned(1, other)}".encode(), key(1))


# -- tlog-proof ----------------------------------------------------------------------------------

ENTRIES = [f"e{number}".encode() for number in range(66)]
PROOF_LOG = "ebl.example/ledger+1868b65f+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
PROOF_WITNESS = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
PROOF_TIMESTAMP = 0x695247C0
PROOF_DIGEST = "815f2e65c13a78cc92e36dafebe0ba5fb8f270cab1e99ea8d3880f794e53adff"


def proof_of(index: int, entries: Sequence[bytes]) -> str:
    """A proof made with the keys of the published vector: seeds 00..1f and 20..3f."""
    log = MemoryLog(entries)
    signer, witness = (
        Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32))) for first in (0, 32)
    )
    body = Checkpoint(origin="ebl.example/ledger", size=len(entries), root=log.roots[-1]).body()
    note = sign_note(
        body, "ebl.example/ledger", signer.sign, signer.public_key().public_bytes_raw()
    )
    public = witness.public_key().public_bytes_raw()
    note += cosignature_line(body, "witness.example/w1", PROOF_TIMESTAMP, witness.sign, public)
    path = tuple(log.inclusion(index, len(entries)))
    return proof_file.ProofFile(index=index, path=path, checkpoint=note).text()


def test_a_proof_file_is_byte_for_byte_the_published_vector() -> None:
    text = proof_of(13, ENTRIES)

    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 13\nYBnM0MTgbcgqGlLnD4w6HeU5QqPTAQE6")
    assert hashlib.sha256(text.encode()).hexdigest() == PROOF_DIGEST


def test_a_proof_file_verifies_under_log_and_witness() -> None:
    proof = proof_file.parse_proof_file(proof_of(13, ENTRIES))
    keys = [parse_vkey(PROOF_LOG), parse_vkey(PROOF_WITNESS)]

    signed = proof_file.verify(proof, leaf_hash(b"e13"), keys)

    assert (signed.checkpoint.size, [by.timestamp for by in signed.by]) == (
        66,
        [None, PROOF_TIMESTAMP],
    )


def test_a_proof_file_of_another_entry_does_not_verify() -> None:
    proof = proof_file.parse_proof_file(proof_of(13, ENTRIES))

    with pytest.raises(ProofError):
        proof_file.verify(proof, leaf_hash(b"e14"), [parse_vkey(PROOF_LOG)])


def test_extra_data_is_carried_and_not_trusted() -> None:
    plain = proof_file.parse_proof_file(proof_of(13, ENTRIES))
    carrying = proof_file.ProofFile(
        index=13, path=plain.path, checkpoint=plain.checkpoint, extra=b"who asked"
    )

    assert "\nextra d2hvIGFza2Vk\nindex 13\n" in carrying.text()
    assert proof_file.parse_proof_file(carrying.text()) == carrying


def test_a_proof_of_a_log_of_one_entry_has_no_path() -> None:
    proof = proof_file.parse_proof_file(proof_of(0, [b"e0"]))

    assert proof.path == ()
    proof_file.verify(proof, leaf_hash(b"e0"), [parse_vkey(PROOF_LOG)])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("proof@v1", "proof@v2", id="another version"),
        pytest.param("index 13", "index 013", id="an index with a leading zero"),
        pytest.param("index 13\n", "", id="no index"),
        pytest.param("index 13\n", "index 13\nAAAA\n", id="a short hash"),
        pytest.param("index 13\n", f"index 1{'0' * 19}\n", id="an index of 20 digits"),
        pytest.param("index 13\n", "index 13\n" + f"{'A' * 43}=\n" * 57, id="64 hashes"),
        pytest.param("\n\nebl", "\nebl", id="no empty line"),
        pytest.param("index 13\n", "extra !\nindex 13\n", id="extra data that is no base64"),
    ],
)
def test_a_malformed_proof_file_is_refused(old: str, new: str) -> None:
    text = proof_of(13, ENTRIES)
    assert old in text

    with pytest.raises(NoteError):
        proof_file.parse_proof_file(text.replace(old, new))


@pytest.mark.parametrize(
    "text", ["", proof_file.MAGIC, f"{proof_file.MAGIC}\n\nnote\n", f"{proof_file.MAGIC}\nindex 0"]
)
def test_a_proof_file_that_ends_early_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        proof_file.parse_proof_file(text)


@pytest.mark.parametrize("index", [0, 5, 10**18])
def test_a_proof_file_holds_any_index_and_63_hashes(index: int) -> None:
    proof = proof_file.ProofFile(index=index, path=(HASH,) * 63, checkpoint=NOTE)

    assert proof_file.parse_proof_file(proof.text()) == proof


def test_a_spliced_path_does_not_verify() -> None:
    spliced = proof_of(13, ENTRIES).replace("index 13\n", f"index 13\n{'A' * 43}=\n")
    proof = proof_file.parse_proof_file(spliced)

    with pytest.raises(ProofError):
        proof_file.verify(proof, leaf_hash(b"e13"), [parse_vkey(PROOF_LOG)])
