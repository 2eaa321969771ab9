"""The tree is the one of RFC 6962; its proofs show exactly what they claim."""

from __future__ import annotations

import pytest

from bol_service.ledger import merkle
from bol_service.ledger.merkle import LEVELS, Frontier, Node, ProofError
from tests import ledger_log
from tests.ledger_log import MemoryLog

SIZE = 40
ENTRIES = [b"entry %d" % number for number in range(SIZE)]
LOG = MemoryLog(ENTRIES)
OTHER = bytes(32)


def test_the_empty_tree_has_the_published_root():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root().hex() == merkle.EMPTY_ROOT.hex() == empty


def test_a_leaf_is_never_a_node():
    left, right = bytes(32), bytes([1]) * 32
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.leaf_hash(b"").hex().startswith("6e340b9cffb37a98")


def test_every_root_is_the_one_the_rfc_defines():
    assert LOG.roots == [ledger_log.mth(ENTRIES[:size]) for size in range(SIZE + 1)]


def test_every_inclusion_path_is_the_one_the_rfc_defines():
    for size in range(1, SIZE + 1):
        for index in range(size):
            assert LOG.inclusion(index, size) == ledger_log.path(index, ENTRIES[:size])


def test_every_consistency_proof_is_the_one_the_rfc_defines():
    for new in range(1, SIZE + 1):
        for old in range(1, new + 1):
            assert LOG.consistency(old, new) == ledger_log.proof(old, ENTRIES[:new])


def test_every_proof_verifies():
    for size in range(SIZE + 1):
        for index in range(size):
            path = LOG.inclusion(index, size)
            merkle.verify_inclusion(LOG.leaves[index], index, size, path, LOG.roots[size])
        for old in range(size + 1):
            path = LOG.consistency(old, size)
            merkle.verify_consistency(old, size, path, LOG.roots[old], LOG.roots[size])


def test_a_proof_asks_for_the_nodes_that_were_named_beforehand():
    for new in range(1, SIZE + 1):
        for old in range(new):
            for announced, build in (
                (merkle.inclusion_nodes(old, new), merkle.inclusion_path),
                (merkle.consistency_nodes(old, new), merkle.consistency_path),
            ):
                asked: list[tuple[int, int]] = []

                def get(level: int, position: int, asked=asked) -> bytes:
                    asked.append((level, position))
                    return LOG.get(level, position)

                build(get, old, new)
                assert asked == announced


def test_growing_puts_each_node_that_appending_names_at_the_end_of_its_level():
    slow, fast = Frontier(), Frontier()
    wanted, levels = [[] for _ in range(LEVELS)], [[] for _ in range(LEVELS)]
    for leaf in LOG.leaves:
        for node in slow.append(leaf):
            assert len(wanted[node.level]) == node.position
            wanted[node.level].append(node.hash)
        fast.grow(leaf, levels)
        assert (fast.to_bytes(), levels) == (slow.to_bytes(), wanted)


def test_appending_names_every_node_that_became_complete():
    frontier = Frontier()
    created = [frontier.append(leaf) for leaf in LOG.leaves[:4]]
    places = [[(node.level, node.position) for node in nodes] for nodes in created]
    assert places == [[(0, 0)], [(0, 1), (1, 0)], [(0, 2)], [(0, 3), (1, 1), (2, 0)]]
    assert created[1][1] == Node(1, 0, merkle.node_hash(LOG.leaves[0], LOG.leaves[1]))


def test_an_edge_survives_its_bytes_and_goes_on_growing():
    for size in range(SIZE):
        frontier = Frontier()
        for leaf in LOG.leaves[:size]:
            frontier.append(leaf)
        stored = frontier.to_bytes()
        assert len(stored) == 8 + 32 * size.bit_count()
        again = Frontier.from_bytes(stored)
        again.append(LOG.leaves[size])
        assert (again.size, again.root()) == (size + 1, LOG.roots[size + 1])


def test_an_edge_does_not_share_its_hashes_with_its_source():
    hashes = [LOG.leaves[0]]
    Frontier(1, hashes).append(LOG.leaves[1])
    assert hashes == [LOG.leaves[0]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "at least 8 bytes, not 0", id="nothing"),
        pytest.param(bytes(7), "at least 8 bytes, not 7", id="half a size"),
        pytest.param((1).to_bytes(8), "1 edge hashes", id="a hash missing"),
        pytest.param((1).to_bytes(8) + bytes(64), "1 edge hashes", id="a hash too many"),
        pytest.param((1).to_bytes(8) + bytes(31), r"not \[31\]", id="a short hash"),
        pytest.param((2).to_bytes(8) + bytes(33), r"not \[32, 1\]", id="a byte too many"),
        pytest.param((2**63).to_bytes(8) + bytes(32), "leaves, not 9223372036854775808", id="huge"),
    ],
)
def test_an_edge_that_does_not_fit_its_size_is_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        Frontier.from_bytes(data)


@pytest.mark.parametrize(
    ("build", "first", "second"),
    [
        pytest.param(build, first, second, id=f"{build.__name__} of {first} and {second}")
        for build, pairs in {
            merkle.inclusion_nodes: [(3, 3), (0, 0), (-1, 3), (0, 2**63)],
            merkle.consistency_nodes: [(4, 3), (-1, 3), (1, 2**63)],
        }.items()
        for first, second in pairs
    ],
)
def test_no_proof_is_built_for_a_place_outside_the_tree(build, first, second):
    with pytest.raises(ValueError, match=rf"{first}\b.*\b{second}\b"):
        build(first, second)


def test_many_paths_at_once_are_the_paths_one_by_one():
    for size in range(1, SIZE + 1):
        for indexes in ([0], [size - 1], range(size), range(0, size, 3), [size // 2, 0, 0]):
            asked: set[tuple[int, int]] = set()

            def get(level, position, asked=asked):
                asked.add((level, position))
                return LOG.get(level, position)

            paths = merkle.inclusion_paths(get, indexes, size)
            assert paths == {index: LOG.inclusion(index, size) for index in indexes}
            assert merkle.inclusion_nodes_of(indexes, size) == asked
    assert merkle.inclusion_paths(LOG.get, [], 0) == {}


@pytest.mark.parametrize("indexes", [[3], [0, 3], [-1, 0]])
def test_no_path_of_many_is_built_for_a_place_outside_the_tree(indexes):
    with pytest.raises(ValueError, match="not in a tree of 3 leaves"):
        merkle.inclusion_paths(LOG.get, indexes, 3)


def test_the_largest_tree_has_proofs():
    size = 2**63 - 1
    assert len(merkle.inclusion_nodes(0, size)) > 62
    assert merkle.consistency_nodes(size, size) == []


def changed(path: list[bytes], position: int) -> list[bytes]:
    return [*path[:position], OTHER, *path[position + 1 :]]


def test_an_inclusion_proof_shows_nothing_else():
    for size in range(1, 18):
        for index in range(size):
            leaf, root = LOG.leaves[index], LOG.roots[size]
            path = LOG.inclusion(index, size)
            wrong = [
                (OTHER, index, size, path, root),
                (leaf, index, size, path, OTHER),
                (leaf, index, size, [*path, OTHER], root),
                *((leaf, index, size, changed(path, at), root) for at in range(len(path))),
                *((leaf, index, size, path[:at], root) for at in range(len(path))),
                *((leaf, other, size, path, root) for other in range(size) if other != index),
            ]
            for arguments in wrong:
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(*arguments)


def test_a_consistency_proof_shows_nothing_else():
    for new in range(1, 18):
        for old in range(new + 1):
            old_root, new_root = LOG.roots[old], LOG.roots[new]
            path = LOG.consistency(old, new)
            wrong = [
                (old, new, path, OTHER, new_root),
                (old, new, [*path, OTHER], old_root, new_root),
                *((old, new, changed(path, at), old_root, new_root) for at in range(len(path))),
                *((old, new, path[:at], old_root, new_root) for at in range(len(path))),
            ]
            if old:
                wrong.append((old, new, path, old_root, OTHER))
            for arguments in wrong:
                with pytest.raises(ProofError):
                    merkle.verify_consistency(*arguments)


LEAF, ROOT = LOG.leaves[2], LOG.roots[5]
PATH = LOG.inclusion(2, 5)
GROWTH = LOG.consistency(3, 5)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param((LEAF, 5, 5, PATH, ROOT), "leaf 5 is not in a tree of 5", id="beyond the end"),
        pytest.param((LEAF, -1, 5, PATH, ROOT), "leaf -1 is not", id="before the start"),
        pytest.param((LEAF, 2, 2**63, PATH, ROOT), "not in a tree of", id="an impossible size"),
        pytest.param((LEAF, 0, 2**63 - 1, [], ROOT), "too short", id="the largest size"),
        pytest.param((LEAF, 2, 5, PATH[:-1], ROOT), "2 hashes is too short for 5", id="too short"),
        pytest.param((LEAF, 2, 5, [*PATH, ROOT], ROOT), "4 hashes is too long", id="too long"),
        pytest.param((LEAF[:-1], 2, 5, PATH, ROOT), "31 bytes, not 32", id="a short leaf"),
        pytest.param((LEAF, 2, 5, [PATH[0] + b"x", *PATH[1:]], ROOT), "33 bytes", id="a long hash"),
        pytest.param((LEAF, 2, 5, PATH, OTHER), f"{OTHER.hex()}.*{ROOT.hex()}", id="another root"),
    ],
)
def test_a_refused_inclusion_says_why(arguments, reason):
    with pytest.raises(ProofError, match=reason):
        merkle.verify_inclusion(*arguments)


R3, R5 = LOG.roots[3], LOG.roots[5]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param((5, 3, GROWTH, R5, R3), "5 leaves cannot have become one of 3", id="shrunk"),
        pytest.param((-1, 3, [], R5, R3), "-1 leaves cannot", id="a negative size"),
        pytest.param((3, 2**63, GROWTH, R3, R5), "cannot have become", id="an impossible size"),
        pytest.param((1, 2**63 - 1, [], R3, R5), "hashes are the wrong number", id="largest size"),
        pytest.param((3, 5, [], R3, R5), "0 hashes are the wrong number", id="no proof"),
        pytest.param((3, 5, GROWTH[:-1], R3, R5), "hashes are the wrong number", id="too short"),
        pytest.param((3, 5, [*GROWTH, R3], R3, R5), "hashes are the wrong number", id="too long"),
        pytest.param((3, 5, [b"", *GROWTH], R3, R5), "0 bytes, not 32", id="an empty hash"),
        pytest.param((3, 5, GROWTH, R3[:-1], R5), "31 bytes", id="a short root"),
        pytest.param((3, 5, GROWTH, OTHER, R5), f"old tree of 3.*{OTHER.hex()}", id="another old"),
        pytest.param((3, 5, GROWTH, R3, OTHER), f"new tree of 5.*{OTHER.hex()}", id="another new"),
        pytest.param((5, 5, [], R5, OTHER), "old tree of 5", id="one size, two roots"),
        pytest.param((5, 5, [OTHER], R5, R5), "nothing is to be proved", id="a needless proof"),
        pytest.param((0, 5, [OTHER], merkle.EMPTY_ROOT, R5), "nothing", id="proof from nothing"),
        pytest.param((0, 5, [], OTHER, R5), "old tree of 0", id="an empty tree with a root"),
        pytest.param((0, 0, [], OTHER, OTHER), "old tree of 0", id="two empty trees with a root"),
    ],
)
def test_a_refused_growth_says_why(arguments, reason):
    with pytest.raises(ProofError, match=reason):
        merkle.verify_consistency(*arguments)
