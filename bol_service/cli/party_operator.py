"""What the operator signs about parties: registration, suspension, reinstatement.

A new party sends its identity file and the output of `bol keys proof`; the operator checks the
legal identity by its own means and registers it. It never signs anything for a party.
"""

from __future__ import annotations

from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.lookalikes import warn_of_newcomer
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.domain.events import Action, Role
from bol_service.domain.states import OPERATOR
from bol_service.wire import drafting

Json = dict[str, Any]


@click.command()
@click.option(
    "--slug", required=True, type=parameters.slug, help="The party's name here, for ever."
)
@click.option(
    "--identity", required=True, type=parameters.json_file, help="JSON file: the legal identity."
)
@click.option(
    "--roles",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice([str(role) for role in Role if role is not Role.OPERATOR]),
    help="A role; may be given several times.",
)
@click.option("--carrier-code", help="For carriers: the code on their documents.")
@click.option(
    "--carrier-code-list",
    type=click.Choice(["NMFTA", "SMDG"]),
    default="NMFTA",
    show_default=True,
    help="Whose list the carrier code stands on.",
)
@click.option(
    "--facilities", type=parameters.json_list_file, help="For terminals: JSON file, array."
)
@click.option(
    "--proof",
    required=True,
    type=parameters.key_proof_file,
    help="JSON file that the party made with: bol keys proof.",
)
@signing
def register(
    desk: Desk,
    slug: str,
    identity: Json,
    roles: tuple[str, ...],
    carrier_code: str | None,
    carrier_code_list: str,
    facilities: list[Any] | None,
    proof: Json,
) -> None:
    """Register a party (operator). 登记"""
    details: Json = {"identity": identity, "roles": list(roles), **proof}
    if carrier_code is not None:
        details["carrierCode"] = {"code": carrier_code, "codeListProvider": carrier_code_list}
    if facilities is not None:
        details["facilities"] = facilities
    name = identity.get("legalName", "?")
    warn_of_newcomer(desk.client, slug, identity)
    desk.sign(
        Intent(
            action=Action.REGISTER,
            stream=f"party:{slug}",
            details=details,
            opens=True,
            words=f"Register {name} as {slug}, {', '.join(roles)}; identity, codes and key belong "
            "to it for ever.",
        )
    )


@click.command()
@click.option(
    "--identity", required=True, type=parameters.json_file, help="JSON file: the legal identity."
)
@signing
def init(desk: Desk, identity: Json) -> None:
    """Open the log: the operator registers itself. Its key id must be in BOL_REGISTRAR_KIDS."""
    signer = desk.client.signer
    assert signer is not None  # a desk always signs
    proof = drafting.prove_key(signer, origin=desk.client.origin, party=OPERATOR, identity=identity)
    desk.sign(
        Intent(
            action=Action.REGISTER,
            stream=f"party:{OPERATOR}",
            details={**proof, "identity": identity, "roles": [str(Role.OPERATOR)]},
            opens=True,
            words=f"Open the log {desk.client.origin}, run by {identity.get('legalName', '?')}; "
            f"trust files name the key {signer.public.kid}.",
        )
    )


@click.command()
@click.argument("slug", type=parameters.slug)
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def suspend(desk: Desk, slug: str, reason: str) -> None:
    """Suspend a party (operator).

    It can neither act nor receive until it is reinstated.
    """
    _about(desk, Action.SUSPEND, slug, reason, f"Suspend {slug}: it can neither act nor receive.")


@click.command()
@click.argument("slug", type=parameters.slug)
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def reinstate(desk: Desk, slug: str, reason: str) -> None:
    """Lift a suspension (operator)."""
    _about(desk, Action.REINSTATE, slug, reason, f"Reinstate {slug}.")


def _about(desk: Desk, action: Action, slug: str, reason: str, words: str) -> None:
    stream = f"party:{slug}"
    desk.sign(Intent(action=action, stream=stream, details={"reason": reason}, words=words))


COMMANDS = (register, init, suspend, reinstate)
