"""Whatever is logged, proofs hold for the tree they were made from and for no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bol_service.ledger import merkle
from bol_service.ledger.merkle import ProofError
from tests import ledger_log
from tests.ledger_log import MemoryLog

ENTRIES = st.lists(st.binary(max_size=8), min_size=1, max_size=80)


@given(ENTRIES, st.data())
def test_root_and_inclusion_follow_the_rfc(entries, data):
    log = MemoryLog(entries)
    index = data.draw(st.integers(0, len(entries) - 1))
    path = log.inclusion(index, len(entries))
    assert log.roots[-1] == ledger_log.mth(entries)
    assert path == ledger_log.path(index, entries)
    merkle.verify_inclusion(log.leaves[index], index, len(entries), path, log.roots[-1])


@given(ENTRIES, st.data())
def test_growth_follows_the_rfc(entries, data):
    log = MemoryLog(entries)
    old = data.draw(st.integers(1, len(entries)))
    path = log.consistency(old, len(entries))
    assert path == ledger_log.proof(old, entries)
    merkle.verify_consistency(old, len(entries), path, log.roots[old], log.roots[-1])


@given(ENTRIES, st.data())
def test_a_history_changed_before_the_old_head_has_no_proof(entries, data):
    log = MemoryLog(entries)
    place = data.draw(st.integers(0, len(entries) - 1))
    forked = [*entries]
    forked[place] = entries[place] + b"!"
    fork = MemoryLog([*forked, b"more"])
    old, new = len(entries), len(entries) + 1
    with pytest.raises(ProofError, match="root"):
        merkle.verify_consistency(
            old, new, fork.consistency(old, new), log.roots[old], fork.roots[new]
        )


@given(ENTRIES, st.data(), st.integers(0, 255))
def test_a_flipped_bit_of_a_path_is_noticed(entries, data, bit):
    log = MemoryLog([*entries, b"last"])
    size = len(entries) + 1
    index = data.draw(st.integers(0, size - 1))
    path = log.inclusion(index, size)
    at = data.draw(st.integers(0, len(path) - 1))
    flipped = (int.from_bytes(path[at]) ^ (1 << bit)).to_bytes(32)
    with pytest.raises(ProofError, match="root"):
        merkle.verify_inclusion(
            log.leaves[index], index, size, [*path[:at], flipped, *path[at + 1 :]], log.roots[-1]
        )


@given(st.integers(1, 2**63 - 1), st.data())
def test_proofs_of_the_largest_trees_need_few_nodes(size, data):
    index = data.draw(st.integers(0, size - 1))
    for nodes in (merkle.inclusion_nodes(index, size), merkle.consistency_nodes(index, size)):
        assert len(nodes) <= 2 * 63
        assert len(set(nodes)) == len(nodes)
        assert all((node.position + 1) << node.level <= size for node in nodes)
