"""Whatever a database's superuser does to a row, somebody notices and names it.

Each kind of row that bears on the log is changed, deleted, added and exchanged, on both databases,
past the triggers. A row of the table says who notices (`tests.outsiders`) and a part of the
sentence. Caches are in `test_superuser_caches`, the tables beside the log in
`test_superuser_beside`. What we cosigned for other logs can be put back as a whole without anybody
noticing it here: a witness can be deceived so, which is why a log asks several.
"""

from __future__ import annotations

import re

import pytest

from tests.known_log import KnownLog, Noticed, known_log, scene
from tests.outsiders import NOTHING, Who
from tests.superuser import Act, Superuser, changed, deleted, drop_triggers, inserted, swapped

__all__ = ["known_log", "scene"]

CHECK, RECEIPT, WITNESS, READER, START = (
    Who.CHECK,
    Who.RECEIPT,
    Who.WITNESS,
    Who.READER,
    Who.START,
)


def test_before_anything_is_done_nobody_notices_anything(scene: KnownLog) -> None:
    scene.require_noticed(dict.fromkeys(Who, NOTHING))


def test_putting_back_makes_everything_as_it_was(scene: KnownLog) -> None:
    scene.do(deleted("entries"))
    assert scene.outside.says(CHECK)
    scene.keeper.put_back()
    scene.require_noticed(dict.fromkeys(Who, NOTHING))


# -- the log itself ------------------------------------------------------------------------------


def exchange_acts_of_one_bill(user: Superuser) -> None:
    """The transfer stands before the issue."""
    rows = user.rows("entries")
    [transfer] = [row for row in rows if row["action"] == "TRANSFER"]
    issue = next(row for row in rows if row["stream"] == transfer["stream"])
    transfer["idx"], issue["idx"] = issue["idx"], transfer["idx"]
    user.put("entries", rows)


def put_older_note_in_head(user: Superuser) -> None:
    changed("log", "note", to=lambda _: user.rows("checkpoints")[3]["note"])(user)


def put_cosignature_under_older_checkpoint(user: Superuser) -> None:
    changed("cosignatures", "size", to=lambda _: user.rows("checkpoints")[3]["size"])(user)


def broken_signature(line: str) -> str:
    """One character of its base64 is another."""
    return line[:-9] + ("B" if line[-9] != "B" else "C") + line[-8:]


LOG: dict[str, tuple[Act, Noticed]] = {
    # the head
    "the head's size is changed": (
        changed("log", "size"),
        {CHECK: "the head cannot be read", START: "the log's head cannot be read"},
    ),
    "the head's tree is changed": (
        changed("log", "frontier"),
        {CHECK: "the head's frontier is not what", START: "the log's head has root"},
    ),
    "the head's checkpoint is changed": (
        changed("log", "note"),
        {
            CHECK: "the head's own note is not the checkpoint",
            RECEIPT: "signature|note",
            WITNESS: "sign",
            START: "the database's own checkpoint cannot be trusted",
        },
    ),
    "the head's time is changed": (
        changed("log", "recorded_at"),
        {CHECK: "the head was recorded at"},
    ),
    "the log is renamed": (
        changed("log", "origin"),
        {CHECK: r"entry 0 .*"},
    ),
    # entries
    "an event is changed": (
        changed("entries", "event", at=5),
        {CHECK: r"entry 5 ", RECEIPT: NOTHING},
    ),
    "an event's time is changed": (
        changed("entries", "recorded_at", at=9),
        {CHECK: r"entry 9\b|made by entry 9"},
    ),
    "an entry's actor is changed in its column": (
        changed("entries", "actor", at=7),
        {CHECK: "entry 7: the columns say"},
    ),
    "the first entry is deleted": (
        deleted("entries", 0),
        {CHECK: "entry 0 is missing"},
    ),
    "an entry in the middle is deleted": (
        deleted("entries", 12),
        {CHECK: "entry 12 is missing"},
    ),
    "the last entry is deleted": (
        deleted("entries"),
        {CHECK: r"the head says [0-9]+ entries, [0-9]+ rows"},
    ),
    "an entry is added": (
        inserted("entries", idx=1000, event_id="x", payload_digest="x", sequence=1000),
        {CHECK: r"entry [0-9]+ or one after it is there, beyond the head"},
    ),
    "two entries are exchanged": (
        swapped("entries", "idx", 6, 7),
        {CHECK: r"entry 6\b"},
    ),
    "two entries of one bill are exchanged": (
        exchange_acts_of_one_bill,
        {CHECK: r"entry [0-9]+ \(TRANSFER by yunling on bill:.* does not stand"},
    ),
    "two entries that the law would allow in either order are exchanged": (
        swapped("entries", "idx", -1, -2),
        {CHECK: r"tree node 0/[0-9]+, made by entry [0-9]+"},
    ),
    # the tree
    "a leaf's hash is changed": (
        changed("nodes", "hash", at=3),
        {CHECK: "tree node 0/3, made by entry 3"},
    ),
    "an inner hash is changed": (
        changed("nodes", "hash", at=-1),
        {CHECK: "tree node"},
    ),
    "a hash is deleted": (
        deleted("nodes", 3),
        {CHECK: "tree node 0/3"},
    ),
    "a hash is added": (
        inserted("nodes", level=0, idx=1000),
        {CHECK: "tree nodes are stored"},
    ),
    "two hashes are exchanged": (
        swapped("nodes", "idx", 3, 4),
        {CHECK: "tree node 0/3"},
    ),
    # checkpoints
    "a checkpoint is changed": (
        changed("checkpoints", "note", at=4),
        {CHECK: "the checkpoint of size [0-9]+ is not the log's"},
    ),
    "the last checkpoint is deleted": (
        deleted("checkpoints"),
        {CHECK: "no checkpoint covers the head"},
    ),
    "a checkpoint is added beyond the log": (
        inserted("checkpoints", size=1000),
        {CHECK: "more than the [0-9]+ entries"},
    ),
    "two checkpoints are exchanged": (
        swapped("checkpoints", "size", 4, 5),
        {CHECK: "the checkpoint of size [0-9]+ states"},
    ),
    "an older checkpoint is put in the head": (
        put_older_note_in_head,
        {CHECK: "the head's own note", START: "its own checkpoint covers"},
    ),
    # documents
    "a document's bytes are replaced": (
        changed("documents", "content"),
        {CHECK: "document [0-9a-f]{64} was changed"},
    ),
    "a document is deleted": (
        deleted("documents"),
        {CHECK: "document [0-9a-f]{64} is missing"},
    ),
    "a document is renamed": (
        changed("documents", "digest"),
        {CHECK: "document [0-9a-f]{64} is missing"},
    ),
    "what is known of a document is changed": (
        changed("documents", "facts", to=lambda facts: facts.replace(b"XLSCMANY", b"XLSCMANX")),
        {CHECK: "cached facts of document"},
    ),
    # cosignatures
    "a cosignature is changed": (
        changed("cosignatures", "line", to=broken_signature),
        {CHECK: "the cosignature of .* does not hold: the signature", READER: "signature"},
    ),
    "a cosignature is no line of a signature": (
        changed("cosignatures", "line", to=lambda _: "x"),
        {CHECK: "the cosignature of .* does not hold: ", READER: "note|sign"},
    ),
    "a cosignature is made another's": (
        changed("cosignatures", "witness", to=lambda witness: f"x{witness}"),
        {CHECK: "the cosignature of x.* is of none of the witnesses", READER: NOTHING},
    ),
    "a cosignature is added": (
        inserted("cosignatures", witness="stranger+00000000"),
        {CHECK: r"the cosignature of stranger\+00000000 under size [0-9]+ is of none of"},
    ),
    "a cosignature is deleted": (
        deleted("cosignatures"),
        {CHECK: NOTHING, READER: "the quorum is not met"},
    ),
    "a cosignature is put under another checkpoint": (
        put_cosignature_under_older_checkpoint,
        {CHECK: r"the cosignature of .* does not hold: the signature", READER: "quorum"},
    ),
}


@pytest.mark.parametrize(("act", "noticed"), LOG.values(), ids=LOG)
def test_it_is_noticed_and_named_when(scene: KnownLog, act: Act, noticed: Noticed) -> None:
    scene.do(act)
    scene.require_noticed(noticed)


def test_dropped_triggers_are_named_by_check(scene: KnownLog) -> None:
    drop_triggers(scene.path.store.engine)
    assert re.search(
        r"triggers are not in place: .*entries_no_delete \(missing\)", scene.outside.says(Who.KEPT)
    )
