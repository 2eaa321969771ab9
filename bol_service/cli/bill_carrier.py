"""What the carrier signs on a living bill: notation, answers, delivery orders, delivery, void.

The one-time code of a delivery order is made here and printed once; the order, and so the platform,
knows only its SHA-256. The collector shows the code at the gate.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.bill_acts import act_on_bill, bill_argument
from bol_service.cli.lookup import Names, bill_words, read_bill
from bol_service.cli.output import remark, wants_json
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.crypto import base64url
from bol_service.domain.events import Action
from bol_service.wire.event_fields import instant_text

Json = dict[str, Any]

CODE_BYTES = 16


@click.command()
@bill_argument
@signing
def accept(desk: Desk, name: str) -> None:
    """Accept the surrender (carrier). 接受交单

    Control of the bill ends for ever; for a delivery, orders can follow.
    """
    act_on_bill(
        desk, Action.SACC, name, {}, "Accept the surrender of {}: its control ends for ever."
    )


@click.command()
@bill_argument
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def reject(desk: Desk, name: str, reason: str) -> None:
    """Reject the surrender (carrier). 拒绝交单

    The holder gets the bill back.
    """
    words = "Reject the surrender of {}: the holder gets it back."
    act_on_bill(desk, Action.SREJ, name, {"reason": reason}, words)


@click.command()
@bill_argument
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def void(desk: Desk, name: str, reason: str) -> None:
    """Void a bill that its first holder refused (carrier). 作废"""
    words = "Void {}: it ends, and its number is free again."
    act_on_bill(desk, Action.VOID, name, {"reason": reason}, words)


@click.command()
@bill_argument
@click.option("--vessel", help="As loaded; from the terminals' events if not given.")
@click.option("--voyage", help="As loaded; from the terminals' events if not given.")
@click.option("--port", type=parameters.unlocode, help="UN/LOCODE; from the document if not given.")
@click.option(
    "--date",
    "on_board",
    type=parameters.day,
    help="Local date on board; the latest loading if not given.",
)
@signing
def notate(
    desk: Desk,
    name: str,
    vessel: str | None,
    voyage: str | None,
    port: str | None,
    on_board: date | None,
) -> None:
    """Make the on-board notation (carrier). 装船批注

    Vessel, voyage and date are those that the terminals' load events prove.
    """
    view = read_bill(desk.client, name)
    proven = _loading(view)
    details = {
        "vesselName": vessel or proven.get("vesselName"),
        "carrierExportVoyageNumber": voyage or proven.get("carrierExportVoyageNumber"),
        "portOfLoading": port or _port_of_loading(view),
        "onBoardDate": on_board.isoformat() if on_board else proven.get("localDate"),
    }
    missing = [member for member, value in details.items() if value is None]
    if missing:
        raise click.UsageError(
            f"{', '.join(missing)} cannot be told from the terminals' events and the document; "
            "give --vessel, --voyage, --port and --date"
        )
    desk.sign(
        Intent(
            action=Action.ON_BOARD_NOTATION,
            stream=f"bill:{view['bill']}",
            details=details,
            words=f"Note on {bill_words(view)}: shipped on board {details['vesselName']} "
            f"{details['carrierExportVoyageNumber']} at {details['portOfLoading']} on "
            f"{details['onBoardDate']}.",
        )
    )


def _loading(view: Json) -> Json:
    """The latest loading that the custody events show, empty while a container is not loaded."""
    loadings = [box.get("loadedOn") for box in view.get("custody", [])]
    if not loadings or None in loadings:
        return {}
    return max((load for load in loadings if load), key=lambda load: str(load["localDate"]))


def _port_of_loading(view: Json) -> str | None:
    port = view.get("document", {}).get("transports", {}).get("portOfLoading", {})
    code: str | None = port.get("UNLocationCode")
    return code


@click.command("release-order")
@bill_argument
@click.option("--terminal", required=True, type=parameters.slug, help="Who hands the cargo out.")
@click.option(
    "--container",
    "containers",
    required=True,
    multiple=True,
    type=parameters.container,
    help="Which container; may be given several times.",
)
@click.option("--pick-up-name", required=True, help="Who collects.")
@click.option("--pick-up-reference", required=True, help="What the collector shows: vehicle, eDO.")
@click.option(
    "--expires", required=True, type=parameters.instant, help="With its zone, e.g. +08:00."
)
@signing
def release_order(
    desk: Desk,
    name: str,
    terminal: str,
    containers: tuple[str, ...],
    pick_up_name: str,
    pick_up_reference: str,
    expires: datetime,
) -> None:
    """Order a terminal to release containers (carrier). 提货单

    Prints the one-time code. It is shown once and kept nowhere: pass it to the collector alone.
    """
    view = read_bill(desk.client, name)
    code = base64url.encode(secrets.token_bytes(CODE_BYTES))
    desk.sign(
        Intent(
            action=Action.DELIVERY_ORDER,
            stream=f"bill:{view['bill']}",
            details={
                "terminal": terminal,
                "containers": list(containers),
                "pickUp": {"name": pick_up_name, "reference": pick_up_reference},
                "codeHash": hashlib.sha256(code.encode("ascii")).hexdigest(),
                "expires": instant_text(expires),
            },
            words=f"Order {Names(client=desk.client)(terminal)} to hand {', '.join(containers)} of "
            f"{bill_words(view)} to {pick_up_name}, {pick_up_reference}, until "
            f"{instant_text(expires)}.",
        ),
        told={"releaseCode": code},
    )
    if not desk.dry_run and not wants_json():
        remark("→ The code is shown this once. Pass it to the collector, to nobody else.")


@click.command("cancel-order")
@bill_argument
@click.option("--order", type=parameters.sha256, help="Its digest; the one living if not given.")
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def cancel_order(desk: Desk, name: str, order: str | None, reason: str) -> None:
    """Cancel a delivery order that was not used (carrier). 取消提货单"""
    view = read_bill(desk.client, name)
    living = [item["order"] for item in view.get("deliveryOrders", []) if not item["cancelled"]]
    if order is None and len(living) != 1:
        raise click.UsageError(
            f"the bill has {len(living)} living delivery orders: {', '.join(living) or 'none'}; "
            "name the one with --order"
        )
    which = order or living[0]
    desk.sign(
        Intent(
            action=Action.CANCEL_DELIVERY_ORDER,
            stream=f"bill:{view['bill']}",
            details={"order": which, "reason": reason},
            words=f"Cancel delivery order {which[:12]}… of {bill_words(view)}: nothing leaves the "
            "gate under it.",
        )
    )


@click.command()
@bill_argument
@signing
def confirm(desk: Desk, name: str) -> None:
    """Confirm that the cargo was delivered (carrier). 确认交付"""
    act_on_bill(
        desk, Action.CONFIRM_DELIVERY, name, {}, "Confirm that the cargo of {} was delivered."
    )


COMMANDS = (accept, reject, void, notate, release_order, cancel_order, confirm)
