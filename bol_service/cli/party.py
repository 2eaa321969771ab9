"""`bol party`: keys, consent and mandates by the party itself; reading the register.

What only the operator signs stands in `party_operator`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import click

from bol_service.cli import parameters, party_abroad, party_operator
from bol_service.cli.context import Connection, public
from bol_service.cli.lookup import Names
from bol_service.cli.output import Stopped, facts, show, table
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.domain.events import Action
from bol_service.wire.event_fields import instant_text

Json = dict[str, Any]


@click.group()
def party() -> None:
    """Register parties; manage keys and mandates. 当事人"""


for _command in (*party_operator.COMMANDS, *party_abroad.COMMANDS):
    party.add_command(_command)


# -- the party itself ----------------------------------------------------------------------------


@party.command("accept-rulebook")
@click.option(
    "--digest",
    type=parameters.sha256,
    help="Accept only if the rulebook served has this SHA-256.",
)
@signing
def accept_rulebook(desk: Desk, digest: str | None) -> None:
    """Accept the platform's rulebook, by its digest. 接受规则"""
    text = desk.client.fetch("/rulebook").content
    found = hashlib.sha256(text).hexdigest()
    if digest is not None and digest != found:
        raise Stopped(
            "Not the rulebook you mean",
            f"the platform serves {found}, you accept {digest}",
            f"Read {desk.client.base_url}/rulebook, then decide.",
            "other_rulebook",
        )
    desk.sign(
        Intent(
            action=Action.ACCEPT_RULEBOOK,
            stream=f"party:{desk.me}",
            details={"rulebook": found},
            words=f"Accept the rulebook at {desk.client.base_url}/rulebook, SHA-256 {found}.",
        )
    )


_proof = click.option(
    "--proof",
    required=True,
    type=parameters.key_proof_file,
    help="JSON file made with the new key: bol keys proof (without --identity).",
)
_from = click.option(
    "--valid-from",
    type=parameters.instant,
    help="From when it counts, with the zone; at once if not given.",
)
_until = click.option(
    "--valid-until",
    type=parameters.instant,
    help="Until when it counts, with the zone; for good if not given.",
)


@party.command("add-key")
@_proof
@_from
@_until
@signing
def add_key(
    desk: Desk, proof: Json, valid_from: datetime | None, valid_until: datetime | None
) -> None:
    """Add a further key."""
    details = {**proof, **_times(validFrom=valid_from, validUntil=valid_until)}
    words = "Add a key that speaks for you; the present ones stay valid."
    stream = f"party:{desk.me}"
    desk.sign(Intent(action=Action.ADD_KEY, stream=stream, details=details, words=words))


@party.command("rotate-key")
@_proof
@_from
@_until
@signing
def rotate_key(
    desk: Desk, proof: Json, valid_from: datetime | None, valid_until: datetime | None
) -> None:
    """Replace the signing key by a new one.

    The old one counts no more from that entry on. To have both for a while: bol party add-key.
    """
    details = {**proof, **_times(validFrom=valid_from, validUntil=valid_until)}
    words = "Replace the key that signs this; it ends with this very entry."
    stream = f"party:{desk.me}"
    desk.sign(Intent(action=Action.ROTATE_KEY, stream=stream, details=details, words=words))


@party.command("revoke-key")
@click.option("--kid", required=True, type=parameters.kid, help="The key's id: bol party show.")
@click.option("--reason", required=True, help="Why; it is signed.")
@click.option(
    "--compromised-since",
    type=parameters.instant,
    help="Information for readers; it unwinds nothing.",
)
@signing
def revoke_key(desk: Desk, kid: str, reason: str, compromised_since: datetime | None) -> None:
    """Revoke a key of yours; earlier acts stay valid."""
    details = {"kid": kid, "reason": reason, **_times(compromisedSince=compromised_since)}
    words = f"Revoke the key {kid}: nothing signed with it counts from now on."
    stream = f"party:{desk.me}"
    desk.sign(Intent(action=Action.REVOKE_KEY, stream=stream, details=details, words=words))


@party.command("grant-mandate")
@click.argument("forwarder", type=parameters.slug)
@_until
@signing
def grant_mandate(desk: Desk, forwarder: str, valid_until: datetime | None) -> None:
    """Let a forwarder act on your drafts. 委托"""
    until = f" until {valid_until:%Y-%m-%d %H:%M} UTC" if valid_until else ""
    desk.sign(
        Intent(
            action=Action.GRANT_MANDATE,
            stream=f"party:{desk.me}",
            details=_times(validUntil=valid_until),
            recipient=forwarder,
            words=f"Let {_name(desk, forwarder)} instruct and approve drafts for you{until}.",
        )
    )


@party.command("revoke-mandate")
@click.argument("forwarder", type=parameters.slug)
@signing
def revoke_mandate(desk: Desk, forwarder: str) -> None:
    """End a forwarder's mandate."""
    desk.sign(
        Intent(
            action=Action.REVOKE_MANDATE,
            stream=f"party:{desk.me}",
            recipient=forwarder,
            words=f"End the mandate of {_name(desk, forwarder)}.",
        )
    )


def _name(desk: Desk, slug: str) -> str:
    return Names(client=desk.client)(slug)


def _times(**moments: datetime | None) -> Json:
    return {name: instant_text(moment) for name, moment in moments.items() if moment is not None}


# -- reading -------------------------------------------------------------------------------------


@party.command("show")
@click.argument("slug", type=parameters.slug, envvar="BOL_PARTY", metavar="[SLUG]")
@public
def show_party(connection: Connection, slug: str) -> None:
    """Show a party and its keys; yours without SLUG."""
    found = connection.public().get(f"/v1/parties/{slug}")
    show(found, lambda: _tell(found))


def _tell(found: Json) -> None:
    code = found.get("carrierCode")
    facts(
        [
            ("party", found["party"]),
            ("legal name", found["legalName"]),
            ("", found.get("legalNameLocal")),
            ("country", found["country"]),
            ("identifiers", ", ".join(f"{i['type']} {i['value']}" for i in found["identifiers"])),
            ("roles", ", ".join(found["roles"])),
            ("carrier code", f"{code['code']} ({code['codeListProvider']})" if code else None),
            ("rulebooks", ", ".join(found["acceptedRulebooks"]) or "none accepted yet"),
            ("suspended", "YES" if found["suspended"] else None),
        ]
    )
    rows = [[key["kid"], key["alg"], _validity(key)] for key in found["keys"]]
    table(["key id", "algorithm", "counts"], rows, empty="No keys.")


def _validity(key: Json) -> str:
    if "endedAt" in key:
        return f"until {key['endedAt']} ({key.get('endedBy', 'ended')})"
    limits = [f"{word} {key[name]}" for name, word in _LIMITS if name in key]
    return ", ".join(limits) or "yes"


_LIMITS = (("validFrom", "from"), ("validUntil", "until"))


@party.command("list")
@public
def list_parties(connection: Connection) -> None:
    """List all registered parties."""
    items = list(connection.public().pages("/v1/parties"))
    rows = [[i["party"], i["legalName"], i["country"], ", ".join(i["roles"])] for i in items]
    headings = ["party", "legal name", "country", "roles"]
    show({"items": items}, lambda: table(headings, rows, empty="No party is registered yet."))
