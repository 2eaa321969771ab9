"""Who would have cargo, or know of it, by speaking between the platforms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from bol_service.application.delivery_abroad_home import Wanted
from bol_service.application.delivery_abroad_ports import BadEvidence, NotReached, OldEvidence
from bol_service.bootstrap import platform_keys
from bol_service.client import Refused
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.note import sign_note
from bol_service.verification.bundle import (
    HiddenEntry,
    checkpoint_digest,
    read_bundle,
    read_statement,
)
from bol_service.wire import drafting
from bol_service.wire.abroad import (
    Kind,
    crossing_body,
    read_cover,
    write_cover,
)
from bol_service.wire.event_fields import instant_text
from tests.delivery_peer import ask, crossing, gate, hanging, keeper, recovered, restated, take
from tests.delivery_scene import CUSTOMS, NAMES, TERMINAL, Delivery, delivery
from tests.many_bills import container
from tests.two_platforms import CQ, SG, Side

Json = dict[str, Any]
STRANGER = LocalSigner(generate(Algorithm.ES256))
NO_SHIPMENT = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """The container has been discharged; the bill is with the bank in Singapore. Of another bill
    nobody there may know."""
    with delivery(tmp_path_factory.mktemp("thief")) as ready:
        (ready.hidden,) = ready.two.issue(1)
        ready.journey()
        ready.discharge()
        ready.cross()
        yield ready


# -- who asks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"signer": STRANGER}, "verifies under none", id="a key that is not pinned"),
        pytest.param({"sender": "THXX"}, "no pinned key", id="a platform that is no peer"),
        pytest.param({"receiver": SG}, "the request is for SGPX", id="meant for another platform"),
        pytest.param({"path": Kind.EVENT}, "was sent to", id="of another kind than the address"),
    ],
)  # fmt: skip
def test_a_platform_that_has_not_signed_this_request_is_told_nothing(
    scene: Delivery, changes: Json, words: str
) -> None:
    body = {"name": TERMINAL, "bill": scene.bill}
    status, problem = ask(scene, Kind.EVIDENCE, body, **changes)
    assert (status, problem["code"]) == (403, "not_exchange")
    assert words in problem["detail"]


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_request_of_another_hour_is_not_answered(scene: Delivery, minutes: int) -> None:
    at = scene.two.clock["now"] + timedelta(minutes=minutes)
    status, problem = ask(scene, Kind.HEAD, {"name": TERMINAL, "stream": scene.stream}, at=at)
    assert (status, problem["code"]) == (403, "not_exchange")


def test_evidence_is_told_for_the_reader_who_is_named_and_no_other(scene: Delivery) -> None:
    cover, _ = read_cover(crossing(scene).cover)
    assert (cover.reader, cover.party) == (TERMINAL, NAMES[TERMINAL])
    for name in ("straits", "nobody", "sgterm"):
        status, problem = ask(scene, Kind.EVIDENCE, {"name": name, "bill": scene.bill})
        assert (status, problem["code"]) == (404, "not_found"), name
        status, found = ask(scene, Kind.EVIDENCE, {"name": name, "container": scene.box})
        assert (status, found) == (200, {"evidence": []}), name


def test_a_terminal_sees_neither_document_nor_who_holds_the_bill(scene: Delivery) -> None:
    given = crossing(scene)
    statement, _ = read_statement(read_bundle(given.bundle).statement)
    assert statement.is_partial
    for secret in (b"banksg", b"yunling", b"consignmentItems", b"TRANSFER"):
        assert secret not in given.bundle.replace(b'"', b"")
    hidden = [e for e in read_bundle(given.bundle).entries if isinstance(e, HiddenEntry)]
    assert hidden


def test_the_bank_abroad_sees_custody_and_what_the_carrier_answers(scene: Delivery) -> None:
    cover, _ = read_cover(crossing(scene, "banksg").cover)
    assert (cover.reader, cover.party) == ("banksg", None)


@pytest.mark.parametrize("name", ["sgterm", "nobody"])
def test_no_head_is_told_for_who_is_not_reached(scene: Delivery, name: str) -> None:
    status, problem = ask(scene, Kind.HEAD, {"name": name, "stream": scene.stream})
    assert (status, problem["code"]) == (403, "not_reached")


def test_a_party_abroad_reads_on_its_own_platform_where_crossings_are_logged(
    scene: Delivery,
) -> None:
    client = replace(
        scene.cq.client("wrail"), party=NAMES[TERMINAL], signer=scene.signers[TERMINAL]
    )
    with pytest.raises(Refused, match="read there"):
        client.get("/v1/bills")


# -- who acts --------------------------------------------------------------------------------------


def event(scene: Delivery, actor: str, signer: LocalSigner, action: str, stream: str) -> str:
    payload = drafting.payload(
        action=action,
        actor=actor,
        at=scene.two.clock["now"],
        audience=scene.cq.origin,
        stream=stream,
        after=None,
        details=scene.fact(),
    )
    return drafting.sign(payload, signer)


def test_a_platform_relays_for_nobody_but_its_own_parties(scene: Delivery) -> None:
    railway = scene.cq.signers["wrail"]
    stolen = event(scene, "wrail", railway, "DISCHARGED", scene.stream)
    for name in (TERMINAL, "wrail"):
        status, problem = ask(scene, Kind.EVENT, {"name": name, "event": stolen})
        assert (status, problem["code"]) == (403, "not_reached")
    own = event(scene, NAMES[TERMINAL], scene.signers[TERMINAL], "DISCHARGED", scene.stream)
    status, problem = ask(scene, Kind.EVENT, {"name": CUSTOMS, "event": own})
    assert (status, problem["code"]) == (403, "not_reached")


def test_a_party_is_reached_through_one_platform_and_no_other(scene: Delivery) -> None:
    """As if Thailand were a peer too, and told Singapore's names."""
    home = scene.cq.running.app.extensions["bol-delivery-abroad"].home
    own = event(scene, NAMES[TERMINAL], scene.signers[TERMINAL], "DISCHARGED", scene.stream)
    with pytest.raises(NotReached):
        home.record("THXX", TERMINAL, own)
    with pytest.raises(NotReached):
        home.head("THXX", TERMINAL, scene.stream)
    for name in (TERMINAL, NAMES[TERMINAL], "banksg"):
        assert home.evidence("THXX", name, Wanted(container=scene.box)) == []
        with pytest.raises(errors.NotFound):
            home.evidence("THXX", name, Wanted(bill=scene.bill))
        with pytest.raises(errors.NotFound):  # the original is in Singapore
            home.evidence("THXX", name, Wanted(bill=scene.bill, holds=True))


def test_a_platform_cannot_sign_for_its_party(scene: Delivery) -> None:
    forged = event(scene, NAMES[TERMINAL], scene.sg.pint, "DISCHARGED", scene.stream)
    status, problem = ask(scene, Kind.EVENT, {"name": TERMINAL, "event": forged})
    assert (status, problem["code"]) == (422, "bad_signature")


def test_singapore_relays_what_its_own_party_has_signed_with_its_own_key(scene: Delivery) -> None:
    customs = scene.signers[CUSTOMS]
    swapped = event(scene, NAMES[TERMINAL], customs, "DISCHARGED", scene.stream)
    with pytest.raises(Refused, match="wrong_key"):
        scene.sg.client(TERMINAL).relay(swapped)
    named = event(scene, NAMES[TERMINAL], customs, "DISCHARGED", scene.stream)
    with pytest.raises(Refused, match="apply for the registration first"):
        scene.sg.client(CUSTOMS).relay(named)
    bank = event(scene, "banksg", scene.sg.signers["banksg"], "DISCHARGED", scene.stream)
    with pytest.raises(Refused, match="apply for the registration first"):
        scene.sg.client("banksg").relay(bank)


@pytest.mark.parametrize(
    ("who", "key", "wanted"),
    [
        pytest.param("straits", "new", "wrail", id="a slug that is taken"),
        pytest.param("straits", TERMINAL, "other-name", id="a key that applied before"),
        pytest.param("straits", "wrail", "other-name", id="a key of a party here"),
        pytest.param(TERMINAL, "new", "other-name", id="who is registered under another slug"),
    ],
)
def test_what_is_registered_is_not_taken_over_by_an_application(
    scene: Delivery, who: str, key: str, wanted: str
) -> None:
    keys = {**scene.cq.signers, **scene.signers, "new": LocalSigner(generate(Algorithm.ED25519))}
    application = scene.application(TERMINAL, keys[key], name=wanted)
    body = {name: application[name] for name in ("party", "details")}
    status, problem = ask(scene, Kind.APPLICATION, {"name": who, "application": body})
    assert (status, problem["code"]) == (409, "already_registered")


def test_who_issues_or_holds_does_not_apply_from_abroad(scene: Delivery) -> None:
    mine = LocalSigner(generate(Algorithm.ED25519))
    wanted = scene.application(TERMINAL, mine, name="bank-sg")
    details = {**wanted["details"], "roles": ["BANK"]}
    body = {"name": "straits", "application": {"party": "bank-sg", "details": details}}
    status, problem = ask(scene, Kind.APPLICATION, body)
    assert (status, problem["code"]) == (422, "bad_event")
    assert "BANK" in problem["detail"]


def test_an_application_with_another_s_proof_is_refused(scene: Delivery) -> None:
    mine, other = (LocalSigner(generate(Algorithm.ED25519)) for _ in range(2))
    wanted = scene.application(TERMINAL, mine, name="new-terminal")
    proof = scene.application(TERMINAL, other, name="new-terminal")["details"]["keyProof"]
    details = {**wanted["details"], "keyProof": proof}
    body = {"name": "straits", "application": {"party": "new-terminal", "details": details}}
    status, problem = ask(scene, Kind.APPLICATION, body)
    assert (status, problem["code"]) == (422, "bad_signature")


# -- evidence --------------------------------------------------------------------------------------


def test_evidence_is_kept_once_it_verifies_and_the_same_again_is_fine(scene: Delivery) -> None:
    given = crossing(scene)
    assert take(scene, given).size == take(scene, given).size
    status, _ = ask(
        scene, Kind.OFFER, crossing_body(given),
        to=scene.sg, sender=CQ, receiver=SG, signer=scene.cq.pint,
    )  # fmt: skip
    assert status == 204


def test_evidence_of_another_reader_is_not_what_was_asked_for(scene: Delivery) -> None:
    with pytest.raises(BadEvidence, match="was asked for"):
        take(scene, crossing(scene, CUSTOMS), reader=TERMINAL)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"reader": "nobody"}, "no party here", id="a reader who is no party here"),
        pytest.param({"party": "wrail"}, "has not applied", id="a name it never applied for"),
        pytest.param({"origin": "demo.th.example/ebl"}, "is pinned", id="of another ledger"),
        pytest.param({"bill": "0" * 64}, "the cover is of bill", id="of another bill"),
        pytest.param({"shipment": NO_SHIPMENT}, "bundle tells of", id="of another shipment"),
    ],
)  # fmt: skip
def test_a_cover_that_does_not_fit_is_refused(scene: Delivery, changes: Json, words: str) -> None:
    given = crossing(scene)
    with pytest.raises(BadEvidence, match=words):
        take(scene, recovered(scene, given, given.bundle, **changes))


def test_a_cover_is_signed_by_the_platform_of_issue(scene: Delivery) -> None:
    given = crossing(scene)
    cover, _ = read_cover(given.cover)
    forged = write_cover(cover, LocalSigner(generate(Algorithm.ED25519)))
    with pytest.raises(BadEvidence, match="no statement key"):
        take(scene, replace(given, cover=forged))
    other = crossing(scene, CUSTOMS)
    with pytest.raises(BadEvidence, match="came with it"):
        take(scene, replace(given, bundle=other.bundle))


def test_a_bundle_that_was_changed_is_refused(scene: Delivery) -> None:
    given = crossing(scene)
    bundle = read_bundle(given.bundle)
    cut = replace(bundle, entries=bundle.entries[:-1]).to_bytes()
    with pytest.raises(BadEvidence, match="NOT GENUINE"):
        take(scene, recovered(scene, given, cut))
    garbage = recovered(scene, given, b"{}")
    with pytest.raises(BadEvidence, match="NOT GENUINE"):
        take(scene, garbage)


def test_a_whole_bundle_with_the_document_does_not_cross(scene: Delivery) -> None:
    content = scene.cq.running.services.evidence.bundle(scene.bill, "xlsc")
    statement, _ = read_statement(read_bundle(content).statement)
    with pytest.raises(BadEvidence, match="only partial bundles"):
        take(scene, recovered(scene, crossing(scene), content, at=statement.at))


def test_older_evidence_does_not_take_the_place_of_newer(scene: Delivery) -> None:
    old = crossing(scene)
    scene.two.tick(2)
    new = take(scene, crossing(scene))
    with pytest.raises(OldEvidence, match="is kept"):
        take(scene, old)
    kept = scene.book(scene.sg).kept(CQ, scene.bill, TERMINAL)
    assert kept is not None
    assert kept.at == new.at
    status, problem = ask(
        scene, Kind.OFFER, crossing_body(old),
        to=scene.sg, sender=CQ, receiver=SG, signer=scene.cq.pint,
    )  # fmt: skip
    assert (status, problem["code"]) == (409, "old_evidence")


def test_evidence_from_the_future_is_refused(scene: Delivery) -> None:
    later = scene.two.clock["now"] + timedelta(minutes=6)
    with pytest.raises(BadEvidence, match="set the clocks"):
        take(scene, restated(scene, crossing(scene), at=later))


def test_a_log_with_two_roots_at_one_size_is_forked(scene: Delivery) -> None:
    given = crossing(scene)
    take(scene, given)
    log_signer, _ = platform_keys(scene.cq.settings)
    bundle = read_bundle(given.bundle)
    statement, _ = read_statement(bundle.statement)
    root = hashlib.sha256(b"another history").digest()
    checkpoint = Checkpoint(origin=scene.cq.origin, size=statement.size, root=root)
    note = sign_note(
        checkpoint.body(), scene.cq.origin, log_signer.sign, log_signer.public.public_bytes_raw
    )
    forked = replace(bundle, checkpoint=note)
    made = restated(
        scene,
        replace(given, bundle=forked.to_bytes()),
        root=root,
        checkpoint_digest=checkpoint_digest(note),
    )
    # Even if every proof fitted, the root alone tells.
    book = scene.book(scene.sg)
    assert book.root_at(CQ, statement.size) == statement.root.hex()
    with pytest.raises(BadEvidence):
        take(scene, made)
    kept = take(scene, crossing(scene))
    honest = read_bundle(kept.bundle)
    told, _ = read_statement(honest.statement)
    with pytest.raises(BadEvidence, match="has forked"):
        keeper(scene)._require_same_history(kept, honest, replace(told, root=root))


def test_a_longer_log_with_another_entry_at_an_old_place_is_forked(scene: Delivery) -> None:
    kept = take(scene, crossing(scene))
    bundle = read_bundle(kept.bundle)
    told, _ = read_statement(bundle.statement)
    other = tuple(
        replace(entry, digest=b"x" * 32) if isinstance(entry, HiddenEntry) else entry
        for entry in bundle.entries
    )
    longer = replace(told, size=told.size + 1000, root=b"y" * 32)
    later = replace(kept, size=longer.size)
    keeper(scene)._require_same_history(later, bundle, longer)
    with pytest.raises(BadEvidence, match="another one than in the evidence of"):
        keeper(scene)._require_same_history(later, replace(bundle, entries=other), longer)


# -- the gate's answer -----------------------------------------------------------------------------


def test_a_platform_that_hangs_holds_the_gate_up_until_the_deadline_and_no_longer(
    scene: Delivery,
) -> None:
    kept = take(scene, crossing(scene))
    began = monotonic()
    with hanging() as link:
        (answer,) = gate(scene, link, 0.3).answers(scene.box, TERMINAL)
        assert monotonic() - began < 20
    assert (answer["answer"], answer["code"]) == ("DO NOT RELEASE", "peer_unreachable")
    assert answer["asOf"] == kept.at
    assert kept.at in answer["reason"]


def test_a_platform_that_is_away_gives_no_release(scene: Delivery) -> None:
    served, scene.cq.served = scene.cq.served, None
    try:
        answer = scene.check()
        with pytest.raises(Refused, match="peer_unreachable"):
            scene.discharge()
    finally:
        scene.cq.served = served
    assert (answer["answer"], answer["code"]) == ("DO NOT RELEASE", "peer_unreachable")


@pytest.mark.parametrize(
    ("seconds", "code", "words"),
    [
        pytest.param(60, "no_surrender", "ISSUED|MOVED", id="as old as it may be"),
        pytest.param(61, "stale_evidence", "61 seconds old", id="too old"),
        pytest.param(301, "peer_unreachable", "set the clocks", id="clocks too far apart to ask"),
    ],
)
def test_evidence_of_a_clock_that_lags_is_stale(
    scene: Delivery, seconds: int, code: str, words: str
) -> None:
    """Singapore's clock has gone on, Chongqing's has not."""
    assert scene.check()["code"] == "no_surrender"
    now = scene.two.clock["now"]
    file = scene.sg.settings.clock_file
    assert file is not None
    file.write_text(instant_text(now + timedelta(seconds=seconds)), encoding="ascii")
    try:
        answer = scene.sg.running.services.queries.release_check(scene.box, TERMINAL)
    finally:
        file.write_text(instant_text(now), encoding="ascii")
    assert (answer["answer"], answer["code"]) == ("DO NOT RELEASE", code)
    assert re.search(words, answer["reason"])


def test_a_stranger_to_the_delivery_learns_nothing_at_the_gate(scene: Delivery) -> None:
    for slug in ("straits", "sgterm"):
        answer = scene.check(slug)
        assert (answer["code"], "bill" in answer) == ("not_found", False)


# -- the log of what crossed, and what did not -----------------------------------------------------


def test_every_crossing_is_a_line_on_both_sides(scene: Delivery) -> None:
    scene.two.tick()
    take(scene, crossing(scene))
    scene.two.tick()
    digest = hashlib.sha256(crossing(scene).bundle).hexdigest()
    flows = [flow for _, flow in _flows(scene.cq)]
    (line,) = [flow for flow in flows if flow.digest == digest]
    assert (line.direction, line.platform, line.bill) == ("OUT", SG, scene.bill)
    assert (line.what, line.recipient) == ("evidence", TERMINAL)
    assert line.basis == "CUSTODIAN DELIVERY_TERMINAL"
    kept = scene.book(scene.sg).kept(CQ, scene.bill, TERMINAL)
    assert kept is not None
    held = hashlib.sha256(kept.bundle).hexdigest()
    assert [f.direction for _, f in _flows(scene.sg) if f.digest == held][:1] == ["IN"]
    assert [f.direction for _, f in _flows(scene.cq) if f.digest == held][:1] == ["OUT"]


def _flows(side: Side) -> list[Any]:
    from bol_service.storage.exchange import SqlExchange

    return SqlExchange(side.running.store).flows(0, 10_000)


def test_nothing_of_a_bill_is_in_singapore_before_a_party_there_may_see_it(
    scene: Delivery,
) -> None:
    stored = b"".join(
        file.read_bytes()
        for file in (scene.two.folder / SG).iterdir()
        if file.name.startswith("ledger.db")
    )
    assert scene.bill.encode() in stored
    hidden = scene.hidden
    for value in (hidden, container(0), "XLSCMANY000000", "XLBMANY000000"):
        assert value.encode() not in stored, value
