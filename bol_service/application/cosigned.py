"""Checkpoints as they are handed out: with the cosignatures that witnesses gave for them."""

from __future__ import annotations

from itertools import groupby

from bol_service.application.ports import Reading
from bol_service.application.witness_ports import Cosignature
from bol_service.ledger.policy import NONE, Policy

_USUAL = 32
# Two hours of a cosignature a second. Whoever finds no quorum within them has to mend the
# witnesses; reading the whole history would not help.
_LOOK_BACK = 7200


def with_cosignatures(reading: Reading, size: int, note: str) -> str:
    """The note of the checkpoint of `size` and all cosignatures under it."""
    return note + "".join(cosignature.line for cosignature in reading.cosignatures(size))


def cosigned_size(reading: Reading, policy: Policy, at_least: int, *, newest: bool) -> int | None:
    """The size of the newest (or the oldest) checkpoint of `at_least` entries that has the quorum.

    None if there is none, or if the policy asks for no cosignature.
    """
    if policy.quorum == NONE:
        return None
    for limit in (_USUAL, _LOOK_BACK):
        found = reading.cosigned(at_least, limit, newest=newest)
        for size, group in groupby(found, key=_size_of):
            if policy.is_met_by({cosignature.witness for cosignature in group}):
                return size
        if len(found) < limit:
            break
    return None


def _size_of(cosignature: Cosignature) -> int:
    return cosignature.size
