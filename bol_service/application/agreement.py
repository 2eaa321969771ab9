"""Does a witness know the same log as our database?

A witness keeps the last checkpoint that it cosigned, where whoever restores our database cannot
reach it. Only what our own key signed counts: a witness alone can stop nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from bol_service.application.ports import Store
from bol_service.application.startup import require_kept
from bol_service.application.witness_ports import WitnessAway, WitnessPeer
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.ledger.policy import KnownWitness


def require_agreement(
    store: Store, peer: WitnessPeer, witness: KnownWitness, log_keys: Sequence[VerifierKey]
) -> None:
    """Compare the database with what a witness cosigned last.

    Raises:
        RollbackSuspected: The database is older than that checkpoint, or contradicts it.
        WitnessAway: The witness did not answer, or with something that our key did not sign.
    """
    with store.reading() as reading:
        origin = reading.log().origin
    note = peer.latest(origin)
    if note is None:
        return
    try:
        kept = open_checkpoint(note, log_keys).checkpoint
    except NoteError as error:
        raise WitnessAway(f"{witness.name} shows a checkpoint that is not ours: {error}") from None
    if kept.origin != origin:
        raise WitnessAway(f"{witness.name} shows a checkpoint of {kept.origin}, not of {origin}")
    require_kept(store, note, log_keys, f"the checkpoint that witness {witness.name} cosigned")
