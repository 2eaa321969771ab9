"""The delivery in Singapore of a bill that Chongqing issued: acts, evidence, the gate's answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bol_service.application.delivery_abroad_kept import read_kept
from bol_service.application.delivery_abroad_ports import Kept
from bol_service.application.delivery_abroad_release import GateAbroad
from bol_service.application.delivery_abroad_shown import _orders as _orders_of
from bol_service.client import Answered, Refused
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.events import CancelDeliveryOrder, Event, OrderDelivery
from bol_service.storage.exchange import SqlExchange
from bol_service.verification.bundle import ShownEntry, read_bundle
from bol_service.verification.report import Verdict
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.abroad import Kind
from bol_service.wire.events import decode
from tests.delivery_peer import ask
from tests.delivery_scene import CUSTOMS, NAMES, OTHER_CODE, TERMINAL, Delivery, delivery
from tests.stormy_border import audited
from tests.two_platforms import trust_of, two_platforms

Json = dict[str, Any]


@dataclass(kw_only=True)
class Story:
    """How it went: the gate's answers at each stage, and what was pushed meanwhile."""

    scene: Delivery
    checks: dict[str, Json] = field(default_factory=dict)
    receipts: tuple[Answered, Answered] | None = None
    guess: str = ""
    bank: bytes = b""
    cleared: Kept = field(init=False)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with delivery(tmp_path_factory.mktemp("story")) as scene:
        told = Story(scene=scene)
        _play(told)
        yield told


def _play(story: Story) -> None:
    scene = story.scene
    scene.two.until(lambda: _place(scene) == "GATE_IN")
    scene.journey()
    scene.two.until(lambda: _place(scene) == "VESSEL_DEPARTED")
    abroad = scene.abroad(TERMINAL)
    payload = abroad.draft_event("DISCHARGED", scene.stream, scene.fact())
    compact = drafting.sign(payload, scene.signers[TERMINAL])
    story.receipts = abroad.home.relay(compact), abroad.home.relay(compact)
    story.checks["discharged"] = scene.check()
    scene.cross()
    scene.surrender()
    story.checks["surrendered"] = scene.check()
    scene.give_order()
    scene.two.until(lambda: scene.order in _orders(scene, "banksg"))
    path = f"/v1/abroad/evidence/CQGY/{scene.bill}"
    story.bank = scene.sg.client("banksg").fetch(path).content
    story.checks["ordered"] = scene.check()
    scene.clear()
    story.checks["cleared"] = scene.check()
    cleared = scene.book(scene.sg).kept("CQGY", scene.bill, TERMINAL)
    assert cleared is not None
    story.cleared = cleared
    with pytest.raises(Refused) as refused:
        scene.gate_out(code=OTHER_CODE)
    story.guess = refused.value.code
    scene.gate_out()
    story.checks["out"] = scene.check()


def _place(scene: Delivery) -> str | None:
    kept = scene.sg.client(TERMINAL).get("/v1/abroad/evidence")["items"]
    return kept[0]["containers"][0]["place"] if kept else None


def _orders(scene: Delivery, reader: str) -> list[str]:
    kept = scene.book(scene.sg).kept("CQGY", scene.bill, reader)
    return [] if kept is None else [order.digest for order in read_kept(kept)[1].orders]


def test_the_gate_hears_at_each_stage_what_is_still_missing(story: Story) -> None:
    codes = {stage: answer["code"] for stage, answer in story.checks.items()}
    assert codes == {
        "discharged": "no_surrender",
        "surrendered": "no_delivery_order",
        "ordered": "customs",
        "cleared": "release",
        "out": "do_replay",
    }
    answers = [answer["answer"] for answer in story.checks.values()]
    assert answers == ["DO NOT RELEASE"] * 3 + ["RELEASE", "DO NOT RELEASE"]
    released = story.checks["cleared"]
    assert (released["order"], released["platform"]) == (story.scene.order, "CQGY")


def test_the_gate_out_of_singapore_accomplishes_the_bill_of_chongqing(story: Story) -> None:
    assert story.guess == "wrong_code"
    state = story.scene.cq.client("xlsc").get(f"/v1/bills/{story.scene.bill}")
    assert state["status"] == "ACCOMPLISHED"
    assert audited(story.scene.cq).problems == []
    assert audited(story.scene.sg).problems == []


def test_the_same_act_again_gets_the_same_receipt(story: Story) -> None:
    assert story.receipts is not None
    first, again = story.receipts
    assert (first.status, again.status) == (201, 200)
    assert first.json() == again.json()


def test_the_bank_abroad_has_evidence_that_anybody_can_verify(story: Story) -> None:
    now = story.scene.two.clock["now"]
    report = verify(story.bank, trust_of(story.scene.cq), now)
    assert report.verdict is Verdict.CURRENT
    path = f"/v1/abroad/evidence/CQGY/{story.scene.bill}"
    with pytest.raises(Refused, match="not_found"):
        story.scene.sg.client("straits").get(path)


def test_an_applicant_waits_for_the_operator_and_replaces_its_key_there_first(
    tmp_path: Path,
) -> None:
    with two_platforms(tmp_path, delivers=True) as two:
        scene = Delivery(two=two)
        application = scene.enrol(TERMINAL)
        assert scene.apply(TERMINAL, application) == {"status": "waiting"}
        assert scene.apply(TERMINAL, application) == {"status": "waiting"}
        with pytest.raises(Refused, match="not_operator"):
            two.cq.client("wrail").get("/v1/abroad/applications")
        (waiting,) = two.cq.client("operator").get("/v1/abroad/applications")["items"]
        names = (waiting["platform"], waiting["name"], waiting["party"])
        assert names == ("SGPX", TERMINAL, NAMES[TERMINAL])
        with pytest.raises(Refused, match="not_reached"):
            _rotate(scene, LocalSigner(generate(Algorithm.ED25519)))
        scene.enrol(CUSTOMS)
        rival = scene.application(CUSTOMS, scene.signers[CUSTOMS], name=NAMES[TERMINAL])
        assert scene.apply(CUSTOMS, rival) == {"status": "waiting"}
        scene.approve(NAMES[TERMINAL])
        assert scene.apply(TERMINAL, application) == {"status": "registered"}
        # Who wanted the same name has nothing of it.
        assert scene.apply(CUSTOMS, rival) == {"status": "waiting"}
        with pytest.raises(Refused, match="not_reached"):
            scene.sg.client(CUSTOMS).get(
                f"/v1/abroad/streams/party:{NAMES[TERMINAL]}/head", origin=scene.cq.origin
            )
        waiting = two.cq.client("operator").get("/v1/abroad/applications")["items"]
        assert [item["name"] for item in waiting] == [CUSTOMS]

        fresh = LocalSigner(generate(Algorithm.ED25519))
        _rotate(scene, fresh)
        with pytest.raises(Refused, match="key_revoked"):
            _rotate(scene, LocalSigner(generate(Algorithm.ED25519)))
        here = drafting.prove_key(fresh, origin=two.sg.origin, party=TERMINAL)
        two.sg.client(TERMINAL).act("ROTATE_KEY", f"party:{TERMINAL}", here)
        assert isinstance(two.sg.signers, dict)
        two.sg.signers[TERMINAL] = fresh
        _rotate(scene, LocalSigner(generate(Algorithm.ED25519)))


def _rotate(scene: Delivery, fresh: LocalSigner) -> None:
    """Replace the key in Chongqing's ledger, through Singapore."""
    name = NAMES[TERMINAL]
    there = drafting.prove_key(fresh, origin=scene.cq.origin, party=name)
    scene.abroad(TERMINAL).act("ROTATE_KEY", f"party:{name}", there)


# -- who got the bill inside Singapore ------------------------------------------------------------


@dataclass(kw_only=True)
class PassedOn:
    """What Chongqing answers at each stage of a bill that the bank gives to `straits`.

    `asked` are statuses, by stage and the question; `bundle` is what `straits` got as its holder.
    """

    asked: dict[str, dict[str, int]] = field(default_factory=dict)
    bundle: bytes = b""
    verdict: Verdict = field(init=False)
    bases: set[str] = field(init=False)
    stranger: str = ""
    said: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: int = 0


@pytest.fixture(scope="module")
def passed_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PassedOn]:
    with delivery(tmp_path_factory.mktemp("passed-on")) as scene:
        told = PassedOn()
        told.asked["at home"] = _asked_about(scene)
        scene.cross()
        for action in ("ENDORSE_TO_ORDER", "TRANSFER"):
            scene.sg.act("banksg", action, scene.bill, recipient="straits")
        told.asked["in Singapore"] = _asked_about(scene)
        told.said["in Singapore"] = _said(scene)
        told.bundle = _fresh(scene, "straits")
        trust, now = trust_of(scene.cq), scene.two.clock["now"]
        told.verdict = verify(told.bundle, trust, now).verdict
        with pytest.raises(Refused) as refused:
            _fresh(scene, "sgterm")
        told.stranger = refused.value.code
        flows = SqlExchange(scene.cq.running.store).flows(0, 100)
        told.bases = {flow.basis for _, flow in flows if flow.recipient == "straits"}
        scene.sg.act("straits", "SURRENDER_FOR_DELIVERY", scene.bill)
        scene.two.settled(scene.bill)
        told.asked["surrendered"] = _asked_about(scene)
        told.said["surrendered"] = _said(scene)
        body = {"name": "xlsc", "bill": scene.bill, "holds": True}
        how = {"sender": "CQGY", "receiver": "SGPX", "signer": scene.cq.pint, "to": scene.sg}
        told.elsewhere, _ = ask(scene, Kind.EVIDENCE, body, **how)
        yield told


def _fresh(scene: Delivery, party: str) -> bytes:
    path = f"/v1/abroad/evidence/CQGY/{scene.bill}"
    return scene.sg.client(party).fetch(path, fresh="true").content


def _said(scene: Delivery) -> list[str]:
    """Of whom Singapore says to which platform that it holds the bill."""
    abroad = scene.sg.running.services.abroad
    assert abroad is not None
    pairs = [(party, code) for party in ("banksg", "straits") for code in ("CQGY", "THXX")]
    return [f"{party} to {code}" for party, code in pairs if abroad._holds(party, scene.bill, code)]


def _asked_about(scene: Delivery) -> dict[str, int]:
    """The statuses that Singapore gets for a party that Chongqing never heard of."""
    about = {"name": "nusantara", "bill": scene.bill}
    questions: dict[str, Json] = {
        "as the holder": {**about, "holds": True},
        "without a word": about,
        "with a word that is none": {**about, "holds": "yes"},
        "of a container": {"name": "nusantara", "container": scene.box, "holds": True},
    }
    return {how: ask(scene, Kind.EVIDENCE, body)[0] for how, body in questions.items()}


def test_who_got_the_bill_inside_singapore_sees_its_custody_before_any_surrender(
    passed_on: PassedOn,
) -> None:
    bundle = read_bundle(passed_on.bundle)
    shown = [decode(e.entry.event).event for e in bundle.entries if isinstance(e, ShownEntry)]
    about = [event for event in shown if not event.stream.startswith("party:")]
    assert {event.action for event in about} == {"ISSUE", "GATE_IN"}
    assert bundle.document is None
    assert passed_on.verdict is Verdict.NOT_KNOWN_CURRENT  # the original is not there


def test_on_whose_word_it_crossed_is_in_the_flow_log(passed_on: PassedOn) -> None:
    assert passed_on.bases == {"HOLDER_SAID_BY_SGPX"}


def test_singapore_asks_as_the_holder_for_its_holder_alone(passed_on: PassedOn) -> None:
    assert passed_on.stranger == "not_found"
    assert passed_on.said == {"in Singapore": ["straits to CQGY"], "surrendered": []}


@pytest.mark.parametrize(
    ("stage", "as_the_holder"),
    [
        pytest.param("at home", 404, id="never before the original is there"),
        pytest.param("in Singapore", 200, id="while the original is there"),
        pytest.param("surrendered", 404, id="never after it has come back"),
    ],
)
def test_a_platform_says_who_holds_what_is_there(
    passed_on: PassedOn, stage: str, as_the_holder: int
) -> None:
    assert passed_on.asked[stage] == {
        "as the holder": as_the_holder,
        "without a word": 404,
        "with a word that is none": 422,
        "of a container": 422,
    }


def test_of_what_was_issued_elsewhere_a_platform_shows_nobody_s_custody(
    passed_on: PassedOn,
) -> None:
    assert passed_on.elsewhere == 404


# -- what is not shown is not assumed --------------------------------------------------------------


def _without(kept: Kept, hidden: Callable[[Event], bool]) -> Kept:
    """As if the platform had left these events out."""
    bundle = read_bundle(kept.bundle)
    entries = tuple(
        entry
        for entry in bundle.entries
        if not (isinstance(entry, ShownEntry) and hidden(decode(entry.entry.event).event))
    )
    return replace(kept, bundle=replace(bundle, entries=entries).to_bytes())


@pytest.mark.parametrize(
    ("hidden", "code"),
    [
        pytest.param(lambda event: False, "release", id="all is shown"),
        pytest.param(
            lambda event: event.action == "SACC", "no_surrender", id="no accepted surrender"
        ),
        pytest.param(
            lambda event: event.action == "REGISTER" and event.stream == "party:xlsc",
            "no_surrender",
            id="nobody who is registered as a carrier has accepted it",
        ),
        pytest.param(
            lambda event: event.action == "DELIVERY_ORDER", "no_delivery_order", id="no order"
        ),
        pytest.param(
            lambda event: event.action == "CUSTOMS_RELEASE", "customs", id="no customs release"
        ),
        pytest.param(
            lambda event: event.stream.startswith("custody:"),
            "bad_transition",
            id="no custody at all",
        ),
    ],
)
def test_what_the_evidence_does_not_show_does_not_count(
    story: Story, hidden: Callable[[Event], bool], code: str
) -> None:
    scene = story.scene
    services = scene.sg.running.services
    gate = services.queries._elsewhere
    assert isinstance(gate, GateAbroad)
    answer = gate._judged(_without(story.cleared, hidden), scene.box)
    assert answer["code"] == code
    assert (answer["answer"] == "RELEASE") == (code == "release")


def test_an_order_that_was_cancelled_or_is_another_carrier_s_does_not_count(story: Story) -> None:
    _, shown, _ = read_kept(story.cleared)
    assert [order.digest for order in shown.orders] == [story.scene.order]
    bundle = read_bundle(story.cleared.bundle)
    signed = [decode(e.entry.event) for e in bundle.entries if isinstance(e, ShownEntry)]
    (order,) = [one for one in signed if isinstance(one.event, OrderDelivery)]
    cancel = CancelDeliveryOrder(
        **{
            name: getattr(order.event, name)
            for name in ("id", "actor", "at", "audience", "stream", "previous")
        },
        sequence=order.event.sequence + 1,
        order=order.parsed.digest,
        reason="another order",
    )
    cancelled = replace(order, event=cancel)
    carrier = order.event.actor
    assert [one.cancelled for one in _orders_of([order, cancelled], carrier)] == [True]
    stranger = replace(order, event=replace(order.event, actor="other"))
    assert _orders_of([stranger], carrier) == ()
    assert _orders_of([order], None) == ()
