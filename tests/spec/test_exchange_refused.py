"""The law of the border refuses whatever would leave an original in two places, or in none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Role
from bol_service.domain.states import OPERATOR, Status
from tests.law_border import (
    DESK,
    TO_BANK,
    Arriving,
    Leaving,
    arrived,
    gone,
    leaving,
    open_desk,
    sent,
    step,
)
from tests.law_scene import PARTIES, RULEBOOK, digest, key_of

A = Action


def test_only_the_desk_records_an_exchange() -> None:
    v = leaving()
    with v.refuses(errors.NotExchange, pointer="/actor"):
        v.send(by="yunling")
    v = Arriving()
    with v.refuses(errors.NotExchange, pointer="/actor"):
        v.arrive(TO_BANK, by="xlsc")


def test_the_desk_has_no_other_role() -> None:
    v = Leaving()
    with v.refuses(errors.BadEvent, pointer="/details/roles"):
        open_desk(v, "other", roles=frozenset({Role.EXCHANGE, Role.BANK}))


def test_nobody_acts_on_a_bill_in_transit_or_abroad() -> None:
    for act in (
        lambda v: v.transfer("yunling", to="bankcq"),
        lambda v: v.accept_surrender(),
        lambda v: v.void(),
    ):
        waiting, away = leaving(), gone()
        with waiting.refuses(errors.InTransit):
            act(waiting)
        with away.refuses(errors.MovedAway):
            act(away)


Act = Callable[[Leaving], object]

CHAINS: dict[str, tuple[Callable[[], Leaving], Act]] = {
    "nothing waits to be sent": (Leaving, lambda v: v.send()),
    "it goes to another platform": (leaving, lambda v: v.send(platform="THXX")),
    "a second envelope for one act": (sent, lambda v: v.send()),
    "an answer before anything was sent": (leaving, lambda v: v.moved()),
    "an answer of another platform": (sent, lambda v: v.moved(platform="THXX")),
    "an answer about another chain": (sent, lambda v: v.moved(about=digest("another"))),
    "a refusal told as a receipt": (sent, lambda v: v.moved("BENV")),
    "a dispute told as a receipt": (sent, lambda v: v.moved("DISE")),
    "a receipt told as a refusal": (sent, lambda v: v.not_moved("RECE")),
    "an open answer that concludes": (sent, lambda v: v.not_moved("MDOC")),
    "an original that never left comes back": (
        Leaving,
        lambda v: v.returned(step(A.TRANSFER, "SGPX:banksg", "bankcq")),
    ),
    "a chain that arrived before": (
        lambda: _back_and_gone(),
        lambda v: v.returned(
            step(A.TRANSFER, "SGPX:banksg", "bankcq"), last_entry=v.bill.abroad.arrivals[0]
        ),
    ),
    "given by a party of a platform that does not have it": (
        gone,
        lambda v: v.returned(step(A.TRANSFER, "THXX:siam", "bankcq")),
    ),
    "an answer of our own carrier that it has not signed here": (
        lambda: _titled(),
        lambda v: v.returned(
            step(A.SURRENDER_FOR_DELIVERY, "SGPX:banksg", "xlsc"),
            step(A.SACC, "xlsc", "SGPX:banksg"),
        ),
    ),
    "an act of our own party that it has not signed here": (
        gone,
        lambda v: v.returned(
            step(A.TRANSFER, "SGPX:banksg", "bankcq"), step(A.TRANSFER, "bankcq", "straits")
        ),
    ),
    "endorsed by one who has no title": (
        gone,
        lambda v: v.returned(step(A.ENDORSE_TO_ORDER, "SGPX:banksg", "bankcq")),
    ),
    "surrendered by one who has no title": (
        gone,
        lambda v: v.returned(step(A.SURRENDER_FOR_DELIVERY, "SGPX:banksg", "xlsc")),
    ),
    "surrendered to somebody else": (
        lambda: _titled(),
        lambda v: v.returned(step(A.SURRENDER_FOR_DELIVERY, "SGPX:banksg", "bankcq")),
    ),
    "transferred to the carrier": (
        gone,
        lambda v: v.returned(step(A.TRANSFER, "SGPX:banksg", "xlsc")),
    ),
    "an acceptance without surrender": (
        gone,
        lambda v: v.returned(step(A.SACC, "SGPX:banksg", "xlsc")),
    ),
    "a transfer while a surrender waits": (
        lambda: _titled(),
        lambda v: v.returned(
            step(A.SURRENDER_FOR_DELIVERY, "SGPX:banksg", "xlsc"),
            step(A.TRANSFER, "SGPX:banksg", "bankcq"),
        ),
    ),
    "an answer by somebody else than the carrier": (
        lambda: _asked_abroad(),
        lambda v: v.returned(step(A.SACC, "CQGY:yunling", "straits"), platform="CQGY"),
    ),
    "an answer to somebody else than who asked": (
        lambda: _asked_abroad(),
        lambda v: v.returned(step(A.SACC, "CQGY:xlsc", "banksg"), platform="CQGY"),
    ),
    "an act after the accepted surrender": (
        lambda: _asked_abroad(),
        lambda v: v.returned(
            step(A.SACC, "CQGY:xlsc", "straits"),
            step(A.TRANSFER, "CQGY:xlsc", "straits"),
            platform="CQGY",
        ),
    ),
    "endorsed on after a final endorsement": (
        lambda: _titled(),
        lambda v: v.returned(
            step(A.ENDORSE, "SGPX:banksg", "SGPX:straits"),
            step(A.ENDORSE, "SGPX:straits", "bankcq"),
        ),
    ),
    "an act that is no transaction": (gone, lambda v: v.returned(step(A.VOID, "SGPX:banksg"))),
    "a transfer to nobody": (gone, lambda v: v.returned(step(A.TRANSFER, "SGPX:banksg"))),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_refused_when_it_tells_of(name: str) -> None:
    begin, act = CHAINS[name]
    v = begin()
    with v.refuses(errors.BadChain):
        act(v)


def test_nothing_comes_back_while_something_is_on_its_way() -> None:
    v = sent()
    with v.refuses(errors.InTransit):
        v.returned(step(A.TRANSFER, "SGPX:banksg", "bankcq"))


def test_a_bill_is_imported_once_and_never_over_one_of_our_own() -> None:
    v = arrived()
    with v.refuses(errors.NumberUsed):
        v.arrive(TO_BANK)
    own = Leaving()
    with own.refuses(errors.NumberUsed):
        Arriving.arrive(own, TO_BANK)  # type: ignore[arg-type]  # on a ledger that issued it


def test_the_imported_document_is_the_one_that_the_stream_names() -> None:
    v = Arriving()
    with v.refuses(errors.BadEvent, pointer="/details/document"):
        v.arrive(TO_BANK, received_bytes=digest("nothing stored"))


def test_the_carrier_of_an_imported_bill_is_on_the_platform_of_issue() -> None:
    for carrier in ("xlsc", "THXX:xlsc"):
        v = Arriving()
        with v.refuses(errors.BadChain, pointer="/details/carrier"):
            v.arrive(TO_BANK, carrier=carrier)


def test_a_bill_does_not_come_to_who_has_not_accepted_the_rulebook_or_is_unknown() -> None:
    v = Arriving()
    with v.refuses(errors.ConsentMissing):
        v.arrive(TO_BANK, rulebook=digest("another rulebook"))
    with v.refuses(errors.RecipientUnavailable):
        v.arrive(step(A.TRANSFER, "CQGY:yunling", "nobody"))


def cannot_hold(v: Leaving, standing: str) -> tuple[str, type[errors.Refusal]]:
    """A party of this platform that can hold no bill, and what the law says of it."""
    match standing:
        case "the carrier":
            return v.bill.carrier, errors.BadRecipient
        case "the operator" | "the exchange desk":
            slug = OPERATOR if standing == "the operator" else DESK
            v.sign(e.AcceptRulebook, slug, f"party:{slug}", rulebook=RULEBOOK)
            return slug, errors.BadRecipient
        case "a suspended party":
            v.sign(e.Suspend, OPERATOR, "party:straits", reason="under review")
            return "straits", errors.RecipientUnavailable
        case "a stranger":
            return "nobody", errors.RecipientUnavailable
        case _:
            v.sign(
                e.Register,
                OPERATOR,
                "party:late",
                identity=PARTIES["bankcq"].identity,
                roles=frozenset({Role.BANK}),
                key=key_of("late"),
            )
            return "late", errors.ConsentMissing


STANDINGS = (
    "the carrier",
    "the operator",
    "the exchange desk",
    "a suspended party",
    "a stranger",
    "a party without consent",
)


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("action", [A.ENDORSE, A.ENDORSE_TO_ORDER])
def test_no_chain_endorses_the_bill_to_who_could_not_hold_it_here(
    action: Action, standing: str
) -> None:
    v = Leaving(BillKind.BLANK).gone()
    slug, refusal = cannot_hold(v, standing)
    with pytest.raises(refusal):
        v.returned(step(action, "SGPX:banksg", slug))
    v.returned(step(action, "SGPX:banksg", "bankcq"))
    assert v.bill.control.title_holder == "bankcq"


@pytest.mark.parametrize("standing", STANDINGS[1:])
def test_no_bill_comes_home_to_who_cannot_hold_it(standing: str) -> None:
    v = gone()
    slug, refusal = cannot_hold(v, standing)
    with pytest.raises(refusal):
        v.returned(step(A.TRANSFER, "SGPX:banksg", slug))


@pytest.mark.parametrize("standing", STANDINGS[1:])
def test_no_bill_is_imported_for_who_cannot_hold_it(standing: str) -> None:
    v = Arriving(BillKind.BLANK)
    slug, refusal = cannot_hold(v, standing)
    with pytest.raises(refusal):
        v.arrive(step(A.TRANSFER, "CQGY:yunling", slug))
    with pytest.raises(refusal):
        v.arrive(step(A.ENDORSE_TO_ORDER, "CQGY:yunling", slug))
    with pytest.raises(refusal):
        v.arrive(issue_to=slug)


def test_no_imported_bill_is_endorsed_to_the_carrier_that_issued_it() -> None:
    with pytest.raises(errors.BadRecipient):
        Arriving(BillKind.BLANK).arrive(step(A.ENDORSE, "CQGY:yunling", "CQGY:xlsc"))


@pytest.mark.parametrize("member", ["shipper", "consignee", "title_holder"])
@pytest.mark.parametrize("slug", [OPERATOR, DESK])
def test_no_imported_bill_is_made_out_for_who_runs_the_platform(slug: str, member: str) -> None:
    with pytest.raises(errors.BadRecipient):
        Arriving().arrive(**{member: slug})
    Arriving().arrive(**{member: "bankcq"})


@pytest.mark.parametrize("standing", STANDINGS[:3])
def test_nobody_transfers_or_endorses_to_who_runs_the_platform(standing: str) -> None:
    v = Leaving(BillKind.BLANK)
    slug, refusal = cannot_hold(v, standing)
    for act in (v.transfer, v.endorse):
        with pytest.raises(refusal):
            act("yunling", to=slug)


def test_a_straight_bill_comes_to_its_consignee_only_and_is_never_endorsed() -> None:
    v = Arriving(BillKind.STRAIGHT)
    with v.refuses(errors.BadChain):
        v.arrive(TO_BANK)
    with v.refuses(errors.BadChain):
        v.arrive(step(A.ENDORSE_TO_ORDER, "CQGY:yunling", "straits"))
    v.arrive(step(A.TRANSFER, "CQGY:yunling", "straits"))
    assert v.control[0] == "straits"
    v.surrender("straits")
    assert v.status is Status.IN_TRANSIT


def test_a_straight_bill_is_surrendered_abroad_by_shipper_or_consignee_only() -> None:
    v = Arriving(BillKind.STRAIGHT)
    by_other = step(A.SURRENDER_FOR_DELIVERY, "CQGY:qiaolian", "CQGY:xlsc")
    with v.refuses(errors.BadChain):
        v.arrive(by_other)


def test_a_blank_bill_is_endorsed_and_surrendered_by_any_possessor_abroad() -> None:
    v = Arriving(BillKind.BLANK)
    v.arrive(
        step(A.BLANK_ENDORSE, "CQGY:yunling"),
        step(A.TRANSFER, "CQGY:yunling", "banksg"),
    )
    assert v.control == ("banksg", None, False)


def test_amendment_is_not_built_for_bills_from_abroad_either() -> None:
    v = arrived()
    v.surrender_for_amendment("straits")
    v.send(platform="CQGY")
    v.moved(platform="CQGY")
    with v.refuses(errors.NotSupported):
        v.returned(step(A.SACC, "CQGY:xlsc", "straits"), platform="CQGY")
    v.returned(step(A.SREJ, "CQGY:xlsc", "straits"), platform="CQGY")
    assert v.status is Status.ISSUED


def test_an_unknown_bill_has_nothing_to_send() -> None:
    v = Arriving()
    with v.refuses(errors.NotFound):
        v.send()


def test_the_carrier_and_the_operator_never_receive_by_transfer_from_abroad_either() -> None:
    v = arrived()
    with v.refuses(errors.BadRecipient, pointer="/recipient"):
        v.transfer("straits", to="CQGY:xlsc")


def test_the_desk_is_not_suspended_when_it_records() -> None:
    v = leaving()
    v.suspend(DESK)
    with v.refuses(errors.Suspended):
        v.send()


def _titled() -> Leaving:
    v = Leaving()
    v.endorse("yunling", to="SGPX:banksg")
    return v.gone()


def _asked_abroad() -> Arriving:
    v = arrived()
    v.surrender("straits")
    v.send(platform="CQGY")
    v.moved(platform="CQGY")
    return v


def _back_and_gone() -> Leaving:
    v = gone()
    v.returned(step(A.TRANSFER, "SGPX:banksg", "bankcq"))
    v.transfer("bankcq", to="SGPX:banksg")
    v.send()
    v.moved()
    return v
