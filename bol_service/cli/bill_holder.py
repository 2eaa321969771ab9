"""What the holder of a bill can sign: endorse, transfer, refuse, sign, surrender.

Title and possession are two things; where an act sets them apart the person is told before it
signs.
"""

from __future__ import annotations

from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.bill_acts import act_on_bill, bill_argument
from bol_service.cli.lookup import Names, bill_words, read_bill
from bol_service.cli.output import warn
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.domain.events import Action

Json = dict[str, Any]


@click.command()
@bill_argument
@click.option("--to", type=parameters.party_name, help="To whose order the bill shall be.")
@click.option("--final", is_flag=True, help="The recipient may not endorse on.")
@click.option("--blank", is_flag=True, help="In blank: to the order of whoever holds it.")
@click.option(
    "--transfer-to", type=parameters.party_name, help="Hand it over too, in the same act."
)
@signing
def endorse(
    desk: Desk, name: str, to: str | None, final: bool, blank: bool, transfer_to: str | None
) -> None:
    """Endorse to order, in full and final, or in blank. 背书"""
    if blank == (to is not None) or (blank and final):
        raise click.UsageError("give either --to PARTY (with or without --final), or --blank alone")
    view = read_bill(desk.client, name)
    names = Names(client=desk.client)
    action = Action.BLANK_ENDORSE if blank else Action.ENDORSE_TO_ORDER
    if final:
        action = Action.ENDORSE
    order = "in blank" if to is None else f"to the order of {names(to)}"
    if final:
        order += ", in full and final"
    handed = f", and hand it to {names(transfer_to)}" if transfer_to else "; you keep holding it"
    desk.sign(
        Intent(
            action=action,
            stream=f"bill:{view['bill']}",
            recipient=to,
            details={"transferTo": transfer_to} if transfer_to else {},
            words=f"Endorse {bill_words(view)} {order}{handed}.",
        )
    )


@click.command()
@bill_argument
@click.option("--to", required=True, type=parameters.party_name, help="Who shall hold the bill.")
@click.option("--lc", help="Presentation: the letter of credit's number.")
@click.option("--complete", is_flag=True, help="Presentation is complete (eUCP e7).")
@signing
def transfer(desk: Desk, name: str, to: str, lc: str | None, complete: bool) -> None:
    """Hand the bill over to another party. 控制权转让

    Possession moves at once; title moves only by endorsement.
    """
    if complete and lc is None:
        raise click.UsageError("--complete is said of a presentation; give --lc too")
    view = read_bill(desk.client, name)
    names = Names(client=desk.client)
    _warn_apart(view, to, names)
    presented = f", presented under L/C {lc}" if lc else ""
    whole = " (complete)" if complete else ""
    desk.sign(
        Intent(
            action=Action.TRANSFER,
            stream=f"bill:{view['bill']}",
            recipient=to,
            details={"presentation": {"lc": lc, "complete": complete}} if lc else {},
            words=f"Transfer {bill_words(view)} to {names(to)}{presented}{whole}: you hold it no "
            "longer.",
        )
    )


def _warn_apart(view: Json, to: str, names: Names) -> None:
    title = view.get("control", {}).get("titleHolder")
    if title is None or title == to or view["type"] == "STRAIGHT":
        return
    warn(
        f"possession and title will be apart: {names(to)} will hold the bill, it stays to the "
        f"order of {names(title)}. Only together can it be surrendered; to give title too: bol "
        f"bill endorse --to {to} --transfer-to {to}"
    )


@click.command()
@bill_argument
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def refuse(desk: Desk, name: str, reason: str) -> None:
    """Refuse what you received. 拒收

    Possible as long as you have signed nothing on the bill since.
    """
    act_on_bill(
        desk,
        Action.REFUSE,
        name,
        {"reason": reason},
        "Refuse {}: possession, title and all go back as they were before it was given to you.",
    )


@click.command()
@bill_argument
@click.option("--nonce", help="Answers a challenge: base64url of 16 to 64 bytes.")
@signing
def sign(desk: Desk, name: str, nonce: str | None) -> None:
    """Sign as holder. 签署

    Shows that you hold the bill, and accepts what you received.
    """
    act_on_bill(
        desk,
        Action.SIGN,
        name,
        {"nonce": nonce} if nonce else {},
        "Sign {} as its holder; afterwards it can no longer be refused.",
    )


@click.command()
@bill_argument
@click.option("--for-amendment", is_flag=True, help="To have it amended instead of delivered.")
@click.option(
    "--reason-code",
    type=click.Choice(["SWTP", "COD", "SWI"]),
    help="For amendment: switch to paper, change of destination, or switch bill.",
)
@click.option("--comments", help="For amendment: what shall be changed.")
@signing
def surrender(
    desk: Desk, name: str, for_amendment: bool, reason_code: str | None, comments: str | None
) -> None:
    """Surrender to the carrier, for delivery or amendment. 交单提货"""
    if for_amendment != (reason_code is not None) or (comments and not for_amendment):
        raise click.UsageError(
            "--for-amendment and --reason-code go together, --comments with them"
        )
    if not for_amendment:
        act_on_bill(
            desk,
            Action.SURRENDER_FOR_DELIVERY,
            name,
            {},
            "Surrender {} for delivery: the carrier keeps it until it accepts or rejects.",
        )
        return
    details = {"reasonCode": reason_code, **({"comments": comments} if comments else {})}
    words = f"Surrender {{}} for amendment ({reason_code}): the carrier keeps it until it answers."
    act_on_bill(desk, Action.SURRENDER_FOR_AMENDMENT, name, details, words)


COMMANDS = (endorse, transfer, refuse, sign, surrender)
