"""Writes the table of actions in docs/formats.md from the schemas that read the events.

    python scripts/document_formats.py            rewrite the section between the markers
    python scripts/document_formats.py --check    exit 1 if the section is not up to date

What a member is called, whether it must be there and how it is written comes from
`bol_service.wire.event_schemas`; what an action means and who signs it stands here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, fields, validate

from bol_service.domain.events import (
    Action,
    BillEvent,
    CustodyEvent,
    DraftEvent,
    ExchangeEvent,
    PartyEvent,
)
from bol_service.wire import event_fields
from bol_service.wire.event_schemas import RECIPIENT_ACTIONS, details_schema

FORMATS: Final = Path(__file__).parents[1] / "docs" / "formats.md"
BEGIN: Final = "<!-- actions: written by scripts/document_formats.py -->"
END: Final = "<!-- end of actions -->"

STREAMS: Final[dict[str, Any]] = {
    "`party:<slug>`": PartyEvent,
    "`draft:<shipment>`": DraftEvent,
    "`custody:<shipment>:<container>`": CustodyEvent,
    "`bill:<bill>`": BillEvent,
    "`bill:<bill>`, of bills that cross": ExchangeEvent,
}

MEANING: Final[dict[Action, tuple[str, str]]] = {
    Action.REGISTER: ("operator", "Registers a party with its first key."),
    Action.ADD_KEY: ("the party", "One more key of the party."),
    Action.ROTATE_KEY: ("the party", "Replaces the key that signs this event."),
    Action.REVOKE_KEY: ("the party", "Ends a key. What it signed before stays valid."),
    Action.ACCEPT_RULEBOOK: ("the party", "Consents to the rulebook with this SHA-256."),
    Action.GRANT_MANDATE: ("the shipper", "Lets the recipient, a forwarder, act on its drafts."),
    Action.REVOKE_MANDATE: ("the shipper", "Ends the recipient's mandate."),
    Action.SUSPEND: ("operator", "The party can neither act nor receive."),
    Action.REINSTATE: ("operator", "Lifts a suspension."),
    Action.BOOKING: ("carrier", "Opens a shipment and names who has a part in it."),
    Action.SUBMIT_INSTRUCTIONS: (
        "shipper, or forwarder under mandate",
        "Shipping instructions; `document` is the SHA-256 of the upload.",
    ),
    Action.PUBLISH_DRAFT: (
        "carrier",
        "A numbered draft, from 1; `document` is the SHA-256 of the upload.",
    ),
    Action.REQUEST_CHANGE: (
        "shipper, or forwarder under mandate",
        "Asks for another version; withdraws an approval.",
    ),
    Action.APPROVE_DRAFT: (
        "shipper, or forwarder under mandate",
        "Approves the version published last, and nothing else.",
    ),
    Action.APPOINT: ("carrier", "Another custodian for one leg."),
    Action.GATE_IN: ("custodian `receipt`", "The container is received."),
    Action.LOADED_RAIL: ("custodian `rail`", "Loaded on a train."),
    Action.RAIL_DEPARTED: ("custodian `rail`", "The train has left."),
    Action.RAIL_ARRIVED: ("custodian `rail`", "The train has arrived."),
    Action.RECEIVED_TRANSHIPMENT: ("custodian `loading`", "Received at the port of loading."),
    Action.LOADED_VESSEL: ("custodian `loading`", "Loaded on board."),
    Action.VESSEL_DEPARTED: ("custodian `loading`", "The vessel has left."),
    Action.DISCHARGED: ("custodian `discharge`", "Discharged from the vessel."),
    Action.CUSTOMS_RELEASE: ("customs of the booking", "Customs lets the container go."),
    Action.GATE_OUT: (
        "custodian `discharge`",
        "The container leaves. `order` is the digest of the DELIVERY_ORDER event, `code` the "
        "secret that the collector shows.",
    ),
    Action.ISSUE: (
        "carrier",
        "Issues the bill. `issueToParty` is the DCSA `issueTo` object whose checksum the manifest "
        "names; `issuanceManifestSignedContent` is described below.",
    ),
    Action.TRANSFER: ("possessor", "Possession passes to the recipient."),
    Action.REFUSE: ("possessor", "Undoes the act that gave the bill."),
    Action.ENDORSE: ("entitled possessor", "In full: the recipient may not endorse on."),
    Action.ENDORSE_TO_ORDER: ("entitled possessor", "To the recipient's order."),
    Action.BLANK_ENDORSE: ("entitled possessor", "In blank: whoever possesses it has the title."),
    Action.SIGN: ("possessor", "Shows control, accepts what was received, answers a challenge."),
    Action.ON_BOARD_NOTATION: ("carrier", "Shipped on board, as the terminals' events prove."),
    Action.SURRENDER_FOR_DELIVERY: ("entitled possessor", "Asks for delivery."),
    Action.SURRENDER_FOR_AMENDMENT: ("entitled possessor", "Asks for another bill."),
    Action.SACC: ("carrier", "Accepts the surrender; control has ended."),
    Action.SREJ: ("carrier", "Rejects the surrender; the bill goes back."),
    Action.DELIVERY_ORDER: (
        "carrier",
        "`codeHash` is the SHA-256 of the ASCII text of a secret such as GATE_OUT carries.",
    ),
    Action.CANCEL_DELIVERY_ORDER: ("carrier", "`order` is the digest of the order's event."),
    Action.CONFIRM_DELIVERY: ("carrier", "Confirms that all was delivered; changes no state."),
    Action.VOID: ("carrier", "Voids a bill whose first possessor refused it."),
    Action.SENT: (
        "exchange desk",
        "An envelope goes to another platform: its SHA-256, and the checksum of its last entry.",
    ),
    Action.MOVED: (
        "exchange desk",
        "That platform signed RECE or DUPE; `answer` is its DCSA answer as compact JWS.",
    ),
    Action.NOT_MOVED: ("exchange desk", "That platform signed BSIG, BENV or DISE."),
    Action.IMPORTED: (
        "exchange desk",
        "A bill issued on the platform `home` is known here; `steps` are the transactions told "
        "since ISSUE. Parties of other platforms are `CODE:slug`.",
    ),
    Action.RETURNED: (
        "exchange desk",
        "What happened abroad to a bill that is known here; with it the original may be back.",
    ),
}

_CHECKS: Final = {
    "check_slug": "slug",
    "check_party_name": "slug, or `CODE:slug` abroad",
    "check_container": "container number, ISO 6346 with check digit",
    "check_unlocode": "UN/LOCODE",
}
_PATTERNS: Final = {
    r"[0-9a-f]{64}\Z": "SHA-256, 64 lower-case hex digits",
    r"[A-Za-z0-9_-]{43}\Z": "key id, 43 characters (RFC 7638)",
    r"[A-Z]{2}\Z": "country, ISO 3166-1 alpha-2",
    r"[0-9]{7}\Z": "IMO number, 7 digits",
    r"[A-Z0-9]{2,4}\Z": "code of 2 to 4 capitals and digits",
}
_NAMED: Final = {
    "keyProof": "detached JWS, see *Key proof*",
    "answer": "compact JWS by the other platform",
    "issuanceManifestSignedContent": "compact JWS, see *Issuance manifest*",
    "shipment": "UUID in lower case",
}
_KINDS: Final[tuple[tuple[type[fields.Field[Any]], str], ...]] = (
    (event_fields.Instant, "instant"),
    (event_fields.Day, "date `YYYY-MM-DD`"),
    (event_fields.StrictInteger, "integer from 0"),
    (event_fields.Truth, "`true` or `false`"),
    (event_fields.Secret, "secret: base64url of 16 to 64 random bytes"),
    (event_fields.Jwk, "public JWK"),
    (fields.Dict, "object"),
)


def section() -> str:
    """The whole text between the markers."""
    parts = []
    for stream, union in STREAMS.items():
        parts.append(f"#### On {stream}\n")
        parts += [_action(cls.action) for cls in union.__args__]
    return "\n".join(parts)


def _action(action: Action) -> str:
    signer, meaning = MEANING[action]
    recipient = " Has a `recipient`." if action in RECIPIENT_ACTIONS else ""
    text = f"**{action}** — signed by: {signer}. {meaning}{recipient}\n"
    rows = list(_rows(details_schema(action)(), ""))
    if not rows:
        return f"{text}\nNo details.\n"
    head = "| details | must be there | written as |\n|---|---|---|\n"
    return f"{text}\n{head}{''.join(rows)}"


def _rows(schema: Schema, before: str) -> Iterator[str]:
    for name, field in schema.fields.items():
        path = f"{before}{field.data_key or name}"
        yield f"| `{path}` | {'yes' if field.required else 'no'} | {_form(field)} |\n"
        inner, mark = (field.inner, "[]") if isinstance(field, fields.List) else (field, "")
        if isinstance(inner, fields.Nested):
            yield from _rows(inner.schema, f"{path}{mark}.")


def _form(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        least, most = _length(field)
        return f"array of {least} to {most}: {_form(field.inner)}"
    if isinstance(field, fields.Nested):
        return "object"
    if isinstance(field, fields.Enum):
        taken = [each.choices for each in field.validators if isinstance(each, validate.OneOf)]
        return _one_of(taken[0] if taken else field.enum)
    for kind, text in _KINDS:
        if isinstance(field, kind):
            return text
    if isinstance(field, event_fields.Checked):
        return _CHECKS[field.check.__name__]
    return _text(field)


def _text(field: fields.Field[Any]) -> str:
    if field.data_key in _NAMED or field.name in _NAMED:
        return _NAMED[field.data_key or field.name]
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return _one_of(validator.choices)
        if isinstance(validator, validate.Regexp) and validator.regex.pattern in _PATTERNS:
            return _PATTERNS[validator.regex.pattern]
        if isinstance(validator, validate.Regexp) and not isinstance(field, event_fields.Text):
            return f"`{validator.regex.pattern.removesuffix(chr(92) + 'Z')}`"
    if isinstance(field, event_fields.Text):
        least, most = _length(field)
        return f"text of {least} to {most} characters"
    return "text"


def _length(field: fields.Field[Any]) -> tuple[int | None, int | None]:
    found = next(check for check in field.validators if isinstance(check, validate.Length))
    return found.min, found.max


def _one_of(values: Any) -> str:
    return "one of " + ", ".join(f"`{value}`" for value in values)


def rewritten(text: str) -> str:
    """`text` with a fresh section between the markers; raises ValueError without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{FORMATS.name} lacks the marker {BEGIN if not begin else END}")
    return f"{before}{BEGIN}\n\n{section()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    text = FORMATS.read_text(encoding="utf-8")
    fresh = rewritten(text)
    if arguments == ["--check"]:
        if fresh != text:
            print(f"{FORMATS.name} is out of date; run: python scripts/document_formats.py")
        return int(fresh != text)
    FORMATS.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
