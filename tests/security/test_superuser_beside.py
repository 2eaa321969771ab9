"""What a superuser does to the tables beside the log, and how the audit names each of it.

No receipt and no witness can notice any of it, since none of it is in the log. The scene is two
platforms after a bill went abroad, came back surrendered and was accepted, at rest; each forgery
is one change to the database of one of them. Tables of which nothing can be told are on the list
of `application.audit_beside` with a reason, and no table is forgotten.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bol_service.application import audit_beside
from bol_service.application.audit import audit
from bol_service.application.audit_beside import TABLES, Care
from bol_service.application.audit_findings import AuditReport, Kind
from bol_service.application.audit_ports import Cache
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.registrations import REFUSAL_TYP, Registrations, refusal_payload
from bol_service.application.witness_ports import Dispute, Witnessed
from bol_service.bootstrap import log_verifier_key, platform_keys
from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.checkpoint import parse_checkpoint
from bol_service.ledger.note import parse_note
from bol_service.storage import schema
from bol_service.storage.audit_beside import opened_beside
from bol_service.storage.engine import open_engine
from bol_service.storage.registrations import SqlApplications
from bol_service.storage.roles import RIGHTS
from bol_service.storage.store import SqlStore
from bol_service.storage.tables import metadata
from bol_service.storage.witnessing import SqlWitnessing
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from tests.delivery_scene import Delivery, delivery
from tests.superuser import (
    Act,
    Keeper,
    Superuser,
    acting,
    changed,
    deleted,
    flipped,
    inserted,
    together,
)
from tests.two_platforms import CQ, SG, Side

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, kw_only=True)
class Database:
    """Of one platform, whose service has ended."""

    side: Side
    store: SqlStore
    keeper: Keeper
    url: str

    def do(self, act: Act) -> None:
        with acting(self.url) as user:
            act(user)
            user.restore_triggers()

    def beside(self) -> AuditReport:
        report = AuditReport()
        with opened_beside(self.store) as reading:
            deque(audit_beside.check(reading, self.side.origin, report), maxlen=0)
        return report

    def audit(self, **options: Any) -> AuditReport:
        signer, _ = platform_keys(self.side.settings)
        keys = [log_verifier_key(self.side.origin, signer)]
        return audit(self.store, keys, beside=opened_beside(self.store), **options)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    with delivery(tmp_path_factory.mktemp("beside")) as scene:
        _played(scene)
        found = {}
        for side in (scene.cq, scene.sg):
            url = side.settings.database_url
            store = SqlStore(open_engine(url))
            keeper = Keeper(store.engine)
            found[side.code] = Database(side=side, store=store, keeper=keeper, url=url)
        yield found
        for database in found.values():
            database.store.engine.dispose()


def _played(scene: Delivery) -> None:
    scene.journey()
    scene.discharge()
    scene.cross()
    scene.surrender()
    scene.check()  # so that evidence crosses
    fresh = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(fresh, origin=scene.cq.origin, party="yunling")
    scene.cq.client("yunling").act("ADD_KEY", "party:yunling", proof)
    _applied(scene)
    _cosigned(scene)
    scene.cq.stop()
    scene.sg.stop()


def _applied(scene: Delivery) -> None:
    """Somebody applied at Chongqing and was refused."""
    store = scene.cq.running.store
    desk = Registrations(store, SqlApplications(store), _Clock(scene), scene.cq.origin)
    identity = {"country": "SG", "legalName": "Nobody", "identifiers": []}
    identity["identifiers"] = [{"type": "AUTHORITY", "value": "Nobody"}]
    applicant = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(applicant, origin=scene.cq.origin, party="nobody", identity=identity)
    asked = {"party": "nobody", "identity": identity, **proof}
    found = desk.apply(json.dumps(asked).encode())
    payload = refusal_payload(found, scene.cq.origin, instant_text(scene.cq.now()), "not known")
    signer = scene.cq.signers["operator"]
    desk.refuse(found.id, jws.sign(strictjson.canonical(payload), REFUSAL_TYP, signer))


@dataclass(frozen=True)
class _Clock:
    scene: Delivery

    def now(self) -> Any:
        return self.scene.cq.now()


def _cosigned(scene: Delivery) -> None:
    """Singapore is Chongqing's witness, and was offered a log that forks."""
    note = LedgerQueries(scene.cq.running.store).checkpoint()
    said = parse_checkpoint(parse_note(note).text)
    kept = Witnessed(origin=said.origin, size=said.size, root=said.root, note=note)
    book = SqlWitnessing(scene.sg.running.store)
    book.advance(said.origin, lambda _: kept)
    other = replace(said, root=bytes(32))
    book.keep_dispute(
        Dispute(
            origin=said.origin,
            size=said.size,
            root=other.root,
            is_fork=True,
            at=scene.cq.now(),
            kept=note,
            offered=note.replace(said.body(), other.body()),
        )
    )


@pytest.fixture
def platforms(databases: dict[str, Database]) -> Iterator[dict[str, Database]]:
    yield databases
    for database in databases.values():
        database.keeper.put_back()


# -- acts ----------------------------------------------------------------------------------------


def where(table: str, test: Callable[[dict[str, Any]], Any]) -> Callable[[Superuser], int]:
    def place(user: Superuser) -> int:
        return next(at for at, row in enumerate(user.rows(table)) if test(row))

    return place


def changed_where(
    table: str,
    test: Callable[[dict[str, Any]], Any],
    column: str,
    to: Callable[[Any], Any] = flipped,
) -> Act:
    return lambda user: changed(table, column, where(table, test)(user), to)(user)


def deleted_where(table: str, test: Callable[[dict[str, Any]], Any]) -> Act:
    return lambda user: deleted(table, where(table, test)(user))(user)


def all_deleted(table: str, test: Callable[[dict[str, Any]], Any]) -> Act:
    return lambda user: user.put(table, [row for row in user.rows(table) if not test(row)])


def is_envelope(direction: str) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["direction"] == direction and row["what"] == "envelope"


def signed_by_a_stranger(compact: str) -> str:
    return jws.sign(jws.parse(compact, None).payload, None, LocalSigner(generate(Algorithm.ES256)))


def refused_by_a_stranger(compact: str) -> str:
    stranger = LocalSigner(generate(Algorithm.ED25519))
    return jws.sign(jws.parse(compact, REFUSAL_TYP).payload, REFUSAL_TYP, stranger)


def unreceived(user: Superuser) -> dict[str, Any]:
    """A reception of ours that was confirmed for one bill, put under another one."""
    row = next(row for row in user.rows("inbound_transfers") if row["answer"])
    return row | {"bill": "f" * 64, "envelope": "e" * 64}


FORGERIES: dict[str, tuple[str, Act, str]] = {
    "the bytes of a document that no entry names are changed": (
        CQ,
        changed_where(
            "documents", lambda row: row["kind"] == "envelope", "content", lambda _: b"{}"
        ),
        "document [0-9a-f]{64} was changed: its bytes are those of",
    ),
    "a document's facts are put under another number": (
        CQ,
        changed_where("documents", lambda row: row["kind"] == "envelope", "facts", lambda _: b"{}"),
        "document [0-9a-f]{64} has facts, but is kept as envelope",
    ),
    "an envelope is made to be a transport document": (
        CQ,
        changed_where(
            "documents",
            lambda row: row["kind"] == "envelope",
            "kind",
            lambda _: "transport-document",
        ),
        "document [0-9a-f]{64} cannot be read: ",
    ),
    "a document was uploaded by a stranger": (
        CQ,
        changed("documents", "uploaded_by", to=lambda _: "stranger"),
        "document [0-9a-f]{64} was uploaded by stranger, who is no party",
    ),
    "a stranger is put among a document's uploaders": (
        CQ,
        inserted("document_uploaders", party="stranger"),
        "document [0-9a-f]{64} has the uploader stranger, who is no party",
    ),
    "the uploader of a document that never was is added": (
        CQ,
        inserted("document_uploaders", digest="f" * 64),
        "document f{64}, which .* has uploaded, is gone",
    ),
    "a notice tells of another entry": (
        CQ,
        changed_where("notices", lambda row: row["idx"] is not None, "idx", lambda _: 0),
        "notice [0-9]+ to .* does not fit entry 0",
    ),
    "a notice was told at another time": (
        CQ,
        changed_where(
            "notices",
            lambda row: row["idx"] is not None,
            "at",
            lambda _: "2020-01-01T00:00:00.000Z",
        ),
        "notice [0-9]+ to .* does not fit entry",
    ),
    "a party is not told of a key in its name": (
        CQ,
        deleted_where("notices", lambda row: row["kind"] == "ADD_KEY"),
        r"entry [0-9]+ \(ADD_KEY by yunling\) was never told to yunling",
    ),
    "a token is given for another party's key": (
        CQ,
        changed("access_tokens", "party", to=lambda _: "operator"),
        "an access token of operator was given for the key .* which is none of its",
    ),
    # the border
    "a line about an envelope that was sent is taken out of the flow log": (
        CQ,
        all_deleted("flows", is_envelope("OUT")),
        "no line of the flow log tells of envelope [0-9a-f]{64}, sent according to entry [0-9]+",
    ),
    "a line about an envelope that was received is taken out of the flow log": (
        CQ,
        all_deleted("flows", is_envelope("IN")),
        "no line of the flow log tells of envelope [0-9a-f]{64}, received according to entry",
    ),
    "a line of the flow log says that something else crossed": (
        SG,
        changed_where("flows", is_envelope("IN"), "digest"),
        "no line of the flow log tells of envelope [0-9a-f]{64}, received",
    ),
    "a line of the flow log is about another bill": (
        SG,
        changed_where("flows", is_envelope("IN"), "bill", lambda _: "f" * 64),
        "no line of the flow log tells of envelope",
    ),
    "a line of the flow log says another size": (
        CQ,
        changed_where("flows", is_envelope("OUT"), "size"),
        "line [0-9]+ of the flow log says [0-9]+ bytes; what is kept has [0-9]+",
    ),
    "a line of the flow log names an act that never was": (
        CQ,
        changed_where("flows", is_envelope("OUT"), "basis", lambda _: "act 99 of the bill"),
        "line [0-9]+ of the flow log names act 99 of the bill",
    ),
    "a line of the flow log goes nowhere": (
        CQ,
        changed("flows", "direction", to=lambda _: "UP"),
        "line [0-9]+ of the flow log says direction 'UP'",
    ),
    "an answer of ours is signed by somebody else": (
        SG,
        changed_where(
            "inbound_transfers", lambda row: row["answer"], "answer", signed_by_a_stranger
        ),
        "the transfer [0-9a-f]+ has an answer by the key .*, which was never registered",
    ),
    "an answer of ours has a broken signature": (
        SG,
        changed_where(
            "inbound_transfers",
            lambda row: row["answer"],
            "answer",
            lambda last: last[:-9] + ("B" if last[-9] != "B" else "C") + last[-8:],
        ),
        "the transfer [0-9a-f]+ cannot be read: .*signature does not verify",
    ),
    "an answer of ours was given with another status": (
        SG,
        changed_where("inbound_transfers", lambda row: row["answer"], "status", lambda _: 422),
        "the transfer [0-9a-f]+ says status 422, what it repeats says 200",
    ),
    "a transfer in is of another bill": (
        SG,
        changed("inbound_transfers", "bill", to=lambda _: "f" * 64),
        "the transfer [0-9a-f]+ says bill 'f{64}'",
    ),
    "a transfer in had another manifest": (
        SG,
        changed("inbound_transfers", "manifest"),
        "the transfer [0-9a-f]+ says manifest",
    ),
    "a reception is confirmed that no entry tells of": (
        SG,
        lambda user: user.put("inbound_transfers", [unreceived(user)]),
        "the transfer [0-9a-f]+ from CQGY was received, as its answer says; no entry says so",
    ),
    "a document counts as received that is not there": (
        SG,
        lambda user: user.put("inbound_documents", [{"bill": "b" * 64, "checksum": "c" * 64}]),
        "document c{64}, received for bill b{64}, is not kept",
    ),
    "a transfer out goes to another platform": (
        CQ,
        changed("outbound_transfers", "platform", to=lambda _: "XXXX"),
        "transfer [0-9]+ says platform 'XXXX', what it repeats says 'SGPX'",
    ),
    "a transfer out is put in that nobody asked for": (
        CQ,
        inserted("outbound_transfers", number=10_000),
        "no notice 10000 asked for the transfer of bill",
    ),
    "a transfer out is taken away": (
        CQ,
        deleted("outbound_transfers", 0),
        "the transfer that notice [0-9]+ on bill:.* asked for is gone",
    ),
    "a transfer out ended otherwise": (
        CQ,
        changed("outbound_transfers", "stage", to=lambda _: "REFUSED"),
        "transfer [0-9]+ of bill .* is REFUSED; the entry that concluded it says otherwise",
    ),
    "a transfer out has another answer": (
        CQ,
        changed("outbound_transfers", "answer"),
        "the entry that concluded it says otherwise",
    ),
    # deliveries abroad
    "an application from abroad is for another party": (
        CQ,
        changed("peer_applications", "party", to=lambda _: "yunling"),
        "the application [0-9]+ cannot be read: .*",
    ),
    "an application from abroad is for another key": (
        CQ,
        changed("peer_applications", "kid"),
        "the application [0-9]+ says kid",
    ),
    "somebody unknown is said to have applied abroad": (
        SG,
        inserted("parties_abroad", party="stranger"),
        "stranger, who is said to have applied on CQGY, is no party",
    ),
    "evidence from abroad is changed": (
        SG,
        changed("kept_evidence", "bundle"),
        "the evidence of CQGY on bill [0-9a-f]{64} for .* says bundle",
    ),
    "evidence from abroad is given to another reader": (
        SG,
        changed("kept_evidence", "reader", to=lambda _: "straits"),
        "the evidence of CQGY on bill [0-9a-f]{64} for straits says reader 'straits'",
    ),
    "evidence from abroad is made to look newer": (
        SG,
        changed("kept_evidence", "at", to=lambda _: "2030-01-01T00:00:00.000Z"),
        "the evidence of .* says at '2030",
    ),
    "another container is put to evidence from abroad": (
        SG,
        inserted("kept_boxes", container="XLCU0000000"),
        "container XLCU0000000 of bill .* is not named by the cover",
    ),
    "a container is put to evidence that is not there": (
        SG,
        inserted("kept_boxes", reader="straits"),
        "no evidence of bill [0-9a-f]{64} of CQGY for straits is kept for container",
    ),
    "a root of the other log is changed": (
        SG,
        changed("kept_checkpoints", "root"),
        "the root of CQGY at size [0-9]+ says root",
    ),
    "the roots of the other log are taken away": (
        SG,
        lambda user: user.put("kept_checkpoints", []),
        "the root of CQGY at size [0-9]+ is gone; kept evidence states it",
    ),
    "evidence counts as owed for entries to come": (
        CQ,
        changed("evidence_followed", "size", to=lambda size: size + 1000),
        "evidence was owed up to entry [0-9]+; the log has [0-9]+",
    ),
    # applications and witnessing
    "an application is changed": (
        CQ,
        changed("registrations", "asked", to=lambda asked: asked.replace("Nobody", "Somebody")),
        "the application [0-9a-f]{64} says id",
    ),
    "an application is another party's": (
        CQ,
        changed("registrations", "party"),
        "the application [0-9a-f]{64} says party",
    ),
    "an application is refused by a stranger": (
        CQ,
        changed("registrations", "refusal", to=refused_by_a_stranger),
        "has a refusal by the key .*, which is not the operator's",
    ),
    "what was cosigned for another log is put back": (
        SG,
        changed("witnessed", "size", to=lambda size: size - 1),
        "what was cosigned of demo.cq.example/ebl says size",
    ),
    "what was cosigned for another log had another root": (
        SG,
        changed("witnessed", "root"),
        "what was cosigned of demo.cq.example/ebl says root",
    ),
    "a fork of another log is made to look unproven": (
        SG,
        changed("disputes", "kind", to=lambda _: "unproven"),
        "the dispute of demo.cq.example/ebl at size [0-9]+ says kind 'unproven'",
    ),
    "a fork of another log is another's": (
        SG,
        changed("disputes", "origin"),
        "the dispute of .* at size [0-9]+ says origin",
    ),
    "a fork of another log had another size": (
        SG,
        changed("disputes", "size", to=lambda size: size + 1),
        "the dispute of demo.cq.example/ebl at size [0-9]+ says size",
    ),
    "a fork of another log had another root": (
        SG,
        changed("disputes", "root"),
        "the dispute of demo.cq.example/ebl at size [0-9]+ says root",
    ),
}


ON_BOTH = (
    "the bytes of a document that no entry names are changed",
    "a party is not told of a key in its name",
    "a line of the flow log says another size",
    "an answer of ours is signed by somebody else",
    "evidence from abroad is given to another reader",
)


@pytest.mark.parametrize(("code", "act", "sentence"), FORGERIES.values(), ids=FORGERIES)
def test_check_names_it_when(
    platforms: dict[str, Database], code: str, act: Act, sentence: str
) -> None:
    database = platforms[code]
    database.do(act)
    report = database.beside()
    assert {finding.kind for finding in report.findings} == {Kind.BESIDE}
    assert any(re.search(sentence, problem) for problem in report.problems), report.problems


def test_nothing_is_named_before_anything_is_done_and_after_it_is_put_back(
    platforms: dict[str, Database],
) -> None:
    for database in platforms.values():
        assert database.audit().problems == []
        database.do(deleted("flows"))
        database.keeper.put_back()
        assert database.audit().problems == []


def test_the_whole_audit_tells_it_after_everything_about_the_log(
    platforms: dict[str, Database],
) -> None:
    database = platforms[CQ]
    database.do(changed("peer_applications", "kid"))
    database.do(changed("claims", "owner"))
    report = database.audit()
    assert [finding.kind for finding in report.findings] == [Kind.CACHE, Kind.BESIDE]
    healed = database.audit(rebuild=True)
    assert healed.rebuilt
    assert not healed.is_sound
    assert [finding.kind for finding in database.audit().findings] == [Kind.BESIDE]


def test_a_number_where_bytes_should_be_is_named(platforms: dict[str, Database]) -> None:
    """SQLite keeps values of any type, and so many bytes would fill any memory."""
    database = platforms[SG]
    with database.store.engine.begin() as connection:
        statement = "UPDATE documents SET content = 4611686018427387904 WHERE kind = 'envelope'"
        connection.execute(text(statement))
    told = "\n".join(database.beside().problems)
    assert re.search("document [0-9a-f]{64} cannot be read: int is where bytes should be", told)
    assert re.search("the transfer [0-9a-f]+ cannot be read: document", told)


def test_wrong_facts_of_a_draft_are_named_and_written_anew(platforms: dict[str, Database]) -> None:
    """By them an ISSUE may yet be judged."""
    database = platforms[CQ]

    def is_draft(user: Superuser) -> Callable[[dict[str, Any]], bool]:
        bills = {row["bill"] for row in user.rows("bills")}
        return lambda row: row["facts"] is not None and row["checksum"] not in bills

    database.do(
        lambda user: changed_where("documents", is_draft(user), "facts", lambda _: b"{}")(user)
    )
    assert "the cached facts of document" in database.audit().problems[0]
    assert database.audit(rebuild=True).is_sound
    assert database.audit().problems == []


def test_it_is_the_same_on_postgresql(databases: dict[str, Database], postgres_url: str) -> None:
    for code in (CQ, SG):
        store = SqlStore(open_engine(postgres_url))
        schema.upgrade(store.engine)
        there = replace(databases[code], store=store, url=postgres_url)
        with acting(postgres_url) as user:
            user.put_all(databases[code].keeper.rows)
        assert there.beside().problems == []
        forged = [FORGERIES[name][1:] for name in ON_BOTH if FORGERIES[name][0] == code]
        there.do(together(*(act for act, _ in forged)))
        told = "\n".join(there.beside().problems)
        assert [sentence for _, sentence in forged if not re.search(sentence, told)] == []
        store.engine.dispose()


REMEMBERED = [table for table, covered in TABLES.items() if covered.remembered]


def test_rows_that_are_only_ever_added_are_there_still_in_the_next_audit(
    platforms: dict[str, Database], tmp_path: Path
) -> None:
    """Also those of which nothing else could tell: the newest line of the flow log."""
    database, book = platforms[SG], tmp_path / "book"
    assert database.audit(since=book).problems == []
    assert database.audit(since=book).problems == []
    database.do(changed("flows", "recipient"))
    [problem] = database.audit(since=book).problems
    assert re.fullmatch(r"row [0-9]+ of flows is not the one that an earlier audit saw", problem)
    [again] = database.audit(since=book).problems
    assert again == problem
    assert database.audit().problems == []
    database.keeper.put_back()
    database.do(deleted("flows"))
    assert "of flows is not the one" in database.audit(since=book).problems[-1]


# -- no table is forgotten -------------------------------------------------------------------------


def test_every_table_is_checked_or_on_the_list_with_a_reason() -> None:
    assert TABLES.keys() == metadata.tables.keys() | {"alembic_version"}
    assert all(covered.why for covered in TABLES.values())


def test_every_cache_is_compared_and_every_other_table_is_none() -> None:
    assert {name for name, covered in TABLES.items() if covered.care is Care.CACHE} == set(Cache)


def test_what_an_audit_remembers_is_what_the_service_can_only_add_to() -> None:
    added = {name for name, rights in RIGHTS.items() if rights == ("SELECT", "INSERT")}
    others = {name for name in added if TABLES[name].care in (Care.LOG, Care.CACHE)}
    assert set(REMEMBERED) == added - others


def test_every_table_that_is_checked_is_forged_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    forged = set(re.findall(r'"([a-z_]+)"', source))
    checked = {name for name, covered in TABLES.items() if covered.care is Care.CHECKED}
    assert checked <= forged


def test_the_operator_reads_of_every_table_that_is_not_checked() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = told[told.index("\n## Audit\n") : told.index("\n## Restore\n")]
    named = set(re.findall(r"`([a-z_]+)`", section))
    assert {name for name, each in TABLES.items() if each.care is Care.OPERATIONAL} <= named
