"""Writes the published contract into `schemas/`, or with `--check` compares it with what is there.

One JSON Schema 2020-12 per message, made from the marshmallow classes that read it, and the OpenAPI
description made from the routes. Messages between platforms (DCSA PINT 3.0) stand in `pint/`, those
inside a compact JWS as its payload.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from marshmallow import Schema

from bol_service.domain.events import Action
from bol_service.http.app import describe_api
from bol_service.verification.bundle import BundleSchema, StatementSchema
from bol_service.verification.trust import TrustSchema
from bol_service.wire.answers import BillAnswer, Problem, ReceiptAnswer, ReleaseAnswer
from bol_service.wire.dcsa_error import ErrorResponseSchema
from bol_service.wire.event_schemas import (
    RECIPIENT_ACTIONS,
    Envelope,
    IssuanceManifestSchema,
    details_schema,
)
from bol_service.wire.json_schema import json_schema
from bol_service.wire.pint_answers import (
    FinishedResponseSchema,
    ReceiverValidationSchema,
    StartedResponseSchema,
)
from bol_service.wire.pint_entry import ChainEntrySchema
from bol_service.wire.pint_entry import IssuanceManifestSchema as PintIssuanceManifestSchema
from bol_service.wire.pint_envelope import EnvelopeManifestSchema, EnvelopeSchema
from bol_service.wire.pint_parties import IdentifyingCodeSchema
from bol_service.wire.transport_document import TransportDocument

FOLDER = Path(__file__).parent.parent / "schemas"

MESSAGES: dict[str, tuple[type[Schema], str]] = {
    "TransportDocument": (TransportDocument, "DCSA transport document"),
    "IssuanceManifest": (IssuanceManifestSchema, "DCSA issuance manifest"),
    "Receipt": (ReceiptAnswer, "Receipt of a recorded event"),
    "EvidenceBundle": (BundleSchema, "Evidence bundle, *.ebl.json"),
    "TitleStatement": (StatementSchema, "Payload of the title statement"),
    "TrustFile": (TrustSchema, "Trust file, trust.json"),
    "Problem": (Problem, "RFC 9457 problem"),
    "Bill": (BillAnswer, "A bill as a party may see it"),
    "ReleaseAnswer": (ReleaseAnswer, "Answer for the gate"),
}

PINT: dict[str, tuple[type[Schema], str]] = {
    "EblEnvelope": (EnvelopeSchema, "Body of POST /v3/envelopes"),
    "EnvelopeManifest": (EnvelopeManifestSchema, "Payload signed by the sending platform"),
    "EnvelopeTransferChainEntry": (
        ChainEntrySchema,
        "Payload signed by the platform that recorded the transactions",
    ),
    "IssuanceManifest": (PintIssuanceManifestSchema, "Payload signed by the carrier"),
    "EnvelopeTransferStartedResponse": (StartedResponseSchema, "Documents are wanted, 201"),
    "EnvelopeTransferFinishedResponse": (
        FinishedResponseSchema,
        "Payload signed by the receiving platform",
    ),
    "IdentifyingCode": (IdentifyingCodeSchema, "Body of POST /v3/receiver-validation"),
    "ReceiverValidationResponse": (ReceiverValidationSchema, "Who answers to the code, 200"),
    "ErrorResponse": (ErrorResponseSchema, "Any refusal that nobody signs"),
}


def contract() -> dict[str, Any]:
    """All files of `schemas/` by their relative path."""
    files: dict[str, Any] = {
        f"{name}.json": json_schema(schema(), title) for name, (schema, title) in MESSAGES.items()
    }
    for action in Action:
        files[f"events/{action}.json"] = _event(action)
    for name, (schema, title) in PINT.items():
        files[f"pint/{name}.json"] = json_schema(schema(), title)
    files["pint/EblEnvelope.json"] = _envelope(files["pint/EblEnvelope.json"])
    files["openapi.json"] = describe_api()
    return files


def _envelope(schema: dict[str, Any]) -> dict[str, Any]:
    """The transport document in it is judged by a schema of its own."""
    document = json_schema(TransportDocument(), "")
    definitions = document.pop("$defs")
    for member in ("$schema", "title"):
        document.pop(member)
    schema["properties"]["transportDocument"] = document
    return {**schema, "$defs": definitions}


def _event(action: Action) -> dict[str, Any]:
    """The payload of one action: the envelope with this action's details."""
    schema = json_schema(Envelope(), f"Payload of {action}")
    details = json_schema(details_schema(action)(), "")
    definitions = details.pop("$defs", {})
    for member in ("$schema", "title"):
        details.pop(member)
    schema["properties"] |= {
        "action": {"const": action.value},
        "details": details,
        "v": {"const": 1},
    }
    if action in RECIPIENT_ACTIONS:
        schema["required"].append("recipient")
    else:
        del schema["properties"]["recipient"]
    return {**schema, "$defs": definitions} if definitions else schema


def main() -> int:
    wanted = {name: _text(value) for name, value in contract().items()}
    present = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*.json")
        if path.name != "law.json"  # made by scripts/generate_law_tables.py
    }
    if "--check" in sys.argv:
        differing = sorted(
            name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
        )
        for name in differing:
            print(f"schemas/{name} is not what the code makes; run: make openapi")
        return 1 if differing else 0
    for name in present.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
