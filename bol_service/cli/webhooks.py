"""`bol webhooks`: having one's notices sent to an address of one's own, and what became of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from bol_service.cli import words
from bol_service.cli.context import Connection, reading
from bol_service.cli.output import facts, say, show, table

Json = dict[str, Any]

_ID = click.argument("webhook", metavar="ID")
_KINDS = {**words.ACTIONS, **words.NOTICES}
_STAGES = {
    "WAITING": ("waiting", "待送达"),
    "DELIVERED": ("delivered", "已送达"),
    "GIVEN_UP": ("GIVEN UP", "已放弃"),
}


@click.group()
def webhooks() -> None:
    """Have your notices sent to you. 通知推送"""


@webhooks.command()
@click.argument("address", metavar="URL")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(sorted(_KINDS)),
    metavar="KIND",
    help="Only notices of this kind, such as ISSUED; may be repeated.",
)
@click.option(
    "--since",
    type=click.IntRange(min=0),
    help="Also what you were told after the notice of this number; 0: everything.",
)
@reading
def add(connection: Connection, address: str, kinds: tuple[str, ...], since: int | None) -> None:
    """Send your notices to URL from now on."""
    wanted: Json = {"url": address, "kinds": list(kinds)}
    if since is not None:
        wanted["since"] = since
    found = connection.reader().post("/v1/webhooks", wanted)
    show(found, lambda: _tell(found))


@webhooks.command("list")
@reading
def list_webhooks(connection: Connection) -> None:
    """List your webhooks."""
    found = connection.reader().get("/v1/webhooks")
    rows = [
        [item["webhook"], item["url"], _kinds(item), item["created"], item.get("paused", "")]
        for item in found["items"]
    ]
    headings = ["id", "address", "kinds", "since (UTC)", "paused, because"]
    show(found, lambda: table(headings, rows, empty="You have no webhook."))


@webhooks.command()
@_ID
@reading
def remove(connection: Connection, webhook: str) -> None:
    """Send nothing to this webhook any more; its log goes too."""
    connection.reader().delete(_path(webhook))
    show({"removed": webhook}, lambda: say(f"webhook {webhook} is removed"))


@webhooks.command()
@_ID
@reading
def deliveries(connection: Connection, webhook: str) -> None:
    """Show what became of each notice, the newest first."""
    items = list(connection.reader().pages(f"{_path(webhook)}/deliveries"))
    rows = [
        [
            item["number"],
            words.both(_KINDS, item["kind"]),
            words.both(_STAGES, item["stage"]),
            item["attempts"],
            item.get("lastAttempt"),
            item.get("nextAttempt"),
            item.get("fault") or item.get("status"),
        ]
        for item in items
    ]
    headings = ["no.", "what", "stage", "attempts", "last (UTC)", "next (UTC)", "answer"]
    show({"items": items}, lambda: table(headings, rows, empty="Nothing was sent there yet."))


@webhooks.command()
@_ID
@click.argument("number", type=click.IntRange(min=1))
@reading
def replay(connection: Connection, webhook: str, number: int) -> None:
    """Send the notice NUMBER once more; ends a pause."""
    found = connection.reader().post(f"{_path(webhook)}/deliveries/{number}/replay")
    show(found, lambda: say(f"notice {number} is sent again to webhook {webhook}"))


def _path(webhook: str) -> str:
    return f"/v1/webhooks/{quote(webhook, safe='')}"


def _kinds(item: Json) -> str:
    return ", ".join(item["kinds"]) or "all"


def _tell(found: Json) -> None:
    facts(
        [
            ("webhook", found["webhook"]),
            ("address", found["url"]),
            ("kinds", _kinds(found)),
            ("after notice", found["since"]),
            ("verify with", found.get("publicKey")),
        ]
    )
