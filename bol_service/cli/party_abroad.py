"""Being a party of another platform's ledger, reached through one's own (docs/adr/0030).

A terminal or customs authority applies through its own platform; the other platform's operator
lists who waits and registers it. Every act there is then an ordinary `bol` command with `--ledger`.
"""

from __future__ import annotations

from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.context import Connection, all_options, reading
from bol_service.cli.output import NotSetUp, Stopped, facts, say, show, visible
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.client import Client
from bol_service.domain.events import Action
from bol_service.wire import drafting
from bol_service.wire.abroad import APPLIED_ROLES

Json = dict[str, Any]
PATH = "/v1/abroad/applications"


@click.command("apply-abroad")
@click.option("--platform", required=True, help="Code of the other platform, such as CQGY.")
@click.option(
    "--identity", required=True, type=parameters.json_file, help="JSON file: your legal identity."
)
@click.option(
    "--roles",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice(sorted(APPLIED_ROLES)),
    help="A role; may be given several times.",
)
@click.option(
    "--facilities", type=parameters.json_list_file, help="For terminals: JSON file, array."
)
@all_options
def apply_abroad(
    connection: Connection,
    platform: str,
    identity: Json,
    roles: tuple[str, ...],
    facilities: list[Any] | None,
) -> None:
    """Apply to another platform, through yours. 异地登记申请

    Give its log's origin to --ledger and the slug you want there to --name-there.
    """
    if connection.ledger is None:
        raise NotSetUp("--ledger is not given", "Give the origin of the other platform's log.")
    client = connection.reader()
    assert client.signer is not None  # a reader has one
    name = connection.me()
    proof = drafting.prove_key(
        client.signer, origin=connection.ledger, party=name, identity=identity
    )
    details: Json = {**proof, "identity": identity, "roles": list(roles)}
    if facilities is not None:
        details["facilities"] = facilities
    wanted = {"platform": platform, "party": name, "details": details}
    answer = client.post("/v1/abroad/registrations", wanted)
    words = {
        "waiting": f"the operator of {platform} has your application",
        "registered": f"you are {name} on {connection.ledger}",
    }
    show(answer, lambda: say(f"✓ {words.get(answer['status'], answer['status'])}"))


@click.command()
@reading
def applications(connection: Connection) -> None:
    """List who applies from other platforms (operator)."""
    items = _waiting(connection.reader())

    def human() -> None:
        if not items:
            say("nobody waits")
        for item in items:
            say(f"{item['number']}  {visible(item['party'])} of {item['platform']}")
            identity = item["details"]["identity"]
            facts(
                [
                    ("legal name", identity["legalName"]),
                    ("country", identity["country"]),
                    ("identifiers", _identifiers(identity)),
                    ("roles", ", ".join(item["details"]["roles"])),
                    ("slug there", item["name"]),
                    ("key", item["kid"]),
                    ("applied", item["at"]),
                ]
            )

    show({"applications": items}, human)


@click.command("register-applicant")
@click.argument("number", type=click.IntRange(1))
@signing
def register_applicant(desk: Desk, number: int) -> None:
    """Register one who applies from abroad (operator).

    Check first who it is, by means outside this software; NUMBER is from `bol party applications`.
    """
    found = [item for item in _waiting(desk.client) if item["number"] == number]
    if not found:
        raise Stopped(
            "Nobody waits under this number",
            f"there is no application {number} that waits",
            "See: bol party applications",
            "not_found",
        )
    (item,) = found
    name = item["details"]["identity"]["legalName"]
    desk.sign(
        Intent(
            action=Action.REGISTER,
            stream=f"party:{item['party']}",
            details=item["details"],
            opens=True,
            words=f"Register {name} as {item['party']}, {', '.join(item['details']['roles'])}; it "
            f"is {item['name']} of {item['platform']}, and is reached through that platform.",
        )
    )


def _waiting(client: Client) -> list[Json]:
    items: list[Json] = client.get(PATH)["items"]
    return items


def _identifiers(identity: Json) -> str:
    return ", ".join(f"{each['type']} {each['value']}" for each in identity["identifiers"])


COMMANDS = (apply_abroad, applications, register_applicant)
"""Of `bol party`."""
