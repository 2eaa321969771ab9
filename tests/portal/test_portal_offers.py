"""What the portal tells and offers is what the law says, all along the voyage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bol_service.application.portal_lists import PortalLists
from bol_service.application.portal_views import PortalViews
from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action
from tests import kit

CUSTODY = (*TRANSITIONS, Action.CUSTOMS_RELEASE)


@dataclass
class Journey:
    """For every act of the voyage: what was offered before it, and how the chain ended after it."""

    offered: list[tuple[str, str, str, frozenset[str]]] = field(default_factory=list)
    chains: list[tuple[str, Any, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    with kit.platform(tmp_path_factory.mktemp("offers")) as platform:
        made_of = (platform.running.store, platform.running.services.queries._clock, kit.ORIGIN)
        views, lists = PortalViews(*made_of), PortalLists(*made_of)
        voyage = platform.voyage()
        voyage.open()
        told = Journey()
        send = voyage._send

        def watched(actor: str, action: str, stream: str, *rest: Any, **more: Any) -> Any:
            if action in CUSTODY:
                _, shipment, box = stream.split(":")
                acts = _offered(views, box, shipment, actor)
                try:
                    receipt = send(actor, action, stream, *rest, **more)
                except Exception:
                    told.offered.append(("refused", actor, action, acts))
                    raise
                told.offered.append(("recorded", actor, action, acts))
                return receipt
            return send(actor, action, stream, *rest, **more)

        voyage._send = watched  # type: ignore[method-assign]
        for _ in voyage.play():
            for line in lists.bills("xlsc").lines:
                page = views.bill(line.bill, "xlsc")
                told.chains.append((line.bill, page.chain[-1].control, page.view["control"]))
        yield told


def _offered(views: PortalViews, box: str, shipment: str, actor: str) -> frozenset[str]:
    try:
        found = views.boxes(box, shipment, actor)
    except ValueError:  # the voyage types a wrong check digit on purpose
        return frozenset()
    return frozenset(act for one in found for act in one.acts)


def test_every_recorded_act_of_custody_was_offered_to_its_custodian(journey: Journey) -> None:
    recorded = [row for row in journey.offered if row[0] == "recorded"]
    assert len(recorded) >= 20
    assert [row for row in recorded if row[2] not in row[3]] == []


def test_a_gate_out_without_right_was_not_offered(journey: Journey) -> None:
    fraud = [row for row in journey.offered if row[0] == "refused" and row[2] == Action.GATE_OUT]
    # The one that only a wrong code or collector gives away cannot be told before it is tried.
    early = fraud[:3]
    assert len(fraud) >= 5
    assert [row for row in early if Action.GATE_OUT in row[3]] == []


def test_the_chain_ends_where_the_law_ends_after_every_act(journey: Journey) -> None:
    assert len(journey.chains) >= 60
    for name, control, stated in journey.chains:
        assert control is not None
        assert {
            "possessor": control.possessor,
            "titleHolder": control.title_holder,
            "final": control.final,
        } == stated, name
