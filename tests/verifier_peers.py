"""What a platform can say that another one signed, for two engines whose trust file names its keys.

All signatures of the platform's own log, statement, desk and parties are right; the law is kept. So
only the keys of the other platform and of the carrier, and the chain itself, can tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bol_service.crypto import base64url, peer_jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.crypto.peer_signers import EcSigner, PeerSigner
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.trust_peers import key_to_json
from bol_service.wire import pint_answers
from tests.node_verifier import Question
from tests.two_platforms import CQ, DESK, SG
from tests.verifier_crossings import Base, Border
from tests.verifier_telling import (
    ANOTHER,
    LAWFUL,
    Attempt,
    Caught,
    attempt,
    last_payload,
    law,
    then,
)

Json = dict[str, Any]
CARRIER = "NMFTA:XLSC"
SIGNED: Caught = ("peers", "peer_signed")
UNCHECKED: Caught = ("peers", "peer_unchecked")
FORGED: Caught = ("peers", "peer_forged")
DIFFERS: Caught = ("peers", "chain_differs")
MISSING: Caught = ("peers", "no_chain")
_PREVIOUS = "previousEnvelopeTransferChainEntrySignedContentChecksum"


def pin(signer: LocalSigner, **bounds: str) -> Json:
    return {**key_to_json(PinnedKey.from_jwk(signer.public.to_jwk())), **bounds}


def keys(border: Border, **bounds: str) -> Json:
    """Members of a trust file: both platforms' exchange keys, and the carrier's."""
    platforms = {code: border.ledgers[code].signers[DESK] for code in (CQ, SG)}
    carrier = pin(border.ledgers[CQ].signers["xlsc"], **bounds)
    return {
        "peers": [
            {"platform": code, "keys": [pin(signer, **bounds)]}
            for code, signer in platforms.items()
        ],
        "carriers": [{"carrier": CARRIER, "keys": [carrier]}],
    }


def trusting(question: Question, members: Json) -> Question:
    assert question.trust is not None
    trust = {**json.loads(question.trust), **members}
    return replace(question, trust=json.dumps(trust).encode())


def _trusting(made: Attempt, members: Json) -> Attempt:
    return replace(made, question=trusting(made.question, members))


# -- answers --------------------------------------------------------------------------------------


def answers(border: Border) -> Iterator[Attempt]:
    """Chongqing records MOVED on one answer after the other."""
    sent = border.bases["sent"]
    about = last_payload(sent)["details"]["lastEntry"]
    peer, stranger = _signer(border, SG), EcSigner(LocalSigner(generate(Algorithm.ES256)))
    good = _received(about, peer)
    known = keys(border)

    def told(name: str, text: str, caught: Caught, members: Json = known) -> Attempt:
        made = then(sent, "MOVED", DESK, {"answer": text, "platform": SG})
        return _trusting(attempt(made, name, caught), members)

    yield told("the peer's answer", good, SIGNED)
    yield told("an answer of whom nothing is known", good, UNCHECKED, {})
    only_own = {"peers": known["peers"][:1]}
    yield told("keys of another platform only", good, UNCHECKED, only_own)
    yield told("a forged answer of whom nothing is known", _received(about, stranger), LAWFUL, {})
    yield told("an answer by a stranger's key", _received(about, stranger), FORGED)
    yield told("an answer by our own key", _received(about, _signer(border, CQ)), FORGED)
    yield told("an answer about another chain", _received(ANOTHER, peer), law("bad_chain"))
    yield told("a bent signature", _bent(good, 2), FORGED)
    refused = pint_answers.finished_response(pint_answers.received(about, [ANOTHER]), peer)
    yield told("another's payload", _spliced(refused, good), FORGED)
    for header in ({"alg": "none"}, {"alg": "ES256", "crit": ["exp"]}, {"alg": "PS256"}):
        yield told(f"an answer with {header}", _headed(good, header), FORGED)
    for bounds, caught in (
        ({"notBefore": "2020-01-01T00:00:00.000Z"}, SIGNED),
        ({"notBefore": "2040-01-01T00:00:00.000Z"}, FORGED),
        ({"notAfter": "2040-01-01T00:00:00.000Z"}, SIGNED),
        ({"notAfter": "2020-01-01T00:00:00.000Z"}, FORGED),
    ):
        yield told(f"by a key with {bounds}", good, caught, keys(border, **bounds))
    for action, text, caught in (
        ("NOT_MOVED", _refused(about, peer), SIGNED),
        ("NOT_MOVED", _refused(about, stranger), FORGED),
    ):
        made = then(sent, action, DESK, {"answer": text, "platform": SG})
        yield _trusting(attempt(made, f"{action}: {caught[1]}", caught), known)


def _signer(border: Border, code: str) -> PeerSigner:
    return EcSigner(border.ledgers[code].signers[DESK])


def _received(about: str, signer: PeerSigner) -> str:
    return pint_answers.finished_response(pint_answers.received(about, ()), signer)


def _refused(about: str, signer: PeerSigner) -> str:
    answer = pint_answers.refused(about, pint_answers.ResponseCode.BENV, "no")
    return pint_answers.finished_response(answer, signer)


def _bent(text: str, part: int) -> str:
    parts = text.split(".")
    first = parts[part][0]
    parts[part] = ("B" if first == "A" else "A") + parts[part][1:]
    return ".".join(parts)


def _spliced(payload_of: str, signature_of: str) -> str:
    head, payload, _ = payload_of.split(".")
    return ".".join((head, payload, signature_of.split(".")[2]))


def _headed(text: str, header: Json) -> str:
    return ".".join((base64url.encode(json.dumps(header).encode()), *text.split(".")[1:]))


# -- chains ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Arrival:
    """Singapore's log before the bill came, what the genuine entry says, and its chain."""

    before: Base
    details: Json
    chain: tuple[str, ...]

    def told(self, chain: Sequence[str], **changes: Any) -> Base:
        """The desk records that this chain came."""
        details = {**self.details, "lastEntry": peer_jws.text_digest(chain[-1]), **changes}
        made = then(self.before, "IMPORTED", DESK, details)
        return replace(made, told=replace(made.told, chains=tuple(chain)))


def chains(border: Border) -> Iterator[Attempt]:
    """Singapore records IMPORTED on one chain after the other."""
    imported = border.bases["imported"]
    arrival = _Arrival(
        before=imported.without_last(),
        details=last_payload(imported)["details"],
        chain=border.chains["imported"],
    )
    known = keys(border)
    for name, made, caught in _told(arrival, border):
        yield _trusting(attempt(made, f"a chain {name}", caught), known)
    genuine = arrival.told(arrival.chain)
    without = replace(genuine, told=replace(genuine.told, chains=()))
    yield _trusting(attempt(without, "a chain that was taken out", MISSING), known)
    yield attempt(without, "a chain that was taken out, and no keys", UNCHECKED)
    yield attempt(genuine, "a chain, and no keys", UNCHECKED)
    whole = attempt(genuine, "a chain", SIGNED)
    for bad in (
        [],
        [""],
        ["e30.e30"],
        ["e30.e30.AA\n"],
        ["重.庆.市"],
        [None],
        "e30.e30.AA",
        {},
        None,
    ):
        value = {**json.loads(whole.question.content), "chains": bad}
        question = replace(
            whole.question, name=f"chains {bad!r}", content=strictjson.canonical(value)
        )
        yield Attempt(question=question, caught=("file", "bad_file"))
    twice = _with_chains(genuine, (*arrival.chain, *arrival.chain))
    yield _trusting(attempt(twice, "a chain told twice", SIGNED), known)
    no_carrier = {"peers": known["peers"]}
    yield _trusting(attempt(genuine, "a chain of an unknown carrier", UNCHECKED), no_carrier)
    yield _trusting(attempt(genuine, "the peer of an unknown carrier", SIGNED), no_carrier)
    late = keys(border, notAfter="2020-01-01T00:00:00.000Z")
    yield _trusting(attempt(genuine, "a chain by keys that counted no more", FORGED), late)


def _told(arrival: _Arrival, border: Border) -> Iterator[tuple[str, Base, Caught]]:
    chain = arrival.chain
    peer, own = _signer(border, CQ), _signer(border, SG)
    stranger = EcSigner(LocalSigner(generate(Algorithm.ES256)))
    yield "as it came", arrival.told(chain), SIGNED
    yield (
        "with one entry more",
        _with_chains(arrival.told(chain), (*chain, _again(chain[0], peer))),
        DIFFERS,
    )
    yield "by a stranger", arrival.told([_again(chain[0], stranger)]), FORGED
    yield "by ourselves", arrival.told([_again(chain[0], own)]), FORGED
    yield "by ourselves, said so", arrival.told([_again(chain[0], own, eblPlatform=SG)]), DIFFERS
    for name, change in _lies(stranger):
        yield (
            name,
            arrival.told([_again(chain[0], peer, **change(peer_jws.parse(chain[0]).value))]),
            DIFFERS,
        )
    forged = _manifest(chain[0], stranger)
    yield (
        "with a stranger's manifest",
        arrival.told([_again(chain[0], peer, issuanceManifestSignedContent=forged)]),
        FORGED,
    )
    cut = _again(chain[0], peer, **{_PREVIOUS: ANOTHER})
    yield "without its beginning", arrival.told([cut]), MISSING
    steps = arrival.details["steps"]
    bent = [{**steps[-1], "recipient": "CQGY:bankcq"}]
    yield (
        "whose end was recorded otherwise",
        arrival.told(chain, steps=[*steps[:-1], *bent]),
        DIFFERS,
    )
    final = [{**steps[0], "action": "ENDORSE"}, *steps[1:]]
    yield "of which another act was recorded", arrival.told(chain, steps=final), DIFFERS
    yield "of which less was recorded", arrival.told(chain, steps=steps[:-1]), DIFFERS
    yield (
        "of which more was recorded",
        arrival.told(chain, steps=[*steps, _sign()]),
        law("bad_chain"),
    )
    yield "of another issue", arrival.told(chain, issueTo="CQGY:bankcq"), DIFFERS
    yield "of another carrier", arrival.told(chain, carrier="CQGY:line"), DIFFERS


def returns(border: Border) -> Iterator[Attempt]:
    """Chongqing records RETURNED, with an entry of Singapore after its own."""
    moved, (own,) = border.bases["moved"], border.chains["imported"]
    peer = _signer(border, SG)
    give = _act("TRANSFER", "yunling", CQ)
    on = _act("TRANSFER", "straits", SG)

    def entry(after: str, *acts: Json, platform: str = SG, signer: PeerSigner = peer) -> str:
        value = {
            "eblPlatform": platform,
            "transportDocumentChecksum": moved.told.statement.bill,
            _PREVIOUS: peer_jws.text_digest(after),
            "transactions": list(acts),
        }
        return peer_jws.sign(strictjson.canonical(value), signer)

    def told(base: Base, chain: Sequence[str], *acts: Json, platform: str = SG) -> Base:
        details = {
            "platform": platform,
            "envelope": ANOTHER,
            "lastEntry": peer_jws.text_digest(chain[-1]),
            "steps": [_recorded(act) for act in acts],
        }
        made = then(base, "RETURNED", DESK, details)
        known = dict.fromkeys((*base.told.chains, *chain))
        return _with_chains(made, tuple(known))

    back, gone_on = (own, entry(own, give)), (own, entry(own, on))
    strange = _again(own, _signer(border, CQ))
    foisted = entry(own, on, platform=CQ, signer=_signer(border, CQ))
    further = told(moved, gone_on, on)
    rows: tuple[tuple[str, Base, Caught], ...] = (
        ("given back", told(moved, back, give), SIGNED),
        ("said to be of another platform", told(moved, back, give, platform="MYPX"), DIFFERS),
        (
            "after a chain that we never sent",
            told(moved, (strange, entry(strange, give)), give),
            DIFFERS,
        ),
        (
            "with an entry of ours that we never sent",
            told(moved, (own, foisted, entry(foisted, give)), on, give),
            FORGED,
        ),
        ("of which an old part was recorded again", told(moved, back, on, give), DIFFERS),
        ("told on", further, SIGNED),
        ("told on, and otherwise", told(further, back, give), DIFFERS),
        ("told on, and back", told(further, (*gone_on, entry(gone_on[1], give)), give), SIGNED),
    )
    for name, made, caught in rows:
        yield _trusting(attempt(made, f"returned: {name}", caught), keys(border))


def _act(action: str, to: str, on: str) -> Json:
    return {
        "actionCode": action,
        "actor": _party("banksg", SG),
        "recipient": _party(to, on),
        "actionDateTime": "2027-03-01T04:00:00Z",
    }


def _party(slug: str, platform: str) -> Json:
    codes = [{"codeListProvider": "ZZZ", "partyCode": slug}]
    return {"partyName": slug, "eblPlatform": platform, "identifyingCodes": codes}


def _recorded(act: Json) -> Json:
    """The step as which Chongqing's ledger tells the act."""
    slug = act["recipient"]["identifyingCodes"][0]["partyCode"]
    abroad = act["recipient"]["eblPlatform"] == SG
    recipient = f"{SG}:{slug}" if abroad else slug
    return {"action": act["actionCode"], "actor": f"{SG}:banksg", "recipient": recipient}


def _with_chains(base: Base, chain: Sequence[str]) -> Base:
    return replace(base, told=replace(base.told, chains=tuple(chain)))


def _sign() -> Json:
    return {"action": "SIGN", "actor": "banksg"}


def _again(text: str, signer: PeerSigner, **changes: Any) -> str:
    """The entry with these members, signed once more."""
    value = {**peer_jws.parse(text).value, **changes}
    return peer_jws.sign(strictjson.canonical(value), signer)


def _lies(stranger: PeerSigner) -> Iterator[tuple[str, Callable[[Json], Json]]]:
    """Members that tell another story than the one that was recorded."""
    yield "about another document", lambda _: {"transportDocumentChecksum": ANOTHER}
    yield "without a beginning of its own", lambda _: {"transactions": []}
    yield "of a platform that another names", lambda _: {"eblPlatform": "MYPX"}
    yield (
        "that begins with no issue",
        lambda value: {
            "transactions": [
                {**value["transactions"][0], "actionCode": "TRANSFER"},
                *value["transactions"][1:],
            ]
        },
    )
    yield "of one act less", lambda value: {"transactions": value["transactions"][:-1]}
    yield "in another order", lambda value: {"transactions": value["transactions"][::-1]}
    yield "with another end", lambda value: {"transactions": _changed(value, "recipient", "x")}
    yield "by another actor", lambda value: {"transactions": _changed(value, "actor", "x")}
    yield (
        "to nobody",
        lambda value: {
            "transactions": [
                *value["transactions"][:-1],
                {k: v for k, v in value["transactions"][-1].items() if k != "recipient"},
            ]
        },
    )
    yield (
        "for another reason",
        lambda value: {
            "transactions": [
                *value["transactions"][:-1],
                {**value["transactions"][-1], "reasonCode": "COD"},
            ]
        },
    )
    yield (
        "with a time of no zone",
        lambda value: {
            "transactions": [
                *value["transactions"][:-1],
                {**value["transactions"][-1], "actionDateTime": "2027-03-08T06:00:00"},
            ]
        },
    )
    yield (
        "with a manifest about another document",
        lambda value: {"issuanceManifestSignedContent": _manifest_about(value, stranger)},
    )


def _changed(value: Json, member: str, code: str) -> list[Json]:
    *before, last = value["transactions"]
    codes = [{"codeListProvider": "ZZZ", "partyCode": code}]
    return [*before, {**last, member: {**last[member], "identifyingCodes": codes}}]


def _manifest(entry: str, signer: PeerSigner) -> str:
    """The entry's issuance manifest, signed by somebody else."""
    inner = peer_jws.parse(entry).value["issuanceManifestSignedContent"]
    return peer_jws.sign(peer_jws.parse(inner).payload, signer)


def _manifest_about(value: Json, signer: PeerSigner) -> str:
    inner = peer_jws.parse(value["issuanceManifestSignedContent"]).value
    return peer_jws.sign(strictjson.canonical({**inner, "documentChecksum": ANOTHER}), signer)
