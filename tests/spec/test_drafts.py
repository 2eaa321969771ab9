"""The law of drafts: booking, instructions, versions, approval and appointments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bol_service.domain import errors
from bol_service.domain.events import Custodians, Leg
from bol_service.domain.states import DraftStatus
from tests.law import Refused, Voyage, rows
from tests.law_scene import BOX_1, BOX_2, CUSTODIANS, PORT_ONLY, SHIPMENT, digest, moment

Act = Callable[[Voyage], object]
OTHER_SHIPMENT = "0195a3c0-7c1e-7d2a-9b00-0000000000b2"


def ashore() -> Voyage:
    return Voyage()


def booked() -> Voyage:
    return Voyage(until="booked")


def published(versions: int = 1) -> Voyage:
    voyage = booked()
    voyage.submit_instructions()
    for version in range(1, versions + 1):
        voyage.publish_draft(version, content_digest=_content(version))
    return voyage


def _content(version: int) -> str:
    return digest(f"content {version}")


def suspended(slug: str) -> Voyage:
    return ashore().then(lambda v: v.suspend(slug))


def _custodians(**changes: str | None) -> Custodians:
    usual: dict[str, str | None] = {
        "receipt": "guoyuan",
        "rail": "wrail",
        "loading": "qinzhou",
        "discharge": "sgterm",
    }
    return Custodians(**{**usual, **changes})  # type: ignore[arg-type]


BOOKING = (
    Refused(
        "a shipper books nothing",
        errors.NotCarrier,
        ashore,
        lambda v: v.book("yunling"),
        "/actor",
    ),
    Refused(
        "a carrier is not its own shipper",
        errors.BadRecipient,
        ashore,
        lambda v: v.book(shipper="xlsc"),
        "/details/shipper",
    ),
    Refused(
        "the operator ships nothing",
        errors.BadRecipient,
        ashore,
        lambda v: v.book(shipper="operator"),
        "/details/shipper",
    ),
    Refused(
        "the shipper must be registered",
        errors.RecipientUnavailable,
        ashore,
        lambda v: v.book(shipper="nobody"),
        "/details/shipper",
    ),
    Refused(
        "the shipper must not be suspended",
        errors.RecipientUnavailable,
        lambda: suspended("yunling"),
        lambda v: v.book(),
        "/details/shipper",
    ),
    Refused(
        "the forwarder must be a forwarder",
        errors.BadEvent,
        ashore,
        lambda v: v.book(forwarder="bankcq"),
        "/details/forwarder",
    ),
    Refused(
        "the forwarder must be registered",
        errors.RecipientUnavailable,
        ashore,
        lambda v: v.book(forwarder="nobody"),
        "/details/forwarder",
    ),
    Refused(
        "the port of receipt must be a terminal",
        errors.BadEvent,
        ashore,
        lambda v: v.book(custodians=_custodians(receipt="wrail")),
        "/details/custodians/receipt",
    ),
    Refused(
        "the rail operator must be one",
        errors.BadEvent,
        ashore,
        lambda v: v.book(custodians=_custodians(rail="guoyuan")),
        "/details/custodians/rail",
    ),
    Refused(
        "the port of loading must be a terminal",
        errors.BadEvent,
        ashore,
        lambda v: v.book(custodians=_custodians(loading="wrail")),
        "/details/custodians/loading",
    ),
    Refused(
        "the port of discharge must be a terminal",
        errors.BadEvent,
        ashore,
        lambda v: v.book(custodians=_custodians(discharge="straits")),
        "/details/custodians/discharge",
    ),
    Refused(
        "a suspended terminal takes no leg",
        errors.RecipientUnavailable,
        lambda: suspended("sgterm"),
        lambda v: v.book(),
        "/details/custodians/discharge",
    ),
    Refused(
        "customs must be a customs authority",
        errors.BadEvent,
        ashore,
        lambda v: v.book(customs=("sgcus", "auditor")),
        "/details/customs/1",
    ),
    Refused(
        "customs release needs an authority",
        errors.BadEvent,
        ashore,
        lambda v: v.book(customs=(), customs_release=True),
        "/details/customs",
    ),
    Refused(
        "without rail the cargo is received where it is loaded",
        errors.BadEvent,
        ashore,
        lambda v: v.book(custodians=_custodians(rail=None)),
        "/details/custodians",
    ),
    Refused(
        "no container is named twice",
        errors.BadEvent,
        ashore,
        lambda v: v.book(containers=(BOX_1, BOX_2, BOX_1)),
        "/details/containers",
    ),
)

SHIPPER_SIDE: tuple[tuple[str, Callable[[Voyage, str], object]], ...] = (
    ("submit instructions", lambda v, by: v.submit_instructions(by)),
    ("request a change", lambda v, by: v.request_change(by=by)),
    ("approve", lambda v, by: v.approve(by=by, content_digest=_content(1))),
)
MANDATE = tuple(
    Refused(
        f"{who} cannot {name}",
        errors.NoMandate,
        begin,
        lambda v, act=act, by=by: act(v, by),  # type: ignore[misc]
        "/actor",
    )
    for name, act in SHIPPER_SIDE
    for who, by, begin in (
        ("the carrier", "xlsc", published),
        ("an auditor", "auditor", published),
        (
            "a forwarder whose mandate was revoked",
            "qiaolian",
            lambda: published().then(lambda v: v.revoke_mandate("yunling", to="qiaolian")),
        ),
        (
            "a forwarder whose mandate ends at this moment",
            "qiaolian",
            lambda: published().then(
                lambda v: v.grant_mandate("yunling", to="qiaolian", until=v.now)
            ),
        ),
    )
)
STRANGERS = tuple(
    Refused(
        f"{by} learns nothing of a draft when it tries to {name}",
        errors.NotFound,
        published,
        lambda v, act=act, by=by: act(v, by),  # type: ignore[misc]
    )
    for name, act in SHIPPER_SIDE
    for by in ("shadow", "bankcq", "guoyuan", "sgcus", "sgaudit", "merlion", "operator")
)
CARRIER_SIDE = (
    Refused(
        "the shipper publishes no draft",
        errors.NotCarrier,
        booked,
        lambda v: v.publish_draft(by="yunling"),
        "/actor",
    ),
    Refused(
        "the forwarder appoints nobody",
        errors.NotCarrier,
        booked,
        lambda v: v.appoint(Leg.LOADING, "guoyuan", by="qiaolian"),
        "/actor",
    ),
    Refused(
        "another carrier learns nothing of this shipment",
        errors.NotFound,
        booked,
        lambda v: v.publish_draft(by="merlion"),
    ),
    Refused(
        "a shipment that nobody booked is unknown to its carrier too",
        errors.NotFound,
        booked,
        lambda v: v.publish_draft(shipment=OTHER_SHIPMENT),
    ),
)
VERSIONS = (
    Refused(
        "the first version is 1",
        errors.StaleDraft,
        booked,
        lambda v: v.publish_draft(2),
        "/details/version",
    ),
    Refused(
        "a version is published once",
        errors.StaleDraft,
        published,
        lambda v: v.publish_draft(1),
        "/details/version",
    ),
    Refused(
        "no version is left out",
        errors.StaleDraft,
        published,
        lambda v: v.publish_draft(3),
        "/details/version",
    ),
    Refused(
        "nothing to change before a draft is published",
        errors.StaleDraft,
        booked,
        lambda v: v.request_change(1),
        "/details/version",
    ),
    Refused(
        "a change is asked of the latest version only",
        errors.StaleDraft,
        lambda: published(2),
        lambda v: v.request_change(1),
        "/details/version",
    ),
    Refused(
        "nothing to approve before a draft is published",
        errors.StaleDraft,
        booked,
        lambda v: v.approve(1),
        "/details/version",
    ),
    Refused(
        "an older version is not approved",
        errors.StaleDraft,
        lambda: published(2),
        lambda v: v.approve(1, content_digest=_content(1)),
        "/details/version",
    ),
    Refused(
        "the latest number with the digest of an older version is not approved",
        errors.StaleDraft,
        lambda: published(2),
        lambda v: v.approve(2, content_digest=_content(1)),
        "/details/contentDigest",
    ),
    Refused(
        "a version that waits for a change is not approved",
        errors.StaleDraft,
        lambda: published().then(lambda v: v.request_change(1)),
        lambda v: v.approve(1, content_digest=_content(1)),
        "/details/version",
    ),
    Refused(
        "a version overtaken by new instructions is not approved",
        errors.StaleDraft,
        lambda: published().then(lambda v: v.submit_instructions()),
        lambda v: v.approve(1, content_digest=_content(1)),
        "/details/version",
    ),
)
APPOINTMENTS = (
    Refused(
        "a shipment without rail gets no rail operator",
        errors.BadEvent,
        lambda: Voyage(until="booked", custodians=PORT_ONLY),
        lambda v: v.appoint(Leg.RAIL, "wrail"),
        "/details/leg",
    ),
    Refused(
        "a terminal does not run the rail leg",
        errors.BadEvent,
        booked,
        lambda v: v.appoint(Leg.RAIL, "guoyuan"),
        "/details/custodian",
    ),
    Refused(
        "a rail operator does not run a port",
        errors.BadEvent,
        booked,
        lambda v: v.appoint(Leg.DISCHARGE, "wrail"),
        "/details/custodian",
    ),
    Refused(
        "an unknown party is not appointed",
        errors.RecipientUnavailable,
        booked,
        lambda v: v.appoint(Leg.DISCHARGE, "nobody"),
        "/details/custodian",
    ),
    Refused(
        "a suspended party is not appointed",
        errors.RecipientUnavailable,
        lambda: booked().then(lambda v: v.suspend("guoyuan")),
        lambda v: v.appoint(Leg.DISCHARGE, "guoyuan"),
        "/details/custodian",
    ),
)


@pytest.mark.parametrize(
    "row",
    rows(
        (*BOOKING, *MANDATE, *STRANGERS, *CARRIER_SIDE, *VERSIONS, *APPOINTMENTS),
    ),
)
def test_refused(row: Refused) -> None:
    row.check()


def test_a_shipment_is_booked_once() -> None:
    voyage = booked()

    with voyage.refuses(errors.AlreadyRegistered, pointer="/stream"):
        voyage.book(shipper="straits")


def test_another_carrier_cannot_take_over_a_shipment_nor_learn_of_its_head() -> None:
    voyage = booked()

    with voyage.refuses(errors.NotFound):
        voyage.book("merlion")
    with voyage.refuses(errors.NotFound):
        voyage.book("merlion", sequence=0, previous=None)


# -- the course of a draft -----------------------------------------------------------------------

PROGRESS: tuple[tuple[str, Callable[[], Voyage], DraftStatus], ...] = (
    ("a booking opens a shipment", booked, DraftStatus.BOOKED),
    (
        "instructions are received",
        lambda: booked().then(lambda v: v.submit_instructions()),
        DraftStatus.INSTRUCTED,
    ),
    ("a draft is published", published, DraftStatus.DRAFT),
    (
        "a draft may come without instructions",
        lambda: booked().then(lambda v: v.publish_draft()),
        DraftStatus.DRAFT,
    ),
    (
        "a change is requested",
        lambda: published().then(lambda v: v.request_change(1)),
        DraftStatus.CHANGE_REQUESTED,
    ),
    (
        "later instructions ask for another draft",
        lambda: published().then(lambda v: v.submit_instructions()),
        DraftStatus.CHANGE_REQUESTED,
    ),
    (
        "the shipper approves",
        lambda: published().then(lambda v: v.approve(1, content_digest=_content(1))),
        DraftStatus.APPROVED,
    ),
    (
        "a new version undoes an approval",
        lambda: published().then(
            lambda v: v.approve(1, content_digest=_content(1)), lambda v: v.publish_draft(2)
        ),
        DraftStatus.DRAFT,
    ),
    (
        "a change request undoes an approval",
        lambda: published().then(
            lambda v: v.approve(1, content_digest=_content(1)), lambda v: v.request_change(1)
        ),
        DraftStatus.CHANGE_REQUESTED,
    ),
    (
        "later instructions undo an approval",
        lambda: published().then(
            lambda v: v.approve(1, content_digest=_content(1)), lambda v: v.submit_instructions()
        ),
        DraftStatus.CHANGE_REQUESTED,
    ),
)


@pytest.mark.parametrize(
    ("begin", "status"), [row[1:] for row in PROGRESS], ids=[row[0] for row in PROGRESS]
)
def test_status_of_a_draft(begin: Callable[[], Voyage], status: DraftStatus) -> None:
    draft = begin().draft

    assert draft.status is status
    assert (draft.approved is not None) is (status is DraftStatus.APPROVED)


@pytest.mark.parametrize(
    ("name", "act"), SHIPPER_SIDE, ids=[f"may {name}" for name, _ in SHIPPER_SIDE]
)
@pytest.mark.parametrize("until", [None, timedelta(seconds=1)], ids=["for ever", "for a second"])
def test_a_forwarder_under_mandate(
    name: str, act: Callable[[Voyage, str], object], until: timedelta | None
) -> None:
    voyage = published()
    end = None if until is None else voyage.now + until
    voyage.grant_mandate("yunling", to="qiaolian", until=end)

    act(voyage, "qiaolian")


def test_a_mandate_counts_by_the_recording_not_by_the_signers_clock() -> None:
    voyage = published()
    voyage.grant_mandate("yunling", to="qiaolian", until=voyage.now)

    with voyage.refuses(errors.NoMandate):
        voyage.submit_instructions("qiaolian", at=voyage.now - timedelta(hours=1))


def test_what_a_booking_names_is_kept() -> None:
    draft = booked().draft

    assert (draft.shipment, draft.carrier, draft.shipper) == (SHIPMENT, "xlsc", "yunling")
    assert (draft.forwarder, draft.custodians) == ("qiaolian", CUSTODIANS)
    assert (draft.containers, draft.customs) == ((BOX_1, BOX_2), ("cqcus", "sgcus"))
    assert draft.customs_release
    assert draft.reference == "XLB2702240017"


def test_a_booking_without_customs_needs_no_authority() -> None:
    voyage = Voyage().then(lambda v: v.book(customs=(), customs_release=False))

    assert voyage.draft.customs == ()


def test_what_instructions_drafts_and_changes_said_is_kept() -> None:
    voyage = published(2)
    voyage.request_change(2, comment="gross weight 17,980.5 kg")
    draft = voyage.draft

    assert (draft.instructions, draft.instructions_reference) == (
        digest("instructions"),
        "SI-YL-20270225-01",
    )
    assert draft.version is not None
    assert (draft.version.version, draft.version.content_digest) == (2, _content(2))
    assert draft.version.document == digest("draft")
    assert draft.change_comment == "gross weight 17,980.5 kg"
    voyage.publish_draft(3)
    assert voyage.draft.change_comment is None


def test_the_approved_version_is_the_latest() -> None:
    voyage = published(2).then(lambda v: v.approve(2, content_digest=_content(2)))

    assert voyage.draft.approved is not None
    assert voyage.draft.approved.version == 2


@pytest.mark.parametrize(
    ("leg", "to"),
    [
        (Leg.RECEIPT, "sgterm"),
        (Leg.RAIL, "wrail"),
        (Leg.LOADING, "sgterm"),
        (Leg.DISCHARGE, "qinzhou"),
    ],
    ids=["receipt", "rail", "loading", "discharge"],
)
def test_appointing_changes_one_leg_only(leg: Leg, to: str) -> None:
    voyage = booked()
    before = {other: voyage.draft.custodians.of(other) for other in Leg}

    voyage.appoint(leg, to)

    after = {other: voyage.draft.custodians.of(other) for other in Leg}
    assert after == {**before, leg: to}


@pytest.mark.parametrize("leg", [Leg.RECEIPT, Leg.LOADING], ids=["receipt", "loading"])
def test_without_rail_receipt_and_loading_stay_one_port(leg: Leg) -> None:
    voyage = Voyage(until="booked", custodians=PORT_ONLY).then(lambda v: v.appoint(leg, "guoyuan"))

    assert voyage.draft.custodians == Custodians(
        receipt="guoyuan", loading="guoyuan", discharge="sgterm"
    )


def test_without_rail_the_port_of_discharge_is_appointed_alone() -> None:
    voyage = Voyage(until="booked", custodians=PORT_ONLY).then(
        lambda v: v.appoint(Leg.DISCHARGE, "guoyuan")
    )

    assert voyage.draft.custodians == Custodians(
        receipt="qinzhou", loading="qinzhou", discharge="guoyuan"
    )


def test_the_story_of_a_draft_with_a_wrong_weight() -> None:
    voyage = booked()
    voyage.submit_instructions("qiaolian")
    voyage.publish_draft(1, content_digest=_content(1))
    voyage.request_change(1, by="qiaolian")
    voyage.publish_draft(2, content_digest=_content(2))
    with voyage.refuses(errors.StaleDraft):
        voyage.approve(1, content_digest=_content(1))
    voyage.clock("2027-02-26 09:30").approve(2, content_digest=_content(2))

    assert voyage.draft.status is DraftStatus.APPROVED
    assert voyage.now == moment("2027-02-26 09:30")
