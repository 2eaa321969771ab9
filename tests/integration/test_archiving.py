"""`bol ledger archive`: the full tiles as files, and what is not the log's is not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bol_service.application.archiving import Archived, Archiving, NotGenuine
from bol_service.bootstrap import log_verifier_key
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import Frontier, leaf_hash, node_hash
from bol_service.ledger.note import sign_note
from bol_service.ledger.tiles import parse_tile, write_entries, write_hashes
from bol_service.storage.tile_folder import TileFolder
from tests.command_line import run
from tests.forged_log import entry
from tests.neighbours import served

ORIGIN = "demo.cq.example/ebl"
SIZE = 70_000
"""273 full tiles and 112 hashes at the lowest level, one and 17 above it, and one of one."""


class Served:
    """A log in memory; `lies` are served in place of its tiles, `asked` is what was asked for."""

    def __init__(self, size: int) -> None:
        signer = LocalSigner(generate(Algorithm.ED25519))
        self.all = [entry(f"bill:{number}", 0) for number in range(size)]
        self.levels = [[leaf_hash(one) for one in self.all]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self.levels.append([node_hash(left, right) for left, right in pairs])
        self.key = log_verifier_key(ORIGIN, signer)
        frontier = Frontier()
        for leaf in self.levels[0]:
            frontier.append(leaf)
        body = Checkpoint(origin=ORIGIN, size=size, root=frontier.root()).body()
        self.note = sign_note(body, ORIGIN, signer.sign, self.key.public)
        self.lies: dict[str, bytes] = {}
        self.asked: list[str] = []

    def checkpoint(self) -> str:
        return self.note

    def tile(self, path: str) -> bytes:
        self.asked.append(path)
        wanted = parse_tile(path)
        place = slice(wanted.first, wanted.first + wanted.width)
        if path in self.lies:
            return self.lies[path]
        if wanted.level is None:
            return write_entries(self.all[place])
        return write_hashes(self.levels[wanted.merkle_level][place])

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The same for a stranger, over HTTP."""
        path = environ["PATH_INFO"].removeprefix("/ledger/")
        start_response("200 OK", [])
        return [self.note.encode() if path == "checkpoint" else self.tile(path)]

    def archive(self, folder: Path) -> Archived:
        return Archiving(self, TileFolder(folder), [self.key]).run()


@pytest.fixture(scope="module")
def large() -> Served:
    return Served(SIZE)


@pytest.fixture
def log(large: Served) -> Iterator[Served]:
    large.asked.clear()
    yield large
    large.lies.clear()


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_every_full_tile_and_bundle_is_a_file_under_its_own_path(
    log: Served, tmp_path: Path
) -> None:
    done = log.archive(tmp_path)

    assert (done.new, done.full, done.checkpoint.size) == (547, 547, SIZE)
    assert len(files(tmp_path)) == 547
    for path in ("tile/0/000", "tile/0/272", "tile/1/000", "tile/entries/272"):
        assert (tmp_path / path).read_bytes() == log.tile(path)
    assert not (tmp_path / "tile/0/273").exists()


def test_what_is_kept_is_not_asked_for_again(log: Served, tmp_path: Path) -> None:
    log.archive(tmp_path)
    for lost in ("tile/0/007", "tile/entries/009"):
        (tmp_path / lost).unlink()
    log.asked.clear()

    assert log.archive(tmp_path).new == 2
    assert [path for path in log.asked if ".p/" not in path] == ["tile/0/007", "tile/entries/009"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("tile/0/273.p/112", "signed", id="a partial tile of leaves"),
        pytest.param("tile/1/001.p/17", "signed", id="a partial tile above it"),
        pytest.param("tile/2/000.p/1", "signed", id="the highest tile"),
        pytest.param("tile/1/000", "tile/1/000 makes", id="a full tile that stands high"),
        pytest.param("tile/0/003", "tile/0/003 makes", id="a full tile under a full one"),
        pytest.param("tile/0/272", "tile/0/272 makes", id="a full tile under a partial one"),
        pytest.param("tile/entries/003", "other entries", id="a bundle"),
    ],
)
def test_what_is_not_of_the_signed_tree_is_not_kept(
    log: Served, tmp_path: Path, path: str, told: str
) -> None:
    content = bytearray(log.tile(path))
    content[-1] ^= 1
    log.lies[path] = bytes(content)

    with pytest.raises(NotGenuine, match=told):
        log.archive(tmp_path)
    assert not (tmp_path / path).exists()


def test_a_strangers_log_is_not_copied(log: Served, tmp_path: Path) -> None:
    stranger = log_verifier_key(ORIGIN, LocalSigner(generate(Algorithm.ED25519)))
    with pytest.raises(NotGenuine, match="no known key signed"):
        Archiving(log, TileFolder(tmp_path), [stranger]).run()
    assert files(tmp_path) == set()


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[str, Served]]:
    log = Served(257)
    with served(log) as server:
        yield f"http://127.0.0.1:{server.server_port}", log


def test_the_command_copies_a_log_and_says_what_was_new(
    small: tuple[str, Served], tmp_path: Path
) -> None:
    url, log = small
    words = ("ledger", "archive", url, str(tmp_path / "tiles"), "--json")
    keys = ("--log-vkey", log.key.vkey)

    first = run(*words, *keys).json()
    assert first == {"origin": ORIGIN, "size": 257, "full": 2, "new": 2}
    assert run(*words, *keys).json()["new"] == 0
    assert files(tmp_path / "tiles") == {"tile/0/000", "tile/entries/000"}
    assert run(*words).code == 4
    (tmp_path / "a file").write_text("x", encoding="utf-8")
    assert run(*words[:3], str(tmp_path / "a file" / "x"), *keys).code == 4


def test_a_log_that_is_signed_by_another_key_ends_the_command_with_1(
    small: tuple[str, Served], tmp_path: Path
) -> None:
    stranger = log_verifier_key(ORIGIN, LocalSigner(generate(Algorithm.ED25519)))
    ran = run("ledger", "archive", small[0], tmp_path, "--json", "--vkey", stranger.vkey)
    assert (ran.code, ran.problem()["code"]) == (1, "not_genuine")
