"""Bundles for two engines: genuine ones, and what all may be done to them.

Every group is a list of questions with a name that tells what was done. Nothing here says what the
answer is: the two engines must agree, and the tests of the Python engine say on what.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bol_service.crypto import base64url
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate
from bol_service.domain import errors
from bol_service.ledger.note import KeyType, VerifierKey, cosignature_line, to_base64
from bol_service.verification.bundle import checkpoint_digest, read_statement
from tests import kit, minimal_bill
from tests.bundle_case import Case, placeholder
from tests.node_verifier import Question, trust_file
from tests.security.test_bundle_splices import SPLICES, malleated
from tests.small_orders import signed_with_neutral_r, small_points

Json = dict[str, Any]
VECTORS = Path(__file__).parent / "vectors"
SEED = 20270308
WRONG: tuple[Any, ...] = (None, True, 0, -1, 2**53, "", "x", "0" * 64, [], {}, [None], {"a": 1})


def question(case: Case, name: str, content: bytes | Json, **changes: Any) -> Question:
    raw = content if isinstance(content, bytes) else written(content)
    usual = {"trust": trust_file(case.trust), "now": case.now}
    return Question(name=name, content=raw, **{**usual, **changes})


def written(value: Any) -> bytes:
    """RFC 8785 for ASCII names; unlike the real writer it writes what must be refused, too."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


# -- what anybody can do to a file ---------------------------------------------------------------


def splices(case: Case) -> Iterator[Question]:
    for splice, _, _ in SPLICES:
        value = case.value
        splice(value, json.loads(case.other))
        yield question(case, splice.__name__, value)
    for number in range(len(case.value["entries"])):
        value = case.value
        del value["entries"][number]
        yield question(case, f"without entry {number}", value)
        value = case.value
        value["entries"][number] = placeholder(value["entries"][number])
        yield question(case, f"placeholder for entry {number}", value)
    value = case.value
    value["entries"][-1]["event"] = malleated(value["entries"][-1]["event"])
    yield question(case, "an ECDSA signature turned over", value)


def flips(case: Case, count: int) -> Iterator[Question]:
    chance = random.Random(SEED)
    for _ in range(count):
        position, bit = chance.randrange(len(case.content)), chance.randrange(8)
        changed = bytearray(case.content)
        changed[position] ^= 1 << bit
        yield question(case, f"bit {bit} of byte {position} turned", bytes(changed))


def members(case: Case, count: int) -> Iterator[Question]:
    """Every member of a file removed, doubled in kind, or replaced by something else."""
    value = case.value
    value["entries"] = [*value["entries"][:2], placeholder(value["entries"][2])]
    made = [question(case, f"{name} of the file", changed) for name, changed in mutants(value)]
    yield from sample(made, count)
    for version in (2, "1", [1], {}, True, None, 0, -1):
        yield question(case, f"version {version!r}", case.value | {"v": version})


def mutants(value: Json, *, prefix: str = "", share: float = 1) -> Iterator[tuple[str, Json]]:
    """(what was done, the value with it), for every place inside `value`; or a share of them."""
    chance = random.Random(SEED)
    for path in _paths(value):
        name = prefix + "/" + "/".join(map(str, path))
        for done, change in CHANGES:
            if chance.random() < share:
                yield f"{name} {done}", _changed(value, path, change)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*path, step))


def _changed(value: Json, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Json:
    copy = deepcopy(value)
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return copy


def _removed(place: Any, step: Any) -> None:
    del place[step]


def _put(wrong: Any) -> Callable[[Any, Any], None]:
    def put(place: Any, step: Any) -> None:
        place[step] = deepcopy(wrong)

    return put


def _bent(place: Any, step: Any) -> None:
    """A little off: the kind of mistake that a looser reader would let pass."""
    found = place[step]
    if isinstance(found, bool) or found is None:
        place[step] = str(found).lower()
    elif isinstance(found, int):
        place[step] = str(found)
    elif isinstance(found, str):
        place[step] = random.Random(found).choice(
            (f"{found} ", f" {found}", found.upper(), found[:-1], found + found, f"{found}\n")
        )
    elif isinstance(found, list):
        place[step] = {"0": found}
    else:
        place[step] = [found]


def _sibling(place: Any, step: Any) -> None:
    if isinstance(place, dict):
        place[f"{step}2"] = place[step]
    else:
        place.append(place[step])


CHANGES: tuple[tuple[str, Callable[[Any, Any], None]], ...] = (
    ("removed", _removed),
    ("bent", _bent),
    ("with a sibling", _sibling),
    *((f"= {wrong!r}", _put(wrong)) for wrong in WRONG),
)


def sample(made: list[Question], count: int) -> list[Question]:
    return made if len(made) <= count else random.Random(SEED).sample(made, count)


# -- trust, witnesses, clocks --------------------------------------------------------------------


def trusts(case: Case, count: int) -> Iterator[Question]:
    yield question(case, "no trust file", case.content, trust=None)
    stranger = LocalSigner(generate(Algorithm.ED25519)).public
    second = LocalSigner(generate(Algorithm.ES256)).public
    log = case.trust.log_keys[0]
    changes: dict[str, Json] = {
        "another origin": {"origin": "demo.sg.example/ebl"},
        "a stranger's statement key": {"statementKeys": [stranger.to_jwk()]},
        "one more statement key": {
            "statementKeys": [second.to_jwk(), *(k.to_jwk() for k in case.trust.statement_keys)]
        },
        "a log key that ended": {"logKeys": [{"vkey": log.key.vkey, "fromSize": 0, "toSize": 3}]},
        "a log key to come": {"logKeys": [{"vkey": log.key.vkey, "fromSize": 1000}]},
        "no such registrar": {"registrarKids": [stranger.kid]},
        "demo in other words": {"demo": "yes"},
        "demo as one": {"demo": 1},
        "demo not": {"demo": False},
        "demo off": {"demo": "off", "origin": "cq.example"},
        "demo perhaps": {"demo": "perhaps"},
        "a quorum of nobody": {"quorum": 1},
        **{
            f"a witness of small order {point.hex()}": {"witnesses": [_vkey_of(point)]}
            for point in small_points()
        },
    }
    for name, change in changes.items():
        trust = trust_file(case.trust, **change)
        yield question(case, f"trust: {name}", case.content, trust=trust)
    value = json.loads(trust_file(case.trust))
    made = [
        question(case, f"trust{name}", case.content, trust=json.dumps(changed).encode())
        for name, changed in mutants(value)
    ]
    yield from sample(made, count)


def _vkey_of(point: bytes) -> str:
    """As it would be published, of whatever 32 bytes."""
    typed = bytes([KeyType.COSIGNATURE]) + point
    key_id = hashlib.sha256(b"w.example\n" + typed).hexdigest()[:8]
    return f"w.example+{key_id}+{to_base64(typed)}"


def witnesses(case: Case) -> Iterator[Question]:
    """Cosignatures: enough, too few, wrong, of strangers, and of witnesses named alike."""
    keys = [LocalSigner(generate(Algorithm.ED25519)) for _ in range(3)]
    names = ("w.one", "w.two", "w.two")
    vkeys = [
        VerifierKey(name=name, type=KeyType.COSIGNATURE, public=key.public.public_bytes_raw)
        for name, key in zip(names, keys, strict=True)
    ]
    body = case.value["checkpoint"].partition("\n\n")[0] + "\n"
    lines = [
        cosignature_line(body, name, 1_800_000_000, key.sign, key.public.public_bytes_raw)
        for name, key in zip(names, keys, strict=True)
    ]
    spoilt = lines[0][:-10] + ("A" if lines[0][-10] != "A" else "B") + lines[0][-9:]
    private = keys[0]._key
    assert isinstance(private, Ed25519PrivateKey)
    weakly = partial(signed_with_neutral_r, private)
    stated = read_statement(case.value["statement"])[0]
    for name, added in {
        "nobody": "",
        "one": lines[0],
        "the same twice": lines[0] * 2,
        "two": lines[0] + lines[1],
        "two of one name": lines[1] + lines[2],
        "a spoilt one": spoilt,
        "an R of small order": cosignature_line(
            body, names[0], 1_800_000_000, weakly, keys[0].public.public_bytes_raw
        ),
        "too short": f"— w.one {to_base64(vkeys[0].key_id + bytes(7))}\n",
        "no signature line": "w.one\n",
        "an em dash only": "— \n",
        "a carriage return": lines[0].replace("\n", "\r\n"),
        "a name with a blank": lines[0].replace("w.one", "w.\u3000one"),
        "a hundred with the log": strangers(99),
        "a hundred and one": strangers(100),
    }.items():
        note = case.value["checkpoint"] + added
        statement = replace(stated, checkpoint_digest=checkpoint_digest(note))
        value = case.value | {
            "checkpoint": note,
            "statement": statement.sign(case.world.statement_signer),
        }
        for quorum in (0, 1, 2):
            trust = trust_file(case.trust, witnesses=[key.vkey for key in vkeys], quorum=quorum)
            yield question(case, f"cosigned by {name}, quorum {quorum}", value, trust=trust)
    yield from _notes(case)


def strangers(count: int) -> str:
    return "".join(f"— x.{number} {to_base64(bytes(8))}\n" for number in range(count))


def _notes(case: Case) -> Iterator[Question]:
    """Checkpoints in other forms, properly signed by the log."""
    origin, log = minimal_bill.ORIGIN, case.world.log_signer
    stated = read_statement(case.value["statement"])[0]
    first, size, root, *_ = case.value["checkpoint"].split("\n")
    for name, lines in {
        "an extension": (first, size, root, "more"),
        "an empty extension": (first, size, root, "", "more"),
        "a size with a zero": (first, f"0{size}", root),
        "a size beyond": (first, str(2**63), root),
        "a short root": (first, size, to_base64(bytes(31))),
        "another origin": ("demo.other", size, root),
        "two lines": (first, size),
        "a tab": (first, size, root, "a\tb"),
    }.items():
        body = "".join(f"{line}\n" for line in lines)
        note = _signed_by(log, origin, body)
        statement = replace(stated, checkpoint_digest=checkpoint_digest(note))
        value = case.value | {
            "checkpoint": note,
            "statement": statement.sign(case.world.statement_signer),
        }
        yield question(case, f"checkpoint with {name}", value)


def _signed_by(log: Signer, origin: str, body: str) -> str:
    """As `sign_note` writes it, but of any text."""
    public = log.public.public_bytes_raw
    key = VerifierKey(name=origin, type=KeyType.ED25519, public=public)
    return f"{body}\n— {origin} {to_base64(key.key_id + log.sign(body.encode()))}\n"


def clocks(case: Case) -> Iterator[Question]:
    at = read_statement(case.value["statement"])[0].at
    for seconds in (-86400, -301, -300, -299, 0, 1, 599, 600, 601, 10**9):
        for extra in (timedelta(0), timedelta(milliseconds=1)):
            now = at + timedelta(seconds=seconds) + extra
            yield question(case, f"read {now - at} after the statement", case.content, now=now)


# -- the whole voyage ----------------------------------------------------------------------------


def voyage(platform: kit.Platform) -> Iterator[Question]:
    """The voyage's bundle after every act on its bill, for each of its readers in turn."""
    story = platform.voyage()
    story.open()
    readers = sorted(platform.signers)
    evidence = platform.running.services.evidence
    trust = trust_file(platform.trust())
    number = 0
    for line in story.play():
        issued = platform.script.voyage["bill"] in story.saved
        if line.result != "recorded" or not issued:
            continue
        reader = readers[number % len(readers)]
        content = _bundle(evidence, story.bill, reader)
        if content is not None:
            name = f"{reader}'s after {line.step}"
            yield Question(name=name, content=content, trust=trust, now=story.now())
        number += 1
    for reader in readers:
        content = _bundle(evidence, story.bill, reader)
        if content is not None:
            now = datetime.now(UTC)
            yield Question(name=f"{reader}'s at the end", content=content, trust=trust, now=now)


def _bundle(evidence: Any, bill: str, reader: str) -> bytes | None:
    try:
        content: bytes = evidence.bundle(bill, reader)
    except (errors.Refusal, KeyError):
        return None
    return content


def old_evidence() -> Iterator[Question]:
    content = (VECTORS / "voyage-v1.ebl.json").read_bytes()
    trust = (VECTORS / "voyage-v1.trust.json").read_bytes()
    later = datetime(2046, 1, 1, tzinfo=UTC)
    yield Question(name="evidence of 0.1.0", content=content, trust=trust, now=later)
    value = json.loads(content)
    for number in range(0, len(value["entries"]), 6):
        changed = deepcopy(value)
        entry = changed["entries"][number]
        raw = bytearray(base64.urlsafe_b64decode(entry["event"].split(".")[2] + "=="))
        raw[number % len(raw)] ^= 1
        entry["event"] = entry["event"].rpartition(".")[0] + "." + base64url.encode(bytes(raw))
        yield Question(
            name=f"evidence of 0.1.0, signature {number} spoilt",
            content=written(changed),
            trust=trust,
            now=later,
        )
