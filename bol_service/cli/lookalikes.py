"""Before a person signs: does who gets something, or is to be registered, look like somebody else?

The portal says it on the pages where these acts are checked (`application.lookalikes` tells what
looks alike). All registered parties are compared. A machine gets no warning, and asks for no
parties.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from bol_service.application.lookalikes import resembling
from bol_service.cli.output import wants_json, warn
from bol_service.client import Client
from bol_service.domain.events import Action, Identifier, Identity
from bol_service.domain.identifiers import is_foreign
from bol_service.wire.event_schemas import details_schema

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Party:
    slug: str
    identity: Identity


def warn_of_newcomer(client: Client, slug: str, identity: Json) -> None:
    """Of who is to be registered; what cannot be read as an identity the platform will refuse."""
    if wants_json():
        return
    try:
        read = details_schema(Action.REGISTER)(only=("identity",)).load({"identity": identity})
    except ValidationError:
        return
    newcomer = _Party(slug=slug, identity=read["identity"])
    for other in resembling(slug, newcomer.identity, _registered(client)):
        warn(f"look twice: {_shown(newcomer)} could be taken for {_shown(other)}")


def warn_of_lookalikes(client: Client, named: Iterable[str]) -> None:
    """Of each of `named` that is registered here, the parties that it could be taken for."""
    looked_for = {slug for slug in named if not is_foreign(slug)}
    if not looked_for or wants_json():
        return
    parties = _registered(client)
    for party in parties:
        if party.slug not in looked_for:
            continue
        for other in resembling(party.slug, party.identity, parties):
            warn(f"look twice: {_shown(party)} is not {_shown(other)}")


def _registered(client: Client) -> list[_Party]:
    return [_read(view) for view in client.pages("/v1/parties")]


def _read(view: Json) -> _Party:
    identity = Identity(
        legal_name=view["legalName"],
        legal_name_local=view.get("legalNameLocal"),
        country=view["country"],
        identifiers=tuple(Identifier(**each) for each in view["identifiers"]),
    )
    return _Party(slug=view["party"], identity=identity)


def _shown(party: _Party) -> str:
    told = ", ".join(f"{one.type} {one.value}" for one in party.identity.identifiers)
    return f"{party.identity.legal_name} ({party.slug}, {party.identity.country}, {told})"
