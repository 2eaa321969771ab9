"""Finding things by the names people use: B/L numbers, booking numbers, legal names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bol_service.cli.output import Stopped, one_line
from bol_service.cli.words import STATUSES, english
from bol_service.client import Client, Refused

Json = dict[str, Any]


def find_bill(client: Client, name: str) -> str:
    """The id of a bill given by id, by B/L number, or by a prefix of its id (6 digits at least).

    Raises Stopped if nothing, or more than one living bill, goes by that name.
    """
    if re.fullmatch(r"[0-9a-f]{64}", name):
        return name
    found = list(client.pages("/v1/bills", reference=name))
    if not found and re.fullmatch(r"[0-9a-f]{6,63}", name):
        found = [item for item in client.pages("/v1/bills") if item["bill"].startswith(name)]
    living = [item for item in found if item["status"] != "VOIDED"] or found
    if len(living) == 1:
        return str(living[0]["bill"])
    if not living:
        raise Stopped(
            "No such bill",
            f"no bill that you may know has the number, or an id beginning with, {name!r}",
            "See: bol bill list",
            "not_found",
        )
    raise _ambiguous(name, [f"{item['bill']} ({item['status']})" for item in living])


def read_bill(client: Client, name: str) -> Json:
    """The bill as I may see it."""
    view: Json = client.get(f"/v1/bills/{find_bill(client, name)}")
    return view


def find_shipment(client: Client, name: str) -> str:
    """The UUID of a shipment given by UUID or by the carrier's booking number."""
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name):
        return name
    found = [
        item["shipment"]
        for item in client.pages("/v1/drafts")
        if item["carrierBookingReference"] == name
    ]
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise Stopped(
            "No such shipment",
            f"no shipment of yours has the booking number {name!r}",
            "See: bol draft list; custodians name a shipment by its UUID",
            "not_found",
        )
    raise _ambiguous(name, found)


def _ambiguous(name: str, found: list[str]) -> Stopped:
    return Stopped(
        "More than one goes by this name",
        f"{name!r} may be: {', '.join(found)}",
        "Name the one you mean by its full id.",
        "ambiguous",
    )


@dataclass(kw_only=True)
class Names:
    """Legal names beside slugs, each asked for once; a name that cannot be had is left out."""

    client: Client
    _known: dict[str, str] = field(default_factory=dict)

    def __call__(self, slug: str | None) -> str:
        """`slug (Legal Name)`, or the slug alone."""
        if slug is None:
            return ""
        name = self.legal(slug)
        return one_line(f"{slug} ({name})" if name else slug)

    def legal(self, slug: str) -> str:
        if slug not in self._known:
            self._known[slug] = self._ask(slug)
        return self._known[slug]

    def _ask(self, slug: str) -> str:
        try:
            found = self.client.get(f"/v1/parties/{quote(slug, safe='')}")
        except Refused:
            return ""  # of another platform, or not registered: the act itself will tell
        return str(found["legalName"])


def bill_words(view: Json) -> str:
    """How a bill is called in a sentence: number, id and state."""
    state = english(STATUSES, view["status"])
    return f"bill {view['transportDocumentReference']} ({view['bill'][:12]}…, {state})"
