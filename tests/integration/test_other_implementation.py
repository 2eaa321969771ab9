"""A C2SP implementation that is not ours (tlog-scales) reads our live log and checks everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tlog_scales import tiles
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint, InclusionProofInvalid

from bol_service.ledger import proof_file
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.merkle import leaf_hash
from bol_service.ledger.note import KeyType, VerifierKey, cosignature_line
from tests.neighbours import Neighbour, neighbour

SIZE = 300
"""One full tile of leaves and one that is not."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbour]:
    folder = tmp_path_factory.mktemp("other")
    with neighbour(folder, "demo.other.example/ebl", entries=SIZE) as found:
        yield found


@pytest.fixture
def reader(platform: Neighbour) -> TilesReader:
    return TilesReader(HttpBackend(f"{platform.url}/ledger"))


def test_it_verifies_the_signature_of_our_checkpoint(
    platform: Neighbour, reader: TilesReader
) -> None:
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(platform.log_key.vkey))
    assert (checkpoint.origin, checkpoint.size) == (platform.origin, SIZE)


def test_it_makes_our_root_from_our_tiles(reader: TilesReader) -> None:
    checkpoint = reader.get_checkpoint()
    assert reader.calculate_root_hash() == checkpoint.root_hash


@pytest.mark.parametrize("index", [0, 1, 255, 256, SIZE - 1])
def test_it_finds_our_entries_included(reader: TilesReader, index: int) -> None:
    checkpoint = reader.get_checkpoint()
    leaf = tiles.leaf_hash(reader.get_entry(index))
    proof = reader.get_inclusion_proof(index, checkpoint.size)
    proof.check(leaf, checkpoint.root_hash)
    with pytest.raises(InclusionProofInvalid):
        proof.check(leaf_hash(b"another entry"), checkpoint.root_hash)


@pytest.mark.parametrize("earlier", [1, 100, 256, 299])
def test_it_finds_our_log_consistent_with_its_past(
    platform: Neighbour, reader: TilesReader, earlier: int
) -> None:
    checkpoint = reader.get_checkpoint()
    with platform.running.store.reading() as reading:
        found = reading.checkpoint(earlier)
    assert found is not None
    past = Checkpoint.from_text(found[1])
    past.verify(Vkey.from_string(platform.log_key.vkey))
    proof = reader.get_consistency_proof(past.size, checkpoint.size)
    proof.check(past.root_hash, checkpoint.root_hash)


def test_its_proof_file_of_our_entry_verifies_here(
    platform: Neighbour, reader: TilesReader
) -> None:
    command = ["-m", "tlog_scales.cli", "gen-proof", f"{platform.url}/ledger", "17"]
    made = subprocess.run([sys.executable, *command], capture_output=True, check=True)
    written = proof_file.parse_proof_file(made.stdout.decode())

    reader.get_checkpoint()
    leaf = leaf_hash(reader.get_entry(17))
    found = proof_file.verify(written, leaf, [platform.log_key])

    assert written.index == 17
    assert found.checkpoint.size == SIZE


def test_its_checkpoint_opens_here() -> None:
    key = Ed25519PrivateKey.generate()
    origin = "demo.theirs.example/ebl"
    theirs = Checkpoint.make_signed(origin, 7, b"r" * 32, [PlainEd25519Signer(origin, key)])
    public = key.public_key().public_bytes_raw()

    ours = open_checkpoint(
        theirs.serialize(), [VerifierKey(name=origin, type=KeyType.ED25519, public=public)]
    ).checkpoint

    assert (ours.origin, ours.size, ours.root) == (origin, 7, b"r" * 32)


def test_it_verifies_the_cosignature_that_we_give_as_witness(
    platform: Neighbour, reader: TilesReader
) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    checkpoint = reader.get_checkpoint()
    name = "demo.witness.example/w"
    body = checkpoint.serialize_body()
    line = cosignature_line(body, name, 1_800_000_000, key.sign, public)

    cosigned = Checkpoint.from_text(checkpoint.serialize() + line)

    vkey = VerifierKey(name=name, type=KeyType.COSIGNATURE, public=public).vkey
    cosigned.verify(Vkey.from_string(vkey))
