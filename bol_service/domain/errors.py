"""Every way in which the law says no.

One class per refusal. `code` is a promise to clients: never change or reuse it. `status` is
the HTTP status that carries it, `title` and `title_zh` the sentence for people, `next_step` what
the refused party can do. The message of an instance names both values ("yunling is not the
possessor, bankcq is").

Codes and statuses follow the error list of the domain notes; what is added to it is told in
docs/adr/0015-refusal-codes.md.
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - the trade refuses, it does not err
    """An act that the law does not allow; nothing has been recorded and no state has changed."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    title_zh: ClassVar[str]
    next_step: ClassVar[str]

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class BadEvent(Refusal):
    """The event is not well formed, or not for this platform, stream or action."""

    code = "bad_event"
    status = 422
    title = "The event is not acceptable"
    title_zh = "事件格式或内容不合规"
    next_step = "Correct the member that `pointer` names and sign the event again."


class BadSignature(Refusal):
    """The signature cannot be trusted (PINT: BSIG)."""

    code = "bad_signature"
    status = 422
    title = "The signature does not verify"
    title_zh = "签名无法通过验证"
    next_step = "Sign the exact payload bytes with the registered key that `kid` names."


class PersonalData(Refusal):
    """Data of natural persons in a document's free text, where the platform takes none (DR-03)."""

    code = "personal_data"
    status = 422
    title = "The document names natural persons in its free text"
    title_zh = "单据的自由文本含有个人信息"
    next_step = "Name the company or a role mailbox, or use the members for contacts; upload again."


class BadTime(Refusal):
    """`at` is too far from the time of recording, or a date is impossible."""

    code = "bad_time"
    status = 422
    title = "The stated time is outside the allowed window"
    title_zh = "所述时间超出允许范围"
    next_step = "Set the clock of the signing machine, then sign the event again."


class IdReused(Refusal):
    """The event id was used before with another payload."""

    code = "id_reused"
    status = 409
    title = "This event id belongs to another event"
    title_zh = "事件编号已被使用"
    next_step = "Make a new UUIDv7 for every new act."


class KeyRevoked(Refusal):
    """The key is revoked, replaced, or outside its validity."""

    code = "key_revoked"
    status = 403
    title = "The key may not sign now"
    title_zh = "密钥已失效"
    next_step = "Sign with a key that is valid now; see the party's keys under /v1/parties."


class WrongKey(Refusal):
    """The key is registered for somebody else than the actor."""

    code = "wrong_key"
    status = 403
    title = "The key does not speak for this party"
    title_zh = "该密钥不属于所称当事人"
    next_step = "Name as `actor` the party whose registered key signs."


class Suspended(Refusal):
    """The operator has suspended the actor."""

    code = "suspended"
    status = 403
    title = "The party is suspended"
    title_zh = "当事人已被暂停"
    next_step = "Ask the operator for the reason and for reinstatement."


class NotFound(Refusal):
    """The stream is unknown, or the actor may not know that it exists; the two look alike."""

    code = "not_found"
    status = 404
    title = "Nothing known under this name"
    title_zh = "未找到"
    next_step = "Check the identifier, and that your company is a party to it."


class StaleHead(Refusal):
    """Someone acted first: `previous` or `sequence` is not the stream's head."""

    code = "stale_head"
    status = 409
    title = "Someone acted first"
    title_zh = "状态已变更,请刷新后重试"
    next_step = "Read the stream's head again, look at what changed, and sign again if still meant."


class TerminalState(Refusal):
    """The bill has ended; no act of control is possible."""

    code = "terminal_state"
    status = 410
    title = "The bill has ended"
    title_zh = "提单已终结"
    next_step = "No further act is possible on this bill."


class PendingSurrender(Refusal):
    """The carrier has not answered a surrender request yet."""

    code = "pending_surrender"
    status = 409
    title = "A surrender is waiting for the carrier's answer"
    title_zh = "交单待承运人答复"
    next_step = "Wait for the carrier to accept or reject the surrender."


class NotPending(Refusal):
    """The carrier answers a surrender that was not requested."""

    code = "not_pending"
    status = 409
    title = "No surrender is waiting"
    title_zh = "没有待答复的交单"
    next_step = "A surrender can be answered once, after its holder has requested it."


class NotHolder(Refusal):
    """The actor does not possess the bill."""

    code = "not_holder"
    status = 403
    title = "Only the holder may do this"
    title_zh = "只有持有人可以操作"
    next_step = "Ask the present holder to act, or to transfer the bill to you."


class NotTitleHolder(Refusal):
    """The bill is to the order of somebody else."""

    code = "not_title_holder"
    status = 409
    title = "The bill is to the order of another party"
    title_zh = "提单指示人非本人"
    next_step = "Have the party to whose order the bill is made endorse it."


class WrongBillType(Refusal):
    """The act does not exist for this type of bill."""

    code = "wrong_bill_type"
    status = 409
    title = "Not possible with this type of bill"
    title_zh = "该提单类型不允许此操作"
    next_step = "A straight bill passes from shipper to consignee only and is never endorsed."


class FinalEndorsement(Refusal):
    """The last endorsement forbade endorsing on."""

    code = "final_endorsement"
    status = 409
    title = "The last endorsement was final"
    title_zh = "最后背书不可再背书"
    next_step = "Transfer possession or surrender the bill; it cannot be endorsed again."


class NotCarrier(Refusal):
    """Only the carrier of this bill or shipment may do this."""

    code = "not_carrier"
    status = 403
    title = "Only the carrier may do this"
    title_zh = "只有承运人可以操作"
    next_step = "The act must be signed by the carrier whose code the document bears."


class NotCustodian(Refusal):
    """The booking names somebody else as custodian of this leg."""

    code = "not_custodian"
    status = 403
    title = "Only the custodian of this leg may do this"
    title_zh = "只有该段保管人可以操作"
    next_step = "Let the custodian that the booking names sign, or have the carrier appoint you."


class NotOperator(Refusal):
    """Only the operator registers, suspends and reinstates."""

    code = "not_operator"
    status = 403
    title = "Only the operator may do this"
    title_zh = "只有平台运营方可以操作"
    next_step = "Apply to the operator of the platform."


class NoMandate(Refusal):
    """The forwarder has no valid mandate of the shipper."""

    code = "no_mandate"
    status = 403
    title = "No mandate from the shipper"
    title_zh = "没有托运人的委托授权"
    next_step = "Ask the shipper to grant a mandate for drafts, then sign again."


class StaleDraft(Refusal):
    """The digest or version is not that of the draft which counts."""

    code = "stale_draft"
    status = 409
    title = "Not the draft that counts"
    title_zh = "草稿版本不符"
    next_step = "Read the latest draft and approve, or issue, exactly that version."


class ConsentMissing(Refusal):
    """A party has not accepted this version of the rulebook (MLETR art. 7)."""

    code = "consent_missing"
    status = 409
    title = "A party has not accepted the rulebook"
    title_zh = "当事人尚未接受规则"
    next_step = "The named party must accept the rulebook (ACCEPT_RULEBOOK) first."


class RecipientUnavailable(Refusal):
    """The recipient is unknown here or suspended."""

    code = "recipient_unavailable"
    status = 409
    title = "The recipient cannot receive"
    title_zh = "接收方不可用"
    next_step = "Check the recipient's slug under /v1/parties."


class BadRecipient(Refusal):
    """The bill cannot go to this party: oneself, the carrier, the operator."""

    code = "bad_recipient"
    status = 409
    title = "The bill cannot go to this party"
    title_zh = "不能转让给该当事人"
    next_step = "Choose another recipient; to the carrier a bill is surrendered, not transferred."


class NotRefusable(Refusal):
    """There is nothing left to refuse."""

    code = "not_refusable"
    status = 409
    title = "The bill can no longer be refused"
    title_zh = "已不能拒收"
    next_step = "Transfer the bill back instead; whoever has signed on a bill has accepted it."


class NumberUsed(Refusal):
    """The carrier has a live bill under this number, or for this shipment."""

    code = "number_used"
    status = 409
    title = "The number is in use"
    title_zh = "提单号已被使用"
    next_step = "Give the bill a new number, or void the bill that bears it."


class DuplicateCargo(Refusal):
    """A container is on another live bill for the same voyage."""

    code = "duplicate_cargo"
    status = 409
    title = "The cargo is on another live bill"
    title_zh = "货物已在另一份有效提单上"
    next_step = "Clear up with the carrier which bill covers this container on this voyage."


class AlreadyRegistered(Refusal):
    """A slug, key, identity, carrier code, terminal location or shipment is taken."""

    code = "already_registered"
    status = 409
    title = "Already registered"
    title_zh = "已被登记"
    next_step = "Each identity, carrier code, location, key and shipment is registered once."


class NotLoaded(Refusal):
    """A container has no load event on the named vessel and voyage."""

    code = "not_loaded"
    status = 409
    title = "Not every container is loaded"
    title_zh = "尚未全部装船"
    next_step = "Wait for the terminal to sign LOADED_VESSEL for every container of the bill."


class AlreadyOnBoard(Refusal):
    """The bill shows shipment on board already."""

    code = "already_on_board"
    status = 409
    title = "The bill is an on-board bill already"
    title_zh = "提单已载明装船"
    next_step = "A notation is made once; nothing remains to be done."


class Antedating(Refusal):
    """A date differs from what the custody events or the signing time prove."""

    code = "antedating"
    status = 422
    title = "The date is not the date of the event"
    title_zh = "日期与事实不符(倒签或预借)"
    next_step = "State the date that the signed custody events prove."


class BadTransition(Refusal):
    """The container is at another place of its journey."""

    code = "bad_transition"
    status = 409
    title = "The container is not where this act needs it"
    title_zh = "箱子状态不允许此操作"
    next_step = (
        "Look at the container's custody events; one of them is missing or was signed before."
    )


class NotOnBill(Refusal):
    """The container is not on this booking, bill or delivery order."""

    code = "not_on_bill"
    status = 409
    title = "The container is not on this bill"
    title_zh = "该箱不在此提单上"
    next_step = "Check the container number against the bill and the delivery order."


class NoSurrender(Refusal):
    """No release: the bill has not been surrendered to, and accepted by, the carrier."""

    code = "no_surrender"
    status = 403
    title = "Do not release: the bill is not surrendered"
    title_zh = "不得放货:提单尚未交回"
    next_step = "Release only after the carrier has accepted the surrender and ordered delivery."


class NoDeliveryOrder(Refusal):
    """No release: the order is unknown, cancelled or replaced by a later one."""

    code = "no_delivery_order"
    status = 409
    title = "Do not release: no valid delivery order"
    title_zh = "不得放货:无有效提货单"
    next_step = "Ask the carrier for the delivery order that counts now."


class OrderExpired(Refusal):
    """No release: the delivery order has expired."""

    code = "do_expired"
    status = 409
    title = "Do not release: the delivery order has expired"
    title_zh = "不得放货:提货单已过期"
    next_step = "Ask the carrier for a new delivery order."


class OrderReplay(Refusal):
    """No release: this order was used for this container before."""

    code = "do_replay"
    status = 409
    title = "Do not release: the delivery order was used"
    title_zh = "不得放货:提货单已使用"
    next_step = "The container has left; raise the alarm if it stands before you."


class WrongCode(Refusal):
    """No release: the one-time code is not the order's."""

    code = "wrong_code"
    status = 403
    title = "Do not release: wrong release code"
    title_zh = "不得放货:提货码错误"
    next_step = "Ask the person at the gate for the code of this very order."


class WrongPickUp(Refusal):
    """No release: the collector is not the one whom the order names."""

    code = "wrong_pick_up"
    status = 403
    title = "Do not release: wrong collector"
    title_zh = "不得放货:提货人不符"
    next_step = "Release to the party that the delivery order names, and to nobody else."


class CustomsHold(Refusal):
    """No release: customs has not released the container."""

    code = "customs"
    status = 409
    title = "Do not release: customs has not released"
    title_zh = "不得放货:海关未放行"
    next_step = "Wait for the customs authority to sign CUSTOMS_RELEASE for this container."


class NotSupported(Refusal):
    """The standard knows the act; this platform does not do it yet."""

    code = "not_supported"
    status = 422
    title = "Not supported yet"
    title_zh = "暂不支持"
    next_step = "Reject the request (SREJ), or use a platform that supports it."


class InTransit(Refusal):
    """The bill waits for the signed answer of another platform; nobody can act on it."""

    code = "in_transit"
    status = 409
    title = "The bill is on its way to another platform"
    title_zh = "提单正在转往另一平台"
    next_step = "Wait for the other platform's signed answer; until then the bill is locked."


class MovedAway(Refusal):
    """The original is on another platform."""

    code = "moved"
    status = 409
    title = "The original is on another platform"
    title_zh = "正本已转至另一平台"
    next_step = "Act on the platform that the message names; it holds the original."


class NotExchange(Refusal):
    """Only the platform's own exchange desk records what crossed the border."""

    code = "not_exchange"
    status = 403
    title = "Not an act of a party"
    title_zh = "并非当事人可签署的行为"
    next_step = "Sign the act itself, such as TRANSFER; the platform records the exchange."


class BadChain(Refusal):
    """The transactions told by another platform contradict the law or this ledger."""

    code = "bad_chain"
    status = 409
    title = "The chain from abroad is not lawful"
    title_zh = "其他平台的背书链不合规则"
    next_step = "Settle with the other platform which history is right, then send it again."


class UnknownPeer(Refusal):
    """The platform that a recipient is named with exchanges no originals with this one."""

    code = "unknown_peer"
    status = 409
    title = "No exchange with that platform"
    title_zh = "与该平台无正本交换安排"
    next_step = "Name a party of this platform, or of one with which it exchanges originals."


def refusals() -> tuple[type[Refusal], ...]:
    """All refusals, sorted by code."""
    return tuple(sorted(Refusal.__subclasses__(), key=lambda refusal: refusal.code))
