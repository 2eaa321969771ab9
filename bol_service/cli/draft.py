"""`bol draft`: from the booking to the version that the shipper approved.

Approving signs the content digest of the very bytes that were shown, computed here; a platform that
shows one document and asks to approve another finds no signature.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from bol_service.cli import documents, parameters
from bol_service.cli.context import Connection, reading
from bol_service.cli.lookup import Names, find_shipment
from bol_service.cli.output import Stopped, facts, remark, show, table, wants_json
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.client import Client
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Action, Leg
from bol_service.domain.states import DraftStatus
from bol_service.wire import drafting

Json = dict[str, Any]


@click.group()
def draft() -> None:
    """Book, instruct, publish and approve drafts. 提单草稿"""


# -- the carrier ---------------------------------------------------------------------------------


@draft.command()
@click.option("--reference", required=True, help="Your booking number.")
@click.option("--shipper", required=True, type=parameters.slug, help="Who ships.")
@click.option("--forwarder", type=parameters.slug, help="Who may act for the shipper.")
@click.option("--receipt", required=True, type=parameters.slug, help="Terminal that receives.")
@click.option("--rail", type=parameters.slug, help="Rail operator; none if received at the port.")
@click.option("--loading", required=True, type=parameters.slug, help="Terminal that loads.")
@click.option("--discharge", required=True, type=parameters.slug, help="Terminal that discharges.")
@click.option(
    "--container",
    "containers",
    multiple=True,
    type=parameters.container,
    help="A container of the booking; may be given several times, or not at all yet.",
)
@click.option(
    "--customs", multiple=True, type=parameters.slug, help="A customs authority that may look."
)
@click.option(
    "--customs-release/--no-customs-release",
    default=False,
    help="Whether customs must release each container before gate-out.",
)
@click.option("--shipment", type=parameters.uuid, help="Its UUID; made if not given.")
@signing
def book(
    desk: Desk,
    reference: str,
    shipper: str,
    forwarder: str | None,
    receipt: str,
    rail: str | None,
    loading: str,
    discharge: str,
    containers: tuple[str, ...],
    customs: tuple[str, ...],
    customs_release: bool,
    shipment: str | None,
) -> None:
    """Open a shipment (carrier). 订舱

    Names who ships and who keeps the cargo on which leg.
    """
    own = shipment or drafting.uuid7(datetime.now(UTC))
    legs = {"receipt": receipt, "rail": rail, "loading": loading, "discharge": discharge}
    details: Json = {
        "carrierBookingReference": reference,
        "shipper": shipper,
        "custodians": {leg: keeper for leg, keeper in legs.items() if keeper is not None},
        "customsRelease": customs_release,
    }
    if forwarder is not None:
        details["forwarder"] = forwarder
    if containers:
        details["containers"] = list(containers)
    if customs:
        details["customs"] = list(customs)
    desk.sign(
        Intent(
            action=Action.BOOKING,
            stream=f"draft:{own}",
            details=details,
            opens=True,
            words=f"Book {reference} for {Names(client=desk.client)(shipper)}, kept by "
            f"{', '.join(details['custodians'].values())}.",
        ),
        told={"shipment": own},
    )


@draft.command()
@click.argument("shipment")
@click.argument("file", type=parameters.file_bytes)
@signing
def publish(desk: Desk, shipment: str, file: bytes) -> None:
    """Publish the next version of the draft (carrier). 发布草稿"""
    known = _read(desk.client, shipment)
    found = documents.read(file)
    version = known.get("version", 0) + 1
    desk.sign(
        Intent(
            action=Action.PUBLISH_DRAFT,
            stream=f"draft:{known['shipment']}",
            details={
                "version": version,
                "document": found.received_bytes,
                "contentDigest": found.content_digest,
            },
            words=f"Publish version {version} of B/L {found.reference} for booking "
            f"{known['carrierBookingReference']}; an earlier approval ends with it.",
        ),
        prepare=lambda: documents.upload(desk.client, file, found),
        told={"version": str(version), "contentDigest": found.content_digest},
    )


@draft.command()
@click.argument("shipment")
@click.option(
    "--leg", required=True, type=click.Choice([str(leg) for leg in Leg]), help="Which leg."
)
@click.option("--custodian", required=True, type=parameters.slug, help="Who keeps the cargo on it.")
@click.option("--reason", required=True, help="Why; it is signed.")
@signing
def appoint(desk: Desk, shipment: str, leg: str, custodian: str, reason: str) -> None:
    """Appoint another custodian for a leg (carrier). 指定保管人"""
    desk.sign(
        Intent(
            action=Action.APPOINT,
            stream=f"draft:{find_shipment(desk.client, shipment)}",
            details={"leg": leg, "custodian": custodian, "reason": reason},
            words=f"From now on {Names(client=desk.client)(custodian)} signs the leg {leg!r}.",
        )
    )


# -- the shipper's side --------------------------------------------------------------------------


@draft.command()
@click.argument("shipment")
@click.argument("file", type=parameters.file_bytes)
@click.option("--reference", help="Number of the instructions; taken from FILE if not given.")
@signing
def instruct(desk: Desk, shipment: str, file: bytes, reference: str | None) -> None:
    """Submit shipping instructions (shipper's side). 补料"""
    number = reference or documents.parse(file).get("shippingInstructionsReference")
    if not isinstance(number, str):
        raise click.UsageError("FILE has no shippingInstructionsReference; give --reference")
    desk.sign(
        Intent(
            action=Action.SUBMIT_INSTRUCTIONS,
            stream=f"draft:{find_shipment(desk.client, shipment)}",
            details={"shippingInstructionsReference": number, "document": documents.sha256(file)},
            words=f"Submit shipping instructions {number}.",
        ),
        prepare=lambda: documents.upload_instructions(desk.client, file),
    )


@draft.command("request-change")
@click.argument("shipment")
@click.option("--version", required=True, type=click.IntRange(0), help="The version you looked at.")
@click.option("--comment", required=True, help="What shall be changed.")
@signing
def request_change(desk: Desk, shipment: str, version: int, comment: str) -> None:
    """Ask for a change (shipper's side). 改稿

    The version cannot be approved any more; the carrier publishes another.
    """
    desk.sign(
        Intent(
            action=Action.REQUEST_CHANGE,
            stream=f"draft:{find_shipment(desk.client, shipment)}",
            details={"version": version, "comment": comment},
            words=f"Send version {version} back to the carrier: {comment}",
        )
    )


@draft.command()
@click.argument("shipment")
@click.option("--version", required=True, type=click.IntRange(0), help="The version you looked at.")
@signing
def approve(desk: Desk, shipment: str, version: int) -> None:
    """Approve a version (shipper's side). 确认

    Only exactly that content can then be issued.
    """
    known = _read(desk.client, shipment)
    if known.get("version") != version or known["status"] == DraftStatus.CHANGE_REQUESTED:
        raise Stopped(
            "Not the draft that counts",
            f"you approve version {version}; the draft is {known['status']}, version "
            f"{known.get('version', 'none')}",
            f"Look at it again: bol draft show {known['shipment']}",
            "stale_draft",
        )
    content, found = draft_document(desk.client, known)
    if not desk.dry_run and not wants_json():
        remark(f"Version {version} of the draft:")
        facts(documents.summary(found, documents.parse(content)), err=True)
    desk.sign(
        Intent(
            action=Action.APPROVE_DRAFT,
            stream=f"draft:{known['shipment']}",
            details={"version": version, "contentDigest": found.content_digest},
            words=f"Approve version {version} of B/L {found.reference}: the carrier may issue "
            f"exactly this content, SHA-256 {found.content_digest}.",
        )
    )


def draft_document(client: Client, known: Json) -> tuple[bytes, DocumentFacts]:
    """The draft as uploaded, if it is the one that the carrier signed; raises Stopped."""
    content = client.fetch(f"/v1/drafts/{known['shipment']}/document").content
    found = documents.read(content)
    if found.content_digest != known["contentDigest"]:
        raise Stopped(
            "The document is not the published one",
            f"the carrier signed content {known['contentDigest']}, the platform shows "
            f"{found.content_digest}",
            "Do not approve. Tell the carrier and the operator.",
            "stale_draft",
        )
    return content, found


# -- reading -------------------------------------------------------------------------------------


def _read(client: Client, shipment: str) -> Json:
    found: Json = client.get(f"/v1/drafts/{find_shipment(client, shipment)}")
    return found


@draft.command("show")
@click.argument("shipment")
@reading
def show_draft(connection: Connection, shipment: str) -> None:
    """Show a shipment and the draft published last."""
    client = connection.reader()
    known = _read(client, shipment)

    def human() -> None:
        names = Names(client=client)
        custodians = [f"{leg}: {names(who)}" for leg, who in known["custodians"].items()]
        facts(
            [
                ("booking 订舱号", known["carrierBookingReference"]),
                ("shipment", known["shipment"]),
                ("status", known["status"]),
                ("carrier 承运人", names(known["carrier"])),
                ("shipper 托运人", names(known["shipper"])),
                ("forwarder 货代", names(known.get("forwarder"))),
                ("custodians 保管人", "\n".join(custodians)),
                ("containers 箱号", ", ".join(known["containers"])),
                ("customs 海关", ", ".join(known["customs"])),
                ("version", known.get("version")),
                ("change wanted", known.get("changeComment")),
            ]
        )
        if "version" in known:
            content, found = draft_document(client, known)
            facts(documents.summary(found, documents.parse(content)))

    show(known, human)


@draft.command("list")
@reading
def list_drafts(connection: Connection) -> None:
    """List your shipments."""
    items = list(connection.reader().pages("/v1/drafts"))
    members = ("carrierBookingReference", "shipment", "status", "version", "carrier", "shipper")
    rows = [[item.get(member, "") for member in members] for item in items]
    headings = ["booking", "shipment", "status", "version", "carrier", "shipper"]
    show({"items": items}, lambda: table(headings, rows, empty="No shipment of yours."))
