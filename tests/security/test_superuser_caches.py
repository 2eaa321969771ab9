"""What a superuser does to the rows that only repeat the log, and that the audit names each.

These rows are what the service judges and answers by, so a change would pay at once: another
possessor, a key put under a party's name, a bill number set free. Nothing of it is in the log, so
no receipt and no witness can notice it; `bol ledger check` does, since it makes every one of these
rows again from the entries.
"""

from __future__ import annotations

import pytest

from tests.known_log import KnownLog, known_log, scene
from tests.outsiders import NOTHING, Who
from tests.superuser import Act, Superuser, changed, deleted, inserted, swapped

__all__ = ["known_log", "scene"]

BILL = "bill:[0-9a-f]{64}"


def bill_state(user: Superuser) -> int:
    return next(at for at, row in enumerate(user.rows("states")) if row["kind"] == "bill")


def give_bill_away(user: Superuser) -> None:
    """The change that would pay most: another possessor."""
    at = bill_state(user)
    changed(
        "states",
        "state",
        at=at,
        to=lambda state: state.replace(b'"possessor":"', b'"possessor":"x'),
    )(user)


def exchange_states(user: Superuser) -> None:
    at = bill_state(user)
    swapped("states", "stream", at, at + 1)(user)


CACHES: dict[str, tuple[Act, str]] = {
    "a bill is given to another possessor": (
        give_bill_away,
        f"the cached state of {BILL} is not what its events make",
    ),
    "the head of a stream is put back": (
        changed("states", "sequence", at=0, to=lambda _: 77),
        "the cached state of .* is not what its events make",
    ),
    "the digest of a stream's head is changed": (
        changed("states", "digest"),
        "the cached state of .* is not what its events make",
    ),
    "a state is deleted": (deleted("states", 0), f"the cached state of {BILL} is missing"),
    "a state is added": (
        inserted("states", stream="party:stranger"),
        "1 cached states belong to no entry; the first is party:stranger",
    ),
    "two states are exchanged": (
        exchange_states,
        f"the cached state of {BILL} is not what its events make",
    ),
    "a claim is given to another bill": (
        changed("claims", "owner"),
        "the claim to .* says .* the entries make",
    ),
    "a claim is deleted, so that its number is free again": (
        deleted("claims", 0),
        "the claim to .* is missing",
    ),
    "a claim is added": (
        inserted("claims", value="NMFTA:XLSC:STRANGER"),
        "1 rows of claims belong to no entry; the first is .*STRANGER",
    ),
    "a key is put under another party": (
        changed("keys", "party", to=lambda _: "operator2"),
        "the cached key .* says .*operator2",
    ),
    "a key's bytes are replaced": (changed("keys", "jwk"), "the cached key .* the entries make"),
    "a key is deleted": (deleted("keys", 3), "the cached key .* is missing"),
    "a key is added to a party": (
        inserted("keys", kid="k" * 43),
        "1 rows of keys belong to no entry; the first is k{43}",
    ),
    "a bill's status is changed in its row": (
        changed("bills", "status", to=lambda _: "ACCOMPLISHED"),
        "the row by which bill [0-9a-f]{64} is found says .*ACCOMPLISHED",
    ),
    "a bill's row is deleted": (
        deleted("bills"),
        "the row by which bill [0-9a-f]{64} is found is missing",
    ),
    "a bill's row is added": (
        inserted("bills", bill="f" * 64),
        "1 rows of bills belong to no entry; the first is f{64}",
    ),
    "a bill is hidden from a party": (
        deleted("bill_parties"),
        "the row by which .* finds bill [0-9a-f]{64} is missing",
    ),
    "a bill is shown to a stranger": (
        inserted("bill_parties", party="stranger"),
        "1 rows of bill_parties belong to no entry; the first is stranger",
    ),
    "a bill is not found by its container": (
        deleted("bill_containers"),
        "the row by which container .* finds bill .* is missing",
    ),
    "a bill is found by another container": (
        inserted("bill_containers", container="XLCU0000000"),
        "1 rows of bill_containers belong to no entry; the first is XLCU0000000",
    ),
    "a draft is hidden from a party": (
        deleted("draft_parties"),
        "the row by which .* finds shipment .* is missing",
    ),
    "a draft is shown to a stranger": (
        inserted("draft_parties", party="stranger"),
        "1 rows of draft_parties belong to no entry; the first is stranger",
    ),
    "a mandate is deleted": (
        deleted("mandates"),
        "the row by which qiaolian finds the mandate of yunling is missing",
    ),
    "a mandate is added": (
        inserted("mandates", shipper="straits"),
        "1 rows of mandates belong to no entry; the first is qiaolian, straits",
    ),
}


@pytest.mark.parametrize(("act", "sentence"), CACHES.values(), ids=CACHES)
def test_check_alone_notices_and_names_it_when(scene: KnownLog, act: Act, sentence: str) -> None:
    scene.do(act)
    scene.require_noticed({Who.CHECK: sentence, Who.RECEIPT: NOTHING, Who.WITNESS: NOTHING})
