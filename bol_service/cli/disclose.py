"""`bol disclose`: give somebody the fields of a bill that it needs, and no others. Offline.

1. When it issues a bill, the carrier commits to every field with a salt of its own, and keeps the
   full file; the platform keeps it too, for whoever holds the bill (`bol bill disclosures`).
2. From the full file `bol disclose` makes a presentation with some of the fields. Nothing is signed
   anew: the carrier's signature covers whatever is left in.
3. It goes together with evidence of the bill (`bol bill evidence --issue-only`), which alone tells
   whether the bill is still current; `bol verify` reads both.
4. With a bill that came from another platform its file came too. The evidence that goes with it is
   that platform's; the status now is told by the one that has the bill.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from bol_service.cli import documents, parameters
from bol_service.cli.output import Stopped, facts, json_option, one_line, remark, say, show
from bol_service.client import Client
from bol_service.domain.classification import PURPOSES
from bol_service.domain.document import DocumentFacts
from bol_service.wire.disclosure import MEDIA_TYPE, BadDisclosure, Presentation, parse_full
from bol_service.wire.disclosure_making import make
from bol_service.wire.disclosure_selection import NAMES, UnknownWord, select
from bol_service.wire.field_classes import shown_value

KIND = "disclosure"


@click.command(epilog=f"WHAT is one or more of {', '.join((*PURPOSES, *NAMES))}, or JSON pointers.")
@click.argument("file", type=parameters.file_bytes)
@click.option(
    "--for",
    "wanted",
    required=True,
    multiple=True,
    metavar="WHAT,...",
    help="customs, terminal, or fields such as goods,hs,/consignmentItems/0/cargoItems.",
)
@click.option(
    "--out",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Usually X.sdjwt.",
)
@json_option
def disclose(file: bytes, wanted: tuple[str, ...], out: Path) -> None:
    """Disclose single fields of a bill. 选择性披露

    FILE is the full file: of the carrier's bol bill issue --disclosures, or the holder's
    bol bill disclosures.
    """
    words = [word for group in wanted for word in group.split(",") if word]
    try:
        full = parse_full(file.decode("ascii").removesuffix("\n"))
        chosen = select(full, words)
    except UnknownWord as error:
        raise click.UsageError(str(error)) from None
    except (UnicodeDecodeError, BadDisclosure) as error:
        raise Stopped(
            "This is no full disclosure file",
            str(error),
            "Use the file that bol bill issue or bol bill disclosures wrote.",
            "bad_disclosure",
        ) from None
    _write(out, chosen.to_text())
    show(_value(out, chosen), lambda: _tell(out, chosen))


def _value(out: Path, chosen: Presentation) -> dict[str, Any]:
    return {
        "file": str(out),
        "bill": chosen.claims.bill,
        "disclosed": [piece.pointer for piece in chosen.disclosed],
        "undisclosed": chosen.hidden,
    }


def _tell(out: Path, chosen: Presentation) -> None:
    facts([("file", out), ("B/L number 提单号", chosen.claims.reference)])
    say("disclosed 已披露:")
    for piece in sorted(chosen.disclosed, key=lambda piece: piece.pointer):
        say(f"  {one_line(piece.pointer)}  {one_line(shown_value(piece.value))}")
    say(f"not disclosed 未披露: {chosen.hidden} fields")
    remark(
        f"Send it with evidence of the bill from {chosen.claims.origin}: "
        f"bol bill evidence {chosen.claims.reference} --issue-only --out FILE"
    )


# -- what the carrier keeps when it issues -------------------------------------------------------


def refuse_existing(path: Path) -> None:
    """The salts of another bill must not be lost; raises UsageError."""
    if path.exists():
        raise click.UsageError(
            f"{path} exists already; name a new file, or remove it if no bill was issued with it"
        )


def commit(client: Client, content: bytes, found: DocumentFacts) -> Presentation:
    """Commit to every field of the document; raises Stopped if the format cannot hold it."""
    signer, party = client.signer, client.party
    assert signer is not None  # a desk always signs
    assert party is not None
    try:
        return make(
            documents.parse(content),
            found,
            carrier=party,
            origin=client.origin,
            platform=client.base_url,
            at=client.now(),
            signer=signer,
        )
    except BadDisclosure as error:
        raise Stopped(
            "The fields of this document cannot be disclosed one by one",
            str(error),
            "Correct the document, or issue without --disclosures.",
            "bad_disclosure",
        ) from None


def require_named(content: bytes, digest: str) -> None:
    """That a platform gave the very file that ISSUE names; raises Stopped."""
    try:
        found = parse_full(content.decode("ascii")).digest
    except (UnicodeDecodeError, BadDisclosure) as error:
        found = f"no disclosure file: {error}"
    if found != digest:
        raise Stopped(
            "The platform gave another file",
            f"ISSUE names the disclosures {digest}, what was given is {found}",
            "Do not disclose from it. Ask the carrier for its file, and tell the operator.",
            "other_digest",
        )


def arrived(client: Client, bill: str) -> bytes:
    """The full file that came with a bill of another platform; raises Stopped if none did."""
    items = client.get(f"/v1/bills/{bill}/files")["items"]
    for item in items:
        if item["mediaType"] != MEDIA_TYPE:
            continue
        content = client.fetch(f"/v1/bills/{bill}/files/{item['digest']}").content
        if _is_full_file_of(bill, content):
            return content
    raise Stopped(
        "There is nothing to disclose from",
        f"no file with the fields of bill {bill} came with it from the platform of issue",
        "Show the whole document, or ask the carrier.",
        "no_disclosures",
    )


def _is_full_file_of(bill: str, content: bytes) -> bool:
    """A full file is proven by itself to be of its bill: its pieces make the document."""
    try:
        return parse_full(content.decode("ascii").removesuffix("\n")).claims.bill == bill
    except (UnicodeDecodeError, BadDisclosure):
        return False


def keep_and_upload(client: Client, path: Path, commitment: Presentation) -> None:
    """Write the full file for its owner alone, then give the platform its copy.

    In this order, so that no bill commits to salts that nobody has. Raises Stopped if the platform
    digests it otherwise.
    """
    _write(path, commitment.to_text(), new=True)
    content = commitment.to_text().encode("ascii")
    answered = client.upload(content, KIND, MEDIA_TYPE)
    if answered.get("digest") != commitment.digest:
        raise Stopped(
            "The platform read other disclosures",
            f"its digest is {answered.get('digest')}, computed here it is {commitment.digest}",
            "Do not sign. Tell the operator.",
            "other_digest",
        )


def _write(path: Path, text: str, *, new: bool = False) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
    try:
        handle = os.open(path, flags, 0o600)
        with open(handle, "w", encoding="ascii", newline="") as opened:
            opened.write(f"{text}\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
