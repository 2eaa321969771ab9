"""`bol bill`: reading bills, and the commands that act on them.

This module reads; the acts stand in `bill_issue` (the carrier brings a bill into the world),
`bill_holder` (who has it) and `bill_carrier` (who answers for it). A bill is named by its id, by a
prefix of six digits or more, or by its B/L number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bol_service.cli import (
    bill_carrier,
    bill_files,
    bill_holder,
    bill_issue,
    disclose,
    parameters,
    words,
)
from bol_service.cli.context import Connection, reading
from bol_service.cli.lookup import Names, find_bill, read_bill
from bol_service.cli.output import ExitCode, Stopped, facts, say, show, table, warn
from bol_service.cli.own_files import write_and_tell
from bol_service.cli.signing import payload_of
from bol_service.domain.events import Action

Json = dict[str, Any]


@click.group()
def bill() -> None:
    """Issue, endorse, transfer and surrender bills. 提单"""


for _command in (
    *bill_issue.COMMANDS,
    *bill_holder.COMMANDS,
    *bill_carrier.COMMANDS,
    *bill_files.COMMANDS,
):
    bill.add_command(_command)


@bill.command("list")
@click.option("--reference", help="B/L number.")
@click.option("--status", type=click.Choice(list(words.STATUSES)), help="Only in this state.")
@click.option("--carrier", type=parameters.slug, help="Only of this carrier.")
@click.option("--container", type=parameters.container, help="Only with this container.")
@click.option("--shipment", type=parameters.uuid, help="Only of this shipment.")
@reading
def list_bills(connection: Connection, **filters: str | None) -> None:
    """List the bills that you may know."""
    query = {name: value for name, value in filters.items() if value is not None}
    items = list(connection.reader().pages("/v1/bills", **query))
    rows = [
        [
            item["transportDocumentReference"],
            item["bill"][:12],
            words.both(words.BILL_TYPES, item["type"]),
            words.both(words.STATUSES, item["status"]),
            item["carrier"],
            item.get("onBoardDate", ""),
        ]
        for item in items
    ]
    headings = ["B/L number", "id", "type", "state", "carrier", "on board"]
    show({"items": items}, lambda: table(headings, rows, empty="No bill that you may know."))


@bill.command("show")
@click.argument("name", metavar="BILL")
@reading
def show_bill(connection: Connection, name: str) -> None:
    """Show a bill and what you can sign on it now."""
    client = connection.reader()
    view = read_bill(client, name)
    show(view, lambda: _tell(view, Names(client=client)))


def _tell(view: Json, names: Names) -> None:
    parties = view.get("parties", {})
    facts(
        [
            ("B/L number 提单号", view["transportDocumentReference"]),
            ("bill", view["bill"]),
            ("type 类型", words.both(words.BILL_TYPES, view["type"])),
            ("state 状态", words.both(words.STATUSES, view["status"])),
            ("carrier 承运人", names(view["carrier"])),
            *_control(view, names),
            ("shipper 托运人", names(parties.get("shipper"))),
            ("consignee 收货人", names(parties.get("consignee"))),
            ("notify 通知方", ", ".join(names(slug) for slug in parties.get("notify", []))),
            ("received 收货日", view.get("receivedForShipmentDate")),
            ("on board 装船日", view.get("onBoardDate")),
            ("shipment", view.get("shipment")),
            ("you are", ", ".join(view["relations"])),
            ("you can sign", _allowed(view["allowedActions"])),
        ]
    )
    if view.get("custody"):
        rows = [[box["container"], *_place(box)] for box in view["custody"]]
        table(["container", "where", "custodian", "since", "seals"], rows, empty="")
    for order in view.get("deliveryOrders", []):
        _order(order)
    for warning in view.get("warnings", []):
        warn(warning)


def _control(view: Json, names: Names) -> list[tuple[str, object]]:
    control = view.get("control")
    if control is None:
        return [("holder 持有人", "not for you to know")]
    title = control["titleHolder"]
    order = f"to the order of {names(title)}" if title else "in blank: whoever holds it"
    if view["type"] == "STRAIGHT":
        order = names(title)
    final = "; the last endorsement was final" if control["final"] else ""
    return [
        ("holder 持有人", names(control["possessor"])),
        ("title 权利人", f"{order}{final}"),
    ]


def _allowed(actions: list[str]) -> str:
    if not actions:
        return "nothing now"
    return "\n".join(words.both(words.ACTIONS, action) for action in actions)


def _place(box: Json) -> list[str]:
    where = words.both(words.PLACES, box["place"])
    exceptions = " SEAL EXCEPTION 封号异常" if box.get("sealExceptions") else ""
    return [where, box["custodian"], box["since"], ", ".join(box["seals"]) + exceptions]


def _order(order: Json) -> None:
    state = "CANCELLED" if order["cancelled"] else f"until {order['expires']}"
    pick_up = order["pickUp"]
    say(
        f"delivery order {order['order'][:12]}… ({state}): {order['terminal']} hands "
        f"{', '.join(order['containers'])} to {pick_up['name']}, {pick_up['reference']}"
    )


@bill.command()
@click.argument("name", metavar="BILL")
@reading
def history(connection: Connection, name: str) -> None:
    """Show who signed what on a bill, oldest first. 流转记录"""
    client = connection.reader()
    items = list(client.pages(f"/v1/bills/{find_bill(client, name)}/events"))

    def human() -> None:
        names = Names(client=client)
        rows = [
            [
                item["sequence"],
                item["recordedAt"],
                names(item["actor"]),
                words.both(words.ACTIONS, item["action"]),
                _to_whom(item),
            ]
            for item in items
        ]
        headings = ["no.", "recorded (UTC)", "signed by", "act", "to"]
        table(headings, rows, empty="No event of it is for you to see.")

    show({"items": items}, human)


def _to_whom(item: Json) -> str:
    payload = payload_of(item["event"])
    details = payload.get("details", {})
    named = [payload.get("recipient"), details.get("transferTo"), details.get("issueTo")]
    return ", ".join(dict.fromkeys(slug for slug in named if slug))


@bill.command()
@click.argument("name", metavar="BILL")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to stdout.")
@reading
def document(connection: Connection, name: str, out: Path | None) -> None:
    """Get the transport document, byte for byte."""
    client = connection.reader()
    content = client.fetch(f"/v1/bills/{find_bill(client, name)}/document").content
    if out is None:
        click.echo(content, nl=False)
        return
    write_and_tell(out, content)


@bill.command()
@click.argument("name", metavar="BILL")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Usually X.ebl.json.")
@click.option(
    "--issue-only",
    is_flag=True,
    help="Issue and status alone, to go with disclosed fields (carrier, holder).",
)
@click.option(
    "--of",
    "platform",
    metavar="CODE",
    help="Ask that platform, on which the bill was issued, through yours.",
)
@reading
def evidence(
    connection: Connection, name: str, out: Path, issue_only: bool, platform: str | None
) -> None:
    """Get the evidence file of a bill. 证据文件

    Anyone can check it offline: bol verify FILE --trust trust.json
    """
    if issue_only and platform is not None:
        raise click.UsageError("--of gives one kind of evidence; leave out --issue-only")
    client = connection.reader()
    bill, query = find_bill(client, name), {"profile": "issue"} if issue_only else {}
    path = f"/v1/bills/{bill}/evidence"
    if platform is not None:
        path, query = f"/v1/abroad/evidence/{platform}/{bill}", {"fresh": "true"}
    write_and_tell(out, client.fetch(path, **query).content)


@bill.command()
@click.argument("name", metavar="BILL")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Usually X.pdf.")
@reading
def copy(connection: Connection, name: str, out: Path) -> None:
    """Get a copy of a bill to print, its evidence inside. 打印副本

    It is no original. bol verify FILE.pdf checks the evidence in it, not the print.
    """
    client = connection.reader()
    write_and_tell(out, client.fetch(f"/v1/bills/{find_bill(client, name)}/copy").content)


@bill.command()
@click.argument("name", metavar="BILL")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Usually X.full.sdjwt.")
@reading
def disclosures(connection: Connection, name: str, out: Path) -> None:
    """Get the file to disclose fields from. 选择性披露

    For carrier and holder. Keep it to yourself, it holds the whole document; give away what
    bol disclose makes of it.
    """
    client = connection.reader()
    found = find_bill(client, name)
    opening = payload_of(client.get(f"/v1/bills/{found}/events")["items"][0]["event"])
    if opening["action"] == Action.IMPORTED:
        write_and_tell(out, disclose.arrived(client, found))
        return
    digest = opening["details"].get("disclosure")
    if digest is None:
        raise Stopped(
            "There is nothing to disclose from",
            f"bill {found} was issued without disclosures",
            "Show the whole document, or ask the carrier.",
            "no_disclosures",
        )
    content = client.fetch(f"/v1/documents/{digest}").content
    disclose.require_named(content, digest)
    write_and_tell(out, content)


@bill.command("release-check")
@click.argument("container", type=parameters.container)
@reading
@click.pass_context
def release_check(ctx: click.Context, connection: Connection, container: str) -> None:
    """Ask whether a container may leave the gate now. 放货查询

    RELEASE exits 0, DO NOT RELEASE 1.
    """
    found = connection.reader().get(f"/v1/containers/{container}/release-check")
    release = found["answer"] == "RELEASE"

    def human() -> None:
        symbol, hue = ("✓", "green") if release else ("✗", "red")
        click.secho(f"{symbol} {found['answer']}", fg=hue, bold=True)
        facts(
            [
                ("container 箱号", container),
                ("B/L number 提单号", found.get("transportDocumentReference")),
                ("reason", found["reason"]),
                ("order", found.get("order")),
                ("next", found["nextStep"]),
                ("as of", found["asOf"]),
            ]
        )

    show(found, human)
    ctx.exit(ExitCode.DONE if release else ExitCode.REFUSED)


@bill.command()
@reading
def notices(connection: Connection) -> None:
    """Show what waits for you. 待办

    Bills received, drafts to approve, surrenders to answer, alarms.
    """
    items = list(connection.reader().pages("/v1/notices"))

    def human() -> None:
        rows = [
            [item["number"], item["at"], words.both(_KINDS, item["kind"]), _about(item)]
            for item in items
        ]
        table(["no.", "at (UTC)", "what", "about"], rows, empty="Nothing waits for you.")

    show({"items": items}, human)


_KINDS = {**words.ACTIONS, **words.NOTICES}


def _about(item: Json) -> str:
    told = [f"{name} {value}" for name, value in item["facts"].items()]
    kind, _, name = item["stream"].partition(":")
    short = f"{name[:12]}…" if kind == "bill" else name
    return f"{', '.join(told)} ({kind} {short})"
