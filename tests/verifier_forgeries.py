"""What a dishonest platform can make of a bill, for two engines: all its own signatures are right.

The groups are those of `verifier_cases`, whose mutants bend single members.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bol_service.crypto import base64url, jws
from bol_service.domain.states import Head
from bol_service.ledger.entry import Entry
from bol_service.verification.bundle import STATEMENT_TYP, read_statement
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import EVENT_TYP
from tests import forged_bundle, minimal_bill
from tests.bundle_case import Case, placeholder
from tests.forged_bundle import Told, forge
from tests.node_verifier import Question
from tests.security.test_dishonest_platform import FORGED_EVENTS, plus_event
from tests.verifier_cases import SEED, VECTORS, mutants, question, sample, written

Json = dict[str, Any]


def forgeries(case: Case) -> Iterator[Question]:
    told = forged_bundle.genuine(case.earlier)
    yield question(case, "made anew", forge(case.world, told))
    for name, make, _, _ in FORGED_EVENTS:
        yield question(case, name, forge(case.world, plus_event(told, make(case))))
    for number in range(len(told.entries)):
        entries = told.entries[:number] + told.entries[number + 1 :]
        yield question(
            case,
            f"never recorded: entry {number}",
            forge(case.world, replace(told, entries=entries)),
        )
        swapped = list(told.entries)
        swapped[number - 1], swapped[number] = swapped[number], swapped[number - 1]
        content = forge(case.world, replace(told, entries=tuple(swapped)), at=case.now)
        yield question(case, f"another order from entry {number}", content)
    for control in (("ca", None, False), ("sh", "sh", False), ("sh", None, True), None):
        yield question(case, f"control {control}", forge(case.world, told, control=control))
    yield from misstatements(case, told)
    yield from partials(case, told)
    no_document = replace(told, document=None)
    yield question(case, "no document", forge(case.world, no_document))
    yield question(case, "no document, partial", forge(case.world, no_document, control=None))
    for status in ("ACCOMPLISHED", "VOIDED", "PLEDGED", ""):
        for control in (told.statement.control, None):
            content = forge(case.world, told, status=status, control=control)
            yield question(case, f"status {status!r}, control {control}", content)


def misstatements(case: Case, told: Told) -> Iterator[Question]:
    heads = forged_bundle.heads(told.entries)
    bill = next(stream for stream in heads if stream.startswith("bill:"))
    early = datetime.fromisoformat(told.entries[0].recorded_at) - timedelta(seconds=1)
    wrong: list[Json] = [
        {"bill": "0" * 64},
        {"size": 9},
        {"root": bytes(32)},
        {"root": bytes(31)},
        {"checkpoint_digest": "0" * 64},
        {"origin": "demo.other"},
        {"heads": {}},
        {"heads": {**heads, bill: Head(sequence=0, digest="0" * 64)}},
        {"heads": {**heads, bill: Head(sequence=1, digest=heads[bill].digest)}},
        {"heads": {**heads, "party:other": Head(sequence=0, digest="0" * 64)}},
        {"heads": {stream: head for stream, head in heads.items() if stream != bill}},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"at": early},
    ]
    for change in wrong:
        yield question(case, f"stated {sorted(change)}", forge(case.world, told, **change))
    entries = (*told.entries[:-1], replace(told.entries[-1], recorded_at=instant_text(early)))
    backwards = forge(case.world, replace(told, entries=entries), at=case.now)
    yield question(case, "time runs backwards", backwards)


def partials(case: Case, told: Told) -> Iterator[Question]:
    """Files for those who may not know all: placeholders, and what they might hide."""
    heads = forged_bundle.heads(told.entries)
    for number in range(len(told.entries)):
        for gone in (None, number):
            kept = tuple(entry for at, entry in enumerate(told.entries) if at != gone)
            content = forge(case.world, replace(told, entries=kept), control=None)
            value = json.loads(content)
            at = min(number, len(kept) - 1)
            value["entries"][at] = placeholder(value["entries"][at])
            yield question(case, f"partial, entry {number} hidden, {gone} gone", value)
        stream = forged_bundle.place(told.entries[number])[0]
        fewer = {name: head for name, head in heads.items() if name != stream}
        value = json.loads(forge(case.world, told, control=None, heads=fewer))
        value["entries"][number] = placeholder(value["entries"][number])
        yield question(case, f"partial, hidden entry {number} of no stated stream", value)
    revoked = _after_revocation(case, told)
    for control in (None, told.statement.control):
        content = forge(case.world, revoked, control=control)
        yield question(case, f"signed with a key that was revoked, control {control}", content)


def _after_revocation(case: Case, told: Told) -> Told:
    """The carrier revokes its key, and then goes on with it."""
    templates = _templates(case, told)
    kid = case.world.signers[minimal_bill.CARRIER].public.kid
    stream = f"party:{minimal_bill.CARRIER}"
    before = next(e for e in reversed(told.entries) if _payload(e.event)["stream"] == stream)
    revoke = templates["REVOKE_KEY"] | {
        "actor": minimal_bill.CARRIER,
        "details": {"kid": kid, "reason": "lost"},
        "previous": before.event_digest,
        "sequence": _payload(before.event)["sequence"] + 1,
        "stream": stream,
    }
    signer = case.world.signers[minimal_bill.CARRIER]
    for payload in (revoke, templates["SREJ"]):
        told = plus_event(told, drafting.sign(written(payload), signer))
    return told


def statements(case: Case, count: int) -> Iterator[Question]:
    """Every member of the statement bent, and signed by the platform all the same."""
    payload = json.loads(base64url.decode(case.value["statement"].split(".")[1]))
    made = []
    for name, changed in mutants(payload):
        signed = jws.sign(written(changed), STATEMENT_TYP, case.world.statement_signer)
        made.append(question(case, f"statement{name}", case.value | {"statement": signed}))
    yield from sample(made, count)
    for stranger in (case.world.log_signer, case.world.signers["operator"]):
        signed = read_statement(case.value["statement"])[0].sign(stranger)
        yield question(case, "signed by a stranger", case.value | {"statement": signed})


def acts(case: Case, count: int) -> Iterator[Question]:
    """One more act at the end of the log, of every kind, with every member of it bent."""
    told = forged_bundle.genuine(case.earlier)
    made = []
    for action, payload in _templates(case, told).items():
        yield _with_act(case, told, f"one more {action}", payload)
        turned = {name: payload[name] for name in payload if name != "recipient"}
        if turned == payload:
            turned["recipient"] = "sh"
        yield _with_act(case, told, f"{action} with a recipient or without", turned)
        for name, changed in mutants(payload, prefix=action):
            made.append((name, changed))
    chance = random.Random(SEED)
    for name, changed in made if len(made) <= count else chance.sample(made, count):
        yield _with_act(case, told, name, changed)


def _with_act(case: Case, told: Told, name: str, payload: Json) -> Question:
    actor = payload.get("actor")
    signer = case.world.signers.get(actor) if isinstance(actor, str) else None
    compact = drafting.sign(written(payload), signer or case.world.signers["operator"])
    return question(case, name, forge(case.world, plus_event(told, compact)))


def _templates(case: Case, told: Told) -> dict[str, Json]:
    """A payload of every action, as far as it goes by parties and streams of the minimal bill."""
    value = json.loads((VECTORS / "voyage-v1.ebl.json").read_bytes())
    played = [_payload(entry["event"]) for entry in value["entries"]]
    found = {payload["action"]: payload for payload in played} | {
        action: {**played[0], "action": action, "details": details, **more}
        for action, details, more in _NEVER_PLAYED
    }
    last = {_payload(entry.event)["stream"]: entry for entry in told.entries}
    return {action: _adopted(case, payload, last) for action, payload in found.items()}


def _adopted(case: Case, payload: Json, last: dict[str, Entry]) -> Json:
    kind = payload["stream"].split(":")[0]
    stream = next(name for name in reversed(last) if name.startswith(f"{kind}:"))
    before = last[stream]
    actor = "operator" if payload["actor"] == "operator" else _ACTORS.get(payload["action"], "ca")
    named = {"recipient": "sh"} if "recipient" in payload else {}
    return {
        **payload,
        **named,
        "actor": actor,
        "at": before.recorded_at,
        "audience": minimal_bill.ORIGIN,
        "id": drafting.uuid7(case.now),
        "previous": before.event_digest,
        "sequence": _payload(before.event)["sequence"] + 1,
        "stream": stream,
    }


def _payload(compact: str) -> Json:
    value: Json = json.loads(jws.parse(compact, EVENT_TYP).payload)
    return value


_ACTORS = dict.fromkeys(("TRANSFER", "REFUSE", "ENDORSE", "SIGN", "BLANK_ENDORSE"), "sh")
_NEVER_PLAYED: tuple[tuple[str, Json, Json], ...] = (
    ("REVOKE_KEY", {"kid": "A" * 43, "reason": "lost"}, {"stream": "party:x"}),
    ("REVOKE_MANDATE", {}, {"stream": "party:x", "recipient": "sh"}),
    ("SUSPEND", {"reason": "r"}, {"stream": "party:x", "actor": "operator"}),
    ("REINSTATE", {"reason": "r"}, {"stream": "party:x", "actor": "operator"}),
    ("APPOINT", {"custodian": "ca", "leg": "discharge", "reason": "r"}, {"stream": "draft:x"}),
    ("ENDORSE", {}, {"stream": "bill:x", "recipient": "sh"}),
    ("SIGN", {"nonce": "A" * 43}, {"stream": "bill:x"}),
    ("SURRENDER_FOR_AMENDMENT", {"reasonCode": "COD"}, {"stream": "bill:x"}),
    ("CANCEL_DELIVERY_ORDER", {"order": "0" * 64, "reason": "r"}, {"stream": "bill:x"}),
    ("VOID", {"reason": "r"}, {"stream": "bill:x"}),
)


TEXTS = (
    "A\u202eB",
    "A\u0000B",
    "A\u0007B",
    "A\u0085B",
    "\ufeffA",
    "\u3000A",
    "A\u2028",
    "A\u2028B",
    "e\u0301",
    "\ufdd0",
    "\U0001fffe",
    "\U0001f600" * 500,
    "\U0001f600" * 501,
    "重庆",
    "\ufb01",
    "\u1100\u1161",
    "A\u00a0",
    "A" * 501,
)


def texts(case: Case) -> Iterator[Question]:
    """What a person may write: lengths in code points, blanks, forms, hidden characters."""
    told = forged_bundle.genuine(case.earlier)
    void = _templates(case, told)["VOID"]
    for text in TEXTS:
        changed = void | {"details": {"reason": text}}
        yield _with_act(case, told, f"a reason of {text[:3]!a} x {len(text)}", changed)


def headers(case: Case) -> Iterator[Question]:
    """Other JWS headers, correctly signed, over the last act of the log."""
    told = forged_bundle.genuine(case.earlier)
    signer = case.world.signers[minimal_bill.CARRIER]
    payload = told.entries[-1].event.split(".")[1]
    sound = {"alg": str(signer.public.alg), "kid": signer.public.kid, "typ": EVENT_TYP}
    rows = {
        "as it was": sound,
        "jku": sound | {"jku": "http://127.0.0.1:9"},
        "crit": sound | {"crit": ["exp"], "exp": 1},
        "no kid": {"alg": sound["alg"], "typ": EVENT_TYP},
        "alg none": sound | {"alg": "none"},
        "the other alg": sound | {"alg": "Ed25519"},
        "alg as list": sound | {"alg": ["ES256"]},
        "alg null": sound | {"alg": None},
        "another typ": sound | {"typ": STATEMENT_TYP},
        "typ in capitals": sound | {"typ": EVENT_TYP.upper()},
        "kid too short": sound | {"kid": "AAAA"},
        "kid in another spelling": sound | {"kid": "A" * 42 + "B"},
        "kid of nobody": sound | {"kid": "A" * 43},
    }
    texts = {name: written(header) for name, header in rows.items()} | {
        "members turned round": json.dumps(dict(reversed(sound.items()))).encode(),
        "blanks": json.dumps(sound, indent=2).encode(),
        "alg twice": written(sound)[:-1] + b',"alg":"none"}',
        "alg twice, escaped": written(sound)[:-1] + b',"\\u0061lg":"none"}',
        "proto": written(sound)[:-1] + b',"__proto__":{}}',
        "a list": b"[]",
        "null": b"null",
        "a text": b'"header"',
        "no JSON": b"header",
        "a byte order mark": b"\xef\xbb\xbf" + written(sound),
    }
    for name, header in texts.items():
        signing_input = f"{base64url.encode(header)}.{payload}"
        signature = base64url.encode(signer.sign(signing_input.encode()))
        entries = (
            *told.entries[:-1],
            replace(told.entries[-1], event=f"{signing_input}.{signature}"),
        )
        yield question(case, f"header: {name}", forge(case.world, replace(told, entries=entries)))


def documents(case: Case, count: int) -> Iterator[Question]:
    """The document in other words, as the platform might hand it out."""
    told = forged_bundle.genuine(case.earlier)
    assert told.document is not None
    original = told.document.decode()
    value = json.loads(original)
    rows = [
        original + " ",
        original[:-1],
        json.dumps(value, indent=1),
        original.replace('"value":1}', '"value":1.0}'),
        original.replace('"value":1}', '"value":1e0}'),
        original.replace('"value":1}', '"value":10e-1}'),
        original.replace('"value":1}', '"value":1.00000000000000000001}'),
        original.replace('"value":1}', '"value":-0}'),
        original.replace('"value":1}', '"value":0e99999999999999999999}'),
        original.replace('"value":1}', '"value":NaN}'),
        original.replace('"value":1}', '"value":1,"value":1}'),
        original.replace('"value":1}', '"value":"\\ud800"}'),
        original.replace('"value":1}', f'"value":{"[" * 40}{"]" * 40}}}'),
        original.replace('"value":1}', f'"value":{"[" * 70}{"]" * 70}}}'),
        "[]",
        "null",
        '""',
        "{}",
        "",
    ]
    for number, text in enumerate(rows):
        document = text.encode("utf-8", "surrogatepass")
        yield question(
            case, f"document {number}", forge(case.world, replace(told, document=document))
        )
    for name, changed in _sampled_members(value, count):
        document = written(changed)
        yield question(case, f"document{name}", forge(case.world, replace(told, document=document)))


def _sampled_members(value: Json, count: int) -> list[tuple[str, Json]]:
    made = list(mutants(value, share=0.2 if count < 1000 else 1))
    return random.Random(SEED).sample(made, min(count, len(made)))
