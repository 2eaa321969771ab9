"""Any bill on any way between three platforms: what one builds, the next accepts, once.

Each walk issues a bill in Chongqing and lets its possessors act at random, as the standard allows.
Whenever an act goes to a party of another platform an envelope is built and judged there. Then:
possession is where the transactions put it, a repetition is a duplicate, nobody else accepts the
envelope, and the sender reads the answer as it was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from bol_service.domain.document import BillKind
from bol_service.verification.pint_answer import Outcome, read_answer
from bol_service.verification.pint_history import KnownEntry, KnownHistory, Original
from bol_service.verification.pint_judgement import Accepted, Duplicate, Refused, answer_to
from bol_service.verification.pint_possession import Possession, possession, transactions
from bol_service.wire.pint_answers import ResponseCode, finished_response
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_entry import ChainEntry, Transaction, chain_entry
from bol_service.wire.pint_envelope import EblEnvelope
from bol_service.wire.pint_parties import ChainParty
from tests.documents import blank_document, corridor_document, straight_document
from tests.pint_story import (
    BANK,
    BUYER,
    CARRIER_PARTY,
    CQ,
    NOW,
    SG,
    SHIPPER,
    STRANGER,
    TH,
    Story,
    act,
    house,
    judged,
    party,
    payload,
    pins,
)

PLATFORMS: Final = (CQ, SG, TH)
PARTIES: Final = (SHIPPER, party("bankcq", CQ), BANK, BUYER, STRANGER, party("siam", TH))
DOCUMENTS: Final = {
    BillKind.STRAIGHT: straight_document,
    BillKind.ORDER: corridor_document,
    BillKind.BLANK: blank_document,
}
FILES: Final = [
    describe(name.encode(), name=name, media_type="application/pdf") for name in ("a", "b", "c")
]


@dataclass
class World:
    """What each platform knows, and the acts that wait for their entry."""

    kind: BillKind
    story: Story
    waiting: list[Transaction]
    known: dict[str, KnownHistory] = field(
        default_factory=lambda: dict.fromkeys(PLATFORMS, KnownHistory())
    )

    def state(self) -> Possession:
        chain = [chain_entry(payload(text)) for text in self.story.chain]
        if self.waiting:
            chain.append(self.unsigned())
        return possession(transactions(chain), to_order=self.kind is not BillKind.STRAIGHT)

    def unsigned(self) -> ChainEntry:
        platform = self.waiting[0].actor.platform
        return ChainEntry(
            platform=platform, document_checksum="0" * 64, transactions=tuple(self.waiting)
        )


def possible(state: Possession, kind: BillKind) -> list[Transaction]:
    """Every act that the possessor may do next."""
    if state.ended:
        return []
    me = state.possessor
    if state.surrendered_by is not None:
        answers = ("SACC", "SREJ")
        return [act(each, state.issuer, state.surrendered_by) for each in answers]
    others = [other for other in PARTIES if other != me]
    acts = [act("TRANSFER", me, other) for other in others] + [act("SIGN", me)]
    acts.append(act("SURRENDER_FOR_DELIVERY", me, CARRIER_PARTY))
    acts.append(act("SURRENDER_FOR_AMENDMENT", me, CARRIER_PARTY, reason_code="COD"))
    if kind is not BillKind.STRAIGHT and not state.final:
        acts += [act(each, me, o) for each in ("ENDORSE", "ENDORSE_TO_ORDER") for o in others]
        acts.append(act("BLANK_ENDORSE", me))
    return acts


def is_sent(chosen: Transaction) -> bool:
    return chosen.recipient is not None and chosen.recipient.platform != chosen.actor.platform


def stored(
    story: Story, before: KnownHistory, *, accepted: bool, original: Original
) -> KnownHistory:
    taken = {entry.text for entry in before.entries if entry.accepted}
    taken |= {story.chain[-1]} if accepted else set()
    entries = tuple(KnownEntry(text=text, accepted=text in taken) for text in story.chain)
    return KnownHistory(entries=entries, original=original)


def exchange(world: World, data: st.DataObject) -> None:
    """Envelope, judgement, answer, and what both sides know afterwards."""
    sender = world.waiting[0].actor.platform
    receiver = world.waiting[-1].recipient
    assert receiver is not None
    world.story = world.story.then(sender, *world.waiting)
    world.waiting = []
    files = data.draw(st.lists(st.sampled_from(FILES), unique=True))
    envelope = world.story.envelope(sender, supporting=files)
    known = world.known[receiver.platform]
    told = judge(envelope, receiver.platform, known)
    state = world.state()
    assert isinstance(told, Accepted), told
    assert told.facts.possession == state
    assert told.moves is state.is_at(receiver.platform)
    assert told.missing == tuple(files)
    assert len(told.new) == sum(
        len(payload(t)["transactions"]) for t in world.story.chain[told.known :]
    )
    elsewhere_it_is_refused(envelope, world, sender, receiver)

    here = Original.HERE if told.moves else Original.ELSEWHERE
    after = stored(world.story, known, accepted=True, original=here)
    world.known[receiver.platform] = after
    left = Original.HERE if state.is_at(sender) else Original.ELSEWHERE
    world.known[sender] = stored(world.story, world.known[sender], accepted=False, original=left)
    it_is_a_duplicate_now(envelope, receiver.platform, after)
    the_sender_reads_the_receipt(envelope, receiver.platform, known)


def judge(envelope: EblEnvelope, me: str, known: KnownHistory) -> object:
    return judged(envelope, me=me, known=known, knows=lambda party: True)


def elsewhere_it_is_refused(
    envelope: EblEnvelope, world: World, sender: str, receiver: ChainParty
) -> None:
    for me in PLATFORMS:
        if me in (sender, receiver.platform):
            continue
        told = judge(envelope, me, world.known[me])
        assert isinstance(told, Refused)
        assert told.code in (ResponseCode.BENV, ResponseCode.DISE)


def it_is_a_duplicate_now(envelope: EblEnvelope, me: str, known: KnownHistory) -> None:
    assert judge(envelope, me, known) == Duplicate(
        sender=payload(envelope.chain[-1])["eblPlatform"], of=envelope.chain[-1], held=()
    )


def the_sender_reads_the_receipt(envelope: EblEnvelope, me: str, known: KnownHistory) -> None:
    documents = frozenset(file.checksum for file in FILES)
    complete = KnownHistory(entries=known.entries, original=known.original, held=documents)
    told = judge(envelope, me, complete)
    assert isinstance(told, Accepted)
    text = finished_response(answer_to(told, envelope), house(me).signer)
    answer = read_answer(
        text,
        pins=pins(*PLATFORMS),
        receiver=me,
        moment=NOW,
        last_entry=envelope.chain[-1],
        documents=[each.checksum for each in told.manifest.documents],
    )
    assert answer.outcome is Outcome.MOVED


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_one_platform_builds_the_next_one_accepts_once(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(BillKind)))
    world = World(
        kind=kind,
        story=Story(document=DOCUMENTS[kind]()),
        waiting=[act("ISSUE", CARRIER_PARTY, SHIPPER)],
    )
    for _ in range(data.draw(st.integers(3, 12))):
        choices = possible(world.state(), kind)
        if not choices:
            break
        chosen = data.draw(st.sampled_from(choices))
        world.waiting.append(chosen)
        if is_sent(chosen):
            exchange(world, data)
