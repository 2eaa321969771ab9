"""The public log over HTTP: a stranger rebuilds the whole tree from tiles and entries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from bol_service.ledger import proof_file
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint
from bol_service.ledger.entry import public_entry, split_public_entry, stream_tag
from bol_service.ledger.merkle import Frontier, leaf_hash, node_hash
from bol_service.ledger.tiles import Tile, bundles, parse_tile, read_entries, read_hashes, tiles_of
from tests.neighbours import Neighbour, neighbour

SIZE = 530


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbour]:
    folder = tmp_path_factory.mktemp("tiles")
    with neighbour(folder, "demo.tiles.example/ebl", entries=SIZE) as found:
        yield found


def get(platform: Neighbour, path: str) -> tuple[int, dict[str, str], bytes]:
    try:
        answer: HTTPResponse | HTTPError = urlopen(f"{platform.url}{path}")
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status or 0, dict(answer.headers), answer.read()


def tile(platform: Neighbour, wanted: Tile) -> bytes:
    status, _, content = get(platform, f"/ledger/{wanted.path}")
    assert status == 200, content
    return content


def head(platform: Neighbour) -> Checkpoint:
    note = get(platform, "/ledger/checkpoint")[2].decode()
    return open_checkpoint(note, [platform.log_key]).checkpoint


def all_entries(platform: Neighbour) -> list[bytes]:
    found: list[bytes] = []
    for bundle in bundles(0, head(platform).size):
        found += read_entries(tile(platform, bundle), bundle)
    return found


def test_the_entries_make_the_root_that_the_log_signed(platform: Neighbour) -> None:
    frontier = Frontier()
    for entry in all_entries(platform):
        frontier.append(leaf_hash(entry))

    signed = head(platform)
    assert (frontier.size, frontier.root()) == (signed.size, signed.root)
    assert signed.size == SIZE


def test_the_tiles_hold_every_node_that_the_entries_make(platform: Neighbour) -> None:
    level = [leaf_hash(entry) for entry in all_entries(platform)]
    for last in tiles_of(SIZE):
        found: list[bytes] = []
        for number in range(last.number + 1):
            one = Tile(level=last.level, number=number) if number < last.number else last
            found += read_hashes(tile(platform, one), one)

        assert found == level
        for _ in range(8):
            level = [
                node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)
            ]


def test_an_entry_is_72_bytes_of_digests_and_a_count(platform: Neighbour) -> None:
    entries = all_entries(platform)
    receipt = platform.running.services.queries.receipt("party:p7", 0, "operator")

    assert {len(entry) for entry in entries} == {72}
    assert entries[receipt.index] == public_entry(stream_tag("party:p7"), 0, receipt.entry.digest)
    assert split_public_entry(entries[0])[:2] == (stream_tag("party:operator"), 0)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/18", "tile/entries/002.p/18"])
def test_a_tile_may_be_kept_for_ever_by_any_cache(platform: Neighbour, path: str) -> None:
    _, headers, _ = get(platform, f"/ledger/{path}")

    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"] == "application/octet-stream"


def test_a_partial_tile_stays_after_the_log_has_grown(platform: Neighbour) -> None:
    full = tile(platform, parse_tile("tile/0/001"))

    assert tile(platform, parse_tile("tile/0/001.p/3")) == full[: 3 * 32]


def test_the_checkpoint_is_text_and_soon_stale(platform: Neighbour) -> None:
    _, headers, _ = get(platform, "/ledger/checkpoint")

    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=2"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("tile/0/002", id="a full tile that is partial yet"),
        pytest.param("tile/0/002.p/19", id="one hash beyond the log"),
        pytest.param("tile/0/003.p/1", id="a tile beyond the log"),
        pytest.param("tile/1/000.p/3", id="a subtree that is not complete"),
        pytest.param("tile/2/000.p/1", id="a level that does not exist yet"),
        pytest.param("tile/63/000", id="the highest level"),
        pytest.param("tile/entries/002.p/19", id="one entry beyond the log"),
        pytest.param("tile/entries/x999/x999/x999/x999/x999/999", id="the end of all logs"),
        pytest.param("tile/0/0", id="a path of another spelling"),
        pytest.param("tile/0/x000/000", id="a number with a group of zeros"),
        pytest.param("tile/0", id="a level alone"),
    ],
)
def test_what_the_log_does_not_hold_is_not_found(platform: Neighbour, path: str) -> None:
    status, headers, content = get(platform, f"/ledger/{path}")

    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert headers["Cache-Control"] == "no-store"
    problem = json.loads(content)
    assert problem["code"] == "not_in_log"
    assert "/ledger/checkpoint" in problem["nextStep"]
    last = path.split("/")[-1]
    assert last in problem["detail"] or str(SIZE) in problem["detail"]


def test_a_proof_file_of_an_entry_verifies_offline(platform: Neighbour) -> None:
    entry = all_entries(platform)[300]
    content: Any = get(platform, "/ledger/proof/file/300")[2].decode()
    proof = proof_file.parse_proof_file(content)

    signed = proof_file.verify(proof, leaf_hash(entry), [platform.log_key])
    assert (proof.index, signed.checkpoint.size) == (300, SIZE)


@pytest.mark.parametrize(
    "path",
    [f"file/{SIZE}", f"inclusion/{SIZE}", f"inclusion/0/{SIZE + 1}", f"consistency/{SIZE + 1}"],
)
def test_what_cannot_be_proven_tells_how_far_the_log_goes(platform: Neighbour, path: str) -> None:
    status, _, content = get(platform, f"/ledger/proof/{path}")

    problem = json.loads(content)
    assert (status, problem["code"]) == (404, "not_in_log")
    assert str(SIZE) in problem["detail"]
