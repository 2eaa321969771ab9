"""`bol bill issue`: the carrier brings a bill into the world.

1. The file is checked and digested here; its content must be the approved draft's (the platform
   checks that too, and that dates and custody agree).
2. Parties are taken from the party codes that the document itself bears, unless they are named.
3. The DCSA issuance manifest and the event are signed with the same key of the carrier.
4. With `--visualisation` the manifest bears the SHA-256 of the carrier's own picture of the bill,
   which is uploaded with it and travels with the original.
5. With `--disclosures` the bill commits to each field of the document, and the file from which
   fields can be disclosed is written here before anything is sent; see `disclose`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bol_service.cli import disclose, documents, parameters
from bol_service.cli.lookup import Names, find_shipment
from bol_service.cli.output import NotSetUp, facts, remark, wants_json
from bol_service.cli.signing import Desk, Intent, signing
from bol_service.client import Client
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Action
from bol_service.wire import drafting
from bol_service.wire.events import issue_to_checksum

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Parties:
    """The parties of the new bill, as slugs; `title_holder` None: in blank."""

    shipper: str
    title_holder: str | None
    consignee: str | None
    notify: tuple[str, ...]
    issue_to: str

    def details(self) -> Json:
        value: Json = {"shipper": self.shipper}
        if self.title_holder is not None:
            value["titleHolder"] = self.title_holder
        if self.consignee is not None:
            value["consignee"] = self.consignee
        if self.notify:
            value["notify"] = list(self.notify)
        return value


@click.command()
@click.argument("file", type=parameters.file_bytes)
@click.option("--shipment", required=True, help="Its UUID, or your booking number.")
@click.option("--issue-to", type=parameters.slug, help="First holder; the shipper if not given.")
@click.option("--shipper", type=parameters.slug, help="If the document bears no code of it.")
@click.option("--title-holder", type=parameters.slug, help="If the document bears no code of it.")
@click.option("--consignee", type=parameters.slug, help="If the document bears no code of it.")
@click.option("--notify", multiple=True, type=parameters.slug, help="If the document bears none.")
@click.option(
    "--platform-code",
    envvar="BOL_PLATFORM_CODE",
    help="DCSA code of the platform, 2 to 4 characters. [BOL_PLATFORM_CODE]",
)
@click.option(
    "--visualisation",
    type=parameters.file_bytes,
    metavar="FILE",
    help="Your own picture of the bill, a PDF; it travels with the original.",
)
@click.option(
    "--disclosures",
    "disclosures_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="New file from which you can disclose single fields; it holds the whole document.",
)
@signing
def issue(
    desk: Desk,
    file: bytes,
    shipment: str,
    issue_to: str | None,
    shipper: str | None,
    title_holder: str | None,
    consignee: str | None,
    notify: tuple[str, ...],
    platform_code: str | None,
    visualisation: bytes | None,
    disclosures_file: Path | None,
) -> None:
    """Issue the bill of a transport document (carrier). 签发提单"""
    if not platform_code:
        raise NotSetUp(
            "neither --platform-code nor BOL_PLATFORM_CODE is given",
            "Give --platform-code: the DCSA code of the platform that you issue on.",
        )
    if disclosures_file is not None:
        disclose.refuse_existing(disclosures_file)
    found = documents.read(file)
    parties = _parties(found, issue_to, shipper, title_holder, consignee, notify)
    if not desk.dry_run and not wants_json():
        facts(documents.summary(found, documents.parse(file)), err=True)
        remark(f"first holder: {Names(client=desk.client)(parties.issue_to)}")
    picture = None if visualisation is None else hashlib.sha256(visualisation).hexdigest()
    details = _details(desk.client, found, parties, platform_code, picture)
    details["shipment"] = find_shipment(desk.client, shipment)
    commitment = None
    if disclosures_file is not None:
        commitment = disclose.commit(desk.client, file, found)
        details["disclosure"] = commitment.digest

    def prepare() -> None:
        documents.upload(desk.client, file, found)
        if visualisation is not None:
            documents.upload_visualisation(desk.client, visualisation)
        if disclosures_file is not None and commitment is not None:
            disclose.keep_and_upload(desk.client, disclosures_file, commitment)

    desk.sign(
        Intent(
            action=Action.ISSUE,
            stream=f"bill:{found.checksum}",
            details=details,
            opens=True,
            words=f"Issue B/L {found.reference} to {parties.issue_to}: the only original, "
            f"{_order(found, parties)}.",
        ),
        prepare=prepare,
        told={"bill": found.checksum},
    )


def _parties(
    found: DocumentFacts,
    issue_to: str | None,
    shipper: str | None,
    title_holder: str | None,
    consignee: str | None,
    notify: tuple[str, ...],
) -> _Parties:
    straight = found.kind is BillKind.STRAIGHT
    own_shipper = shipper or documents.slug_of(found.shipper)
    own_consignee = consignee or documents.slug_of(found.consignee)
    title = found.consignee if straight else found.endorsee
    own_title = title_holder or documents.slug_of(title)
    for name, slug, reference in (
        ("--shipper", own_shipper, found.shipper),
        ("--consignee", own_consignee, found.consignee),
        ("--title-holder", own_title, title),
    ):
        if slug is None and reference is not None:
            raise click.UsageError(
                f"the document bears no party code of {reference.name!r}; give {name}"
            )
    assert own_shipper is not None  # a document always names a shipper
    told = [documents.slug_of(reference) for reference in found.notify]
    return _Parties(
        shipper=own_shipper,
        title_holder=own_title,
        consignee=own_consignee,
        notify=notify or tuple(slug for slug in told if slug is not None),
        issue_to=issue_to or own_shipper,
    )


def _order(found: DocumentFacts, parties: _Parties) -> str:
    if found.kind is BillKind.STRAIGHT:
        return f"straight to {parties.consignee}"
    return f"to the order of {parties.title_holder}" if parties.title_holder else "in blank"


def _details(
    client: Client,
    found: DocumentFacts,
    parties: _Parties,
    platform_code: str,
    picture: str | None,
) -> Json:
    issue_to_party = {
        "partyName": client.get(f"/v1/parties/{parties.issue_to}")["legalName"],
        "sendToPlatform": platform_code,
        "identifyingCodes": [
            {
                "codeListProvider": "ZZZ",
                "codeListName": f"{platform_code}-PARTY",
                "partyCode": parties.issue_to,
            }
        ],
    }
    signer = client.signer
    assert signer is not None  # a desk always signs
    return {
        "contentDigest": found.content_digest,
        "receivedBytes": found.received_bytes,
        "issuanceManifestSignedContent": drafting.issuance_manifest(
            signer,
            document_checksum=found.checksum,
            issue_to_checksum=issue_to_checksum(issue_to_party),
            visualisation_checksum=picture,
        ),
        "issueTo": parties.issue_to,
        "issueToParty": issue_to_party,
        "parties": parties.details(),
        "rulebook": hashlib.sha256(client.fetch("/rulebook").content).hexdigest(),
    }


COMMANDS = (issue,)
