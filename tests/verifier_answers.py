"""What the other platform is said to have signed about an envelope, for two engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bol_service.crypto import base64url
from bol_service.crypto.peer_signers import EcSigner
from bol_service.wire import pint_answers
from bol_service.wire.event_details_exchange import MAX_ANSWER
from bol_service.wire.pint_answers import FinishedResponse, ResponseCode
from tests.two_platforms import CQ, DESK, SG
from tests.verifier_cases import written
from tests.verifier_crossings import Base, Border
from tests.verifier_telling import (
    ANOTHER,
    BAD_EVENT,
    LAWFUL,
    Attempt,
    Caught,
    attempt,
    last_payload,
    law,
    then,
)

Json = dict[str, Any]


def answers(border: Border) -> Iterator[Attempt]:
    """What the other platform is said to have signed about the envelope."""
    sent = border.bases["sent"]
    about = last_payload(sent)["details"]["lastEntry"]
    signer = EcSigner(border.ledgers[SG].signers[DESK])
    stranger = EcSigner(border.ledgers[CQ].signers[DESK])
    for code in ResponseCode:
        compact = pint_answers.finished_response(_response(code, about), signer)
        takes = {
            "MOVED": code in (ResponseCode.RECE, ResponseCode.DUPE),
            "NOT_MOVED": code in (ResponseCode.BSIG, ResponseCode.BENV, ResponseCode.DISE),
        }
        for action, fits in takes.items():
            name = f"{action} on {code}"
            yield _answered(sent, name, action, compact, LAWFUL if fits else law("bad_chain"))
    long = pint_answers.duplicate(about, f"a.{'b' * 500_000}.c", ())
    repeated = pint_answers.finished_response(long, signer)
    yield _answered(sent, "MOVED on a DUPE that repeats a long entry", "MOVED", repeated, LAWFUL)
    for action, code in (("MOVED", ResponseCode.RECE), ("NOT_MOVED", ResponseCode.BENV)):
        other = pint_answers.finished_response(_response(code, ANOTHER), signer)
        yield _answered(sent, f"{action} about another chain", action, other, law("bad_chain"))
        strange = pint_answers.finished_response(_response(code, about), stranger)
        # Which keys speak for the other platform, no ledger says.
        yield _answered(sent, f"{action} by a stranger's key", action, strange, LAWFUL)
    good = pint_answers.finished_response(_response(ResponseCode.RECE, about), signer)
    yield _answered(
        border.bases["waits"], "MOVED before an envelope", "MOVED", good, law("bad_chain")
    )
    yield _answered(sent, "MOVED to elsewhere", "MOVED", good, law("bad_chain"), platform="MYPX")
    moved = then(sent, "MOVED", DESK, {"answer": good, "platform": SG})
    yield _answered(moved, "MOVED twice", "MOVED", good, law("bad_chain"))
    benv = pint_answers.finished_response(_response(ResponseCode.BENV, about), signer)
    yield _answered(moved, "MOVED, then not", "NOT_MOVED", benv, law("bad_chain"))
    back = then(sent, "NOT_MOVED", DESK, {"answer": benv, "platform": SG})
    yield _answered(back, "NOT_MOVED, then moved", "MOVED", good, law("bad_chain"))
    for name, text, caught in _spellings(about):
        yield _answered(sent, f"an answer {name}", "MOVED", text, caught)


def _answered(
    base: Base, name: str, action: str, text: str, caught: Caught, *, platform: str = SG
) -> Attempt:
    return attempt(then(base, action, DESK, {"answer": text, "platform": platform}), name, caught)


def _response(code: ResponseCode, about: str) -> FinishedResponse:
    match code:
        case ResponseCode.RECE:
            return pint_answers.received(about, ())
        case ResponseCode.DUPE:
            return pint_answers.duplicate(about, "a.b.c", ())
        case ResponseCode.MDOC:
            return pint_answers.documents_missing(about, (ANOTHER,))
        case _:
            return pint_answers.refused(about, code, "no")


def _spellings(about: str) -> Iterator[tuple[str, str, Caught]]:
    """Other texts for the same answer: what may differ, and what may not."""
    member = "lastEnvelopeTransferChainEntrySignedContentChecksum"
    value: Json = {member: about, "responseCode": "RECE"}
    plain = written(value)
    header = {"alg": "ES256"}
    wrong: tuple[tuple[str, Json], ...] = (
        ("of no code", {member: about}),
        ("about nothing", {"responseCode": "RECE"}),
        ("of an unknown code", value | {"responseCode": "OKAY"}),
        ("of a code in small letters", value | {"responseCode": "rece"}),
        ("of code null", value | {"responseCode": None}),
        ("of a code in a list", value | {"responseCode": ["RECE"]}),
        ("in capitals", value | {member: about.upper()}),
        ("with a line feed", value | {member: f"{about}\n"}),
        ("with reason null", value | {"reason": None}),
        ("with a long reason", value | {"reason": "\U0001f600" * 256}),
        ("with a number for a reason", value | {"reason": 1}),
        ("with documents as text", value | {"receivedAdditionalDocumentChecksums": about}),
        ("with a document null", value | {"missingAdditionalDocumentChecksums": [None]}),
        ("with a document of no form", value | {"missingAdditionalDocumentChecksums": ["x"]}),
        (
            "with a duplicate of no form",
            value | {"duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent": "a.b"},
        ),
    )
    right: tuple[tuple[str, Json], ...] = (
        ("with a member of a later edition", value | {"later": {"x": [1.5]}}),
        ("with the longest reason", value | {"reason": "\U0001f600" * 255}),
        ("with an empty reason", value | {"reason": ""}),
        ("with a blank reason", value | {"reason": " \u0007 "}),
        ("with documents", value | {"receivedAdditionalDocumentChecksums": [about]}),
    )
    for name, changed in wrong:
        yield name, peer(header, written(changed)), BAD_EVENT
    for name, changed in right:
        yield name, peer(header, written(changed)), LAWFUL
    yield "with blanks", peer(header, json.dumps(value, indent=2).encode()), LAWFUL
    yield "of a member twice", peer(header, plain[:-1] + b',"responseCode":"BENV"}'), BAD_EVENT
    yield "with a byte order mark", peer(header, b"\xef\xbb\xbf" + plain), BAD_EVENT
    yield "not in UTF-8", peer(header, plain[:-1] + b',"reason":"\xff"}'), BAD_EVENT
    yield "as a list", peer(header, b"[]"), BAD_EVENT
    yield "too deep", peer(header, plain[:-1] + b',"x":' + b"[" * 70 + b"]" * 70 + b"}"), BAD_EVENT
    yield "without alg", peer({}, plain), BAD_EVENT
    yield "with a number for alg", peer({"alg": 1}, plain), BAD_EVENT
    yield "of a foreign alg", peer({"alg": "none", "jku": "x", "crit": ["b64"]}, plain), LAWFUL
    yield "with a list for a header", f"W10.{base64url.encode(plain)}.AAAA", BAD_EVENT
    yield "with a short signature", peer(header, plain, b"\0"), LAWFUL
    yield "without signature", peer(header, plain, b""), BAD_EVENT
    yield "in two parts", "e30.e30", BAD_EVENT
    yield "in four parts", "e30.e30.e30.e30", BAD_EVENT
    yield "with padding", peer(header, plain) + "=", BAD_EVENT
    yield "with a sign too many", peer(header, plain) + "A", BAD_EVENT
    yield "in Chinese", "重庆", BAD_EVENT
    yield "of nothing", "", BAD_EVENT
    full = peer(header, plain)
    room = MAX_ANSWER - len(full)
    yield "of the longest kind", full + "A" * (room - room % 4), LAWFUL
    yield "too long", full + "A" * (room + 4), BAD_EVENT


def peer(header: Any, content: bytes, signature: bytes = bytes(63)) -> str:
    """A compact JWS whose signature nobody looks at."""
    parts = (written(header), content, signature)
    return ".".join(base64url.encode(part) for part in parts)
