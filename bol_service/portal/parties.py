"""Parties and their keys, the keys of this browser, and the rulebook."""

from __future__ import annotations

import hashlib

from flask import Blueprint, g, render_template

from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.portal.acts import check_page
from bol_service.portal.desk import desk
from bol_service.portal.language import namer
from bol_service.portal.session import signed_in

_MANY = 500

blueprint = Blueprint("portal_parties", __name__)


@blueprint.get("/parties")
def list_parties() -> str:
    """Everybody who is registered (public)."""
    found = desk().views.parties(_MANY)
    return render_template(
        "portal/parties.html", parties=found, name=namer({party.slug: party for party in found})
    )


@blueprint.get("/parties/<string:slug>")
def show_party(slug: str) -> str:
    """One party, its identity and its keys (public)."""
    found = desk().views.names([slug]).get(slug)
    if found is None:
        raise errors.NotFound(f"party {slug} is not registered")
    now = desk().clock.now()
    return render_template("portal/party.html", party=found, name=namer({slug: found}), now=now)


@blueprint.get("/keys")
def own_keys() -> str:
    """The keys that the ledger knows of the party, and those of this browser, which the server
    knows nothing of."""
    party = desk().views.names([g.party]).get(g.party) if g.party else None
    rulebook = hashlib.sha256(desk().rulebook).hexdigest()
    return render_template(
        "portal/keys.html",
        party=party,
        lines=desk().register.keys(g.party) if g.party else [],
        now=desk().clock.now(),
        consents=party is not None and rulebook in party.rulebooks,
    )


@blueprint.get("/rulebook")
def rulebook() -> str:
    """The rules between the parties, and their acceptance."""
    digest = hashlib.sha256(desk().rulebook).hexdigest()
    party = desk().views.names([g.party]).get(g.party) if g.party else None
    return render_template(
        "portal/rulebook.html",
        text=desk().rulebook.decode("utf-8"),
        digest=digest,
        accepted=party is not None and digest in party.rulebooks,
    )


@blueprint.get("/rulebook/accept")
@signed_in
def accept_rulebook() -> str:
    """The check page of accepting the rulebook."""
    stream = f"party:{g.party}"
    return check_page(
        Action.ACCEPT_RULEBOOK,
        stream,
        after=desk().queries.head(stream, g.party),
        details={"rulebook": hashlib.sha256(desk().rulebook).hexdigest()},
        back="/portal/to-do",
    )
