"""The law of custody, drafts and parties asked about every combination of facts.

1. Custody: for each act, route and place, does the law let the container move?
2. Drafts: where each act leads from each status; which roles a booking takes for each part.
3. Parties: which acts are the operator's, and which are the party's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from law_suppositions import (
    BOXED,
    DIGEST,
    DRAFT,
    WITH_RAIL,
    WITHOUT_RAIL,
    Scene,
    allows,
    answer,
    booking,
    custody_of_box,
    example,
    party_of,
    recorded,
    releasable_bill,
)

from bol_service.domain import custody, drafts, errors, events, party
from bol_service.domain.events import Action, Custodians, Leg, Role
from bol_service.domain.states import (
    OPERATOR,
    DraftStatus,
    DraftVersion,
    KeyRecord,
    Mandate,
    Place,
)

Json = dict[str, Any]


# -- custody -------------------------------------------------------------------------------------


def custody_table() -> Json:
    return {
        action.value: {
            "leg": transition.leg.value,
            "after": transition.after.value,
            "before": {
                "rail": list(_places(action, transition.leg, WITH_RAIL)),
                "direct": list(_places(action, transition.leg, WITHOUT_RAIL)),
            },
        }
        for action, transition in custody.TRANSITIONS.items()
    }


def _places(action: Action, leg: Leg, custodians: Custodians) -> Iterator[str | None]:
    """Where the container may be before the act; null: not received yet."""
    booked = replace(booking(), custodians=custodians)
    actor = custodians.of(leg)
    if actor is None:
        return
    for place in (None, *Place):
        scene = Scene(
            parties={actor: party_of(actor)},
            drafted=booked,
            box=custody_of_box(place) if place else None,
            billed=releasable_bill(),
        )
        event = example(action, actor, BOXED)
        if allows(custody.apply, scene, event):
            yield place.value if place else None


# -- drafts --------------------------------------------------------------------------------------

_DRAFT_ACTORS: Final = {
    Action.SUBMIT_INSTRUCTIONS: "shipper",
    Action.PUBLISH_DRAFT: "carrier",
    Action.REQUEST_CHANGE: "shipper",
    Action.APPROVE_DRAFT: "shipper",
}
_PARTS: Final = ("shipper", "forwarder", "receipt", "rail", "loading", "discharge", "customs")


def draft_table() -> Json:
    return {
        "transitions": {
            action.value: {
                name: {
                    status.value: _draft_after(action, status, version) for status in DraftStatus
                }
                for name, version in (("unpublished", None), ("published", _VERSION))
            }
            for action in _DRAFT_ACTORS
        },
        "opens": DraftStatus.BOOKED.value,
        "roles": {part: list(_booking_roles(part)) for part in _PARTS},
        "appointed": {leg.value: list(_appointed_roles(leg)) for leg in Leg},
    }


_VERSION: Final = DraftVersion(version=1, document=DIGEST, content_digest=DIGEST)


def _draft_after(action: Action, status: DraftStatus, version: DraftVersion | None) -> Json:
    state = replace(booking(), status=status, version=version)
    changes = {"version": 2} if action is Action.PUBLISH_DRAFT and version else {}
    event = example(action, _DRAFT_ACTORS[action], DRAFT, **changes)
    try:
        return {"after": drafts.apply(Scene(drafted=state), recorded(event), event).status.value}
    except errors.Refusal as refusal:
        return {"refuse": refusal.code}


def _booking_roles(part: str) -> Iterator[str]:
    """The roles of which one lets a party take this part of a booking."""
    legs = {"receipt": "a", "rail": "b", "loading": "c", "discharge": "d"}
    slugs = {"shipper": "e", "forwarder": "f", "customs": "g", **legs}
    for role in Role:
        parties = {slug: party_of(slug, *Role) for slug in slugs.values()}
        parties["carrier"] = party_of("carrier", Role.CARRIER)
        parties[slugs[part]] = party_of(slugs[part], role)
        event = example(
            Action.BOOKING,
            "carrier",
            DRAFT,
            shipper="e",
            forwarder="f",
            custodians=Custodians(**legs),
            customs=("g",),
        )
        scene = Scene(parties=parties)
        if allows(drafts.apply, scene, event):
            yield role.value


def _appointed_roles(leg: Leg) -> Iterator[str]:
    for role in Role:
        scene = Scene(parties={"x": party_of("x", role)}, drafted=booking())
        event = example(Action.APPOINT, "carrier", DRAFT, leg=leg, custodian="x")
        if allows(drafts.apply, scene, event):
            yield role.value


# -- parties -------------------------------------------------------------------------------------


def party_table() -> Json:
    """Per act, what the operator, the party itself and anybody else hear of it."""
    return {
        cls.action.value: {
            who: _party_answer(cls.action, actor)
            for who, actor in (("operator", OPERATOR), ("itself", "me"), ("other", "other"))
        }
        for cls in events.PartyEvent.__args__
    }


def _party_answer(action: Action, actor: str) -> str | None:
    mine = replace(
        party_of("me", Role.SHIPPER),
        keys=(KeyRecord(kid="old", alg="Ed25519", jwk="old", added=0),),
        suspended=action is Action.REINSTATE,
        mandates=(Mandate(forwarder="other"),),
    )
    known = {} if action is Action.REGISTER else {"me": mine}
    scene = Scene(parties={**known, "other": party_of("other", Role.FORWARDER)})
    event = example(action, actor, "party:me")
    act = replace(recorded(event), kid="old")
    return answer(lambda: party.apply(scene, act, event))
