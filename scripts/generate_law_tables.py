"""Writes `schemas/law.json`, the tables of the law for other engines; `--check` compares instead.

The offline verifier in `verifier/` is a second engine for the same law. What can be a table is one
and comes from here, so that the two cannot drift:

1. forms: actions, the schemas of what is signed, identifiers, what a text may consist of;
2. transitions: custody per route, drafts and bills from status to status, what answers from abroad
   bring about;
3. guards: who may do what on a bill, in a booking, with a party;
4. words: refusals, checks, verdicts, next steps.

Where the law is code, its tables are made by asking it: every combination of facts is put to the
very function that the platform uses, and its answers are folded into rows. See `law_questions`,
`law_bill_questions`, `law_exchange_questions` and `law_schemas`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import law_bill_questions
import law_exchange_questions
import law_questions
from law_schemas import Schemas, form
from marshmallow import Schema

from bol_service.cli import words
from bol_service.crypto import jws, peer_jws, strictjson, text
from bol_service.domain import custody, errors, events, identifiers, world
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Leg, Role
from bol_service.domain.states import OPERATOR, DraftStatus, Place, Status
from bol_service.ledger import note
from bol_service.portal.words import CHINESE, ENGLISH
from bol_service.verification import crossings, report, trust_peers, verifier
from bol_service.verification.bundle import (
    MAX_BUNDLE_BYTES,
    MAX_STATEMENT_BYTES,
    STATEMENT_TYP,
    BundleSchema,
    StatementSchema,
)
from bol_service.verification.trust import TrustSchema
from bol_service.wire import disclosure, document, event_fields, transport_document_text
from bol_service.wire import events as wire_events
from bol_service.wire.event_schemas import (
    RECIPIENT_ACTIONS,
    Envelope,
    IssuanceManifestSchema,
    details_schema,
)
from bol_service.wire.pint_answers import FinishedResponseSchema
from bol_service.wire.pint_entry import ChainEntrySchema
from bol_service.wire.pint_parties import LEI_LIST, OWN_CODES, UNNAMED

Json = dict[str, Any]

FILE = Path(__file__).parent.parent / "schemas" / "law.json"
VERSION = 1
MESSAGES: tuple[type[Schema], ...] = (
    BundleSchema,
    StatementSchema,
    TrustSchema,
    Envelope,
    IssuanceManifestSchema,
    FinishedResponseSchema,
    ChainEntrySchema,
    disclosure.ClaimsSchema,
)
_WORDS = {
    "actions": words.ACTIONS,
    "statuses": words.STATUSES,
    "kinds": words.BILL_TYPES,
    "places": words.PLACES,
}
# What the portal calls the members of a transport document; parties and places are parts to it.
_MEMBERS = ("part", "member")
_KINDS = {
    "party": events.PartyEvent,
    "draft": events.DraftEvent,
    "custody": events.CustodyEvent,
    "bill": events.BillEvent,
    "exchange": events.ExchangeEvent,
}
_ON_THE_BILL = frozenset({"bill", "exchange"})


def tables() -> Json:
    """All tables as one JSON value."""
    schemas = Schemas()
    for message in (*MESSAGES, *map(details_schema, Action)):
        schemas.add(message)
    return {
        "v": VERSION,
        "actions": {action.value: _action(action) for action in Action},
        "schemas": schemas.found,
        "openSchemas": schemas.open,
        "identifiers": _identifiers(),
        "text": _text_rules(),
        "document": _document_rules(),
        "limits": _limits(),
        "names": _names(),
        "custody": law_questions.custody_table(),
        "draft": law_questions.draft_table(),
        "party": law_questions.party_table(),
        "bill": law_bill_questions.bill_table(),
        "exchange": law_exchange_questions.exchange_table(),
        "peers": _peers(),
        "disclosure": _disclosure(),
        "refusals": {
            refusal.code: {
                "status": refusal.status,
                "title": refusal.title,
                "titleZh": refusal.title_zh,
                "nextStep": refusal.next_step,
            }
            for refusal in errors.refusals()
        },
        "words": {
            name: {code: {"en": en, "zh": zh} for code, (en, zh) in known.items()}
            for name, known in {**_WORDS, "members": _member_words()}.items()
        },
        "report": {
            "checks": [check.value for check in report.Check],
            "verdicts": {
                verdict.name: {"en": verdict.value, "zh": report.VERDICT_ZH[verdict]}
                for verdict in report.Verdict
            },
            "forged": report.FORGED,
            "askAgain": report.ASK_AGAIN,
        },
    }


def _action(action: Action) -> Json:
    """`law` says whose judgement it is, `stream` where the act is recorded."""
    kind = next(
        name
        for name, kinds in _KINDS.items()
        if any(cls.action is action for cls in kinds.__args__)
    )
    return {
        "law": kind,
        "stream": "bill" if kind in _ON_THE_BILL else kind,
        "recipient": action in RECIPIENT_ACTIONS,
        "details": details_schema(action).__name__,
    }


# -- forms, texts, limits ------------------------------------------------------------------------


def _identifiers() -> Json:
    return {
        "forms": {
            "slug": identifiers.SLUG_FORM,
            "partyName": event_fields.PARTY_NAME_FORM,
            "container": identifiers.CONTAINER_FORM,
            "unlocode": identifiers.UNLOCODE_FORM,
            "bill": identifiers.BILL_FORM,
            "shipment": identifiers.SHIPMENT_FORM,
            "origin": identifiers.ORIGIN_FORM,
            "LEI": identifiers.LEI_FORM,
            "USCC": identifiers.USCC_FORM,
            "UEN": identifiers.UEN_FORM,
            "instant": event_fields.INSTANT.pattern,
            "day": event_fields.DAY.pattern,
        },
        "originLength": identifiers.ORIGIN_LENGTH,
        "usccSymbols": identifiers.USCC_SYMBOLS,
        "operator": OPERATOR,
    }


def _text_rules() -> Json:
    """Code points in half-open ranges: what no signed text holds, and what counts as blank."""
    return {
        "refused": list(_ranges(_is_refused)),
        "blank": list(_ranges(lambda sign: sign.isspace())),
        "normalForm": "NFC",
    }


def _is_refused(sign: str) -> bool:
    try:
        text.check_text(sign)
    except ValueError as error:
        return "remove it" in str(error)
    return False


def _ranges(holds: Any) -> Iterator[list[int]]:
    first: int | None = None
    for point in range(0x110001):
        inside = point < 0x110000 and holds(chr(point))
        if inside and first is None:
            first = point
        elif not inside and first is not None:
            yield [first, point]
            first = None


def _document_rules() -> Json:
    return {
        "changing": sorted(document.CHANGING),
        "registrations": sorted(document.REGISTRATIONS),
        "placeNames": list(document.PLACE_NAMES),
        "deepest": transport_document_text.DEEPEST,
    }


def _limits() -> Json:
    return {
        "aheadMs": _ms(world.AHEAD),
        "behindMs": _ms(world.BEHIND),
        "clockToleranceMs": _ms(verifier.CLOCK_TOLERANCE),
        "oldestReportMs": _ms(custody.OLDEST_REPORT),
        "custodyToleranceMs": _ms(custody.CLOCK_TOLERANCE),
        "bundleBytes": MAX_BUNDLE_BYTES,
        "statementCharacters": MAX_STATEMENT_BYTES,
        "eventCharacters": wire_events.MAX_EVENT_BYTES,
        "platformEventCharacters": wire_events.MAX_PLATFORM_EVENT_BYTES,
        "jwsCharacters": jws.MAX_BYTES,
        "peerCharacters": peer_jws.MAX_BYTES,
        "noteCharacters": note.MAX_NOTE_BYTES,
        "noteSignatures": note.MAX_SIGNATURES,
        "eventDepth": strictjson.MAX_EVENT_DEPTH,
        "documentDepth": strictjson.MAX_DOCUMENT_DEPTH,
        "numberLength": strictjson.MAX_NUMBER_LENGTH,
    }


def _peers() -> Json:
    """How parties of a chain are named, and which keys of other platforms count."""
    return {
        "ownCodes": OWN_CODES,
        "leiList": LEI_LIST,
        "unnamed": UNNAMED,
        "addKeys": crossings.ADD_KEYS,
        "algorithms": {
            "ES256": ["ES256"],
            "Ed25519": ["EdDSA", "Ed25519"],
            "RSA": [alg for alg in trust_peers.ALGORITHMS if alg[:2] in ("PS", "RS")],
        },
        "rsa": {
            "leastBits": trust_peers.MIN_RSA_BITS,
            "mostBits": trust_peers.MAX_RSA_BITS,
            "exponentBelow": trust_peers.MAX_EXPONENT,
        },
    }


def _disclosure() -> Json:
    return {
        "typ": disclosure.TYP,
        "characters": disclosure.MAX_BYTES,
        "jwtCharacters": disclosure.MAX_JWT_BYTES,
        "saltBytes": disclosure.SALT_BYTES,
        "reserved": list(disclosure.RESERVED),
        "statusAt": form(disclosure.STATUS_AT_FORM),
    }


def _member_words() -> dict[str, tuple[str, str]]:
    return {
        member: (english, CHINESE[key])
        for key, english in ENGLISH.items()
        for area, _, member in [key.partition(".")]
        if area in _MEMBERS and "." not in member
    }


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _names() -> Json:
    return {
        "eventTyp": wire_events.EVENT_TYP,
        "platformTyp": wire_events.PLATFORM_TYP,
        "proofTyp": wire_events.PROOF_TYP,
        "statementTyp": STATEMENT_TYP,
        "roles": [role.value for role in Role],
        "legs": [leg.value for leg in Leg],
        "places": [place.value for place in Place],
        "billKinds": [kind.value for kind in BillKind],
        "billStatuses": [status.value for status in Status],
        "endedStatuses": sorted(status.value for status in verifier.ENDED),
        "draftStatuses": [status.value for status in DraftStatus],
    }


def render(value: Json) -> str:
    """One line per row: short enough to read, stable enough to compare."""
    return _lines(value, 0) + "\n"


def _lines(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(flat) + depth <= 110 or not isinstance(value, dict | list):
        return flat
    pad = " " * (depth + 1)
    if isinstance(value, list):
        inner = [pad + _lines(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(inner) + "\n" + " " * depth + "]"
    inner = [
        f"{pad}{json.dumps(name, ensure_ascii=False)}: {_lines(value[name], depth + 1)}"
        for name in sorted(value)
    ]
    return "{\n" + ",\n".join(inner) + "\n" + " " * depth + "}"


def main() -> int:
    wanted = render(tables())
    if "--check" not in sys.argv:
        FILE.write_text(wanted, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == wanted:
        return 0
    print("schemas/law.json is not what the law says; run: python scripts/generate_law_tables.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
