"""The words of the trade, in both languages, for what is signed and what a bill is.

The codes are those of the wire; a code that is not listed is shown as it is.
"""

from __future__ import annotations

from typing import Final

ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "REGISTER": ("register a party", "登记当事人"),
    "ADD_KEY": ("add a key", "增加密钥"),
    "ROTATE_KEY": ("replace the signing key", "更换密钥"),
    "REVOKE_KEY": ("revoke a key", "吊销密钥"),
    "ACCEPT_RULEBOOK": ("accept the rulebook", "接受规则"),
    "GRANT_MANDATE": ("grant a mandate", "授予委托"),
    "REVOKE_MANDATE": ("revoke a mandate", "撤销委托"),
    "SUSPEND": ("suspend a party", "暂停当事人"),
    "REINSTATE": ("reinstate a party", "恢复当事人"),
    "BOOKING": ("confirm a booking", "订舱确认"),
    "SUBMIT_INSTRUCTIONS": ("submit shipping instructions", "提交补料"),
    "PUBLISH_DRAFT": ("publish a draft", "发布提单草稿"),
    "REQUEST_CHANGE": ("ask for a change", "要求改稿"),
    "APPROVE_DRAFT": ("approve the draft", "确认草稿"),
    "APPOINT": ("appoint a custodian", "指定保管人"),
    "GATE_IN": ("gate-in", "进闸"),
    "LOADED_RAIL": ("loaded on the train", "装上火车"),
    "RAIL_DEPARTED": ("train departed", "火车发车"),
    "RAIL_ARRIVED": ("train arrived", "火车到达"),
    "RECEIVED_TRANSHIPMENT": ("received at the port", "港口接收"),
    "LOADED_VESSEL": ("loaded on board", "装船"),
    "VESSEL_DEPARTED": ("vessel departed", "开船"),
    "DISCHARGED": ("discharged", "卸船"),
    "CUSTOMS_RELEASE": ("released by customs", "海关放行"),
    "GATE_OUT": ("gate-out", "提离(出闸)"),
    "ISSUE": ("issue the bill", "签发提单"),
    "TRANSFER": ("transfer control", "控制权转让"),
    "REFUSE": ("refuse what was received", "拒收"),
    "ENDORSE": ("endorse in full, final", "记名背书(不可再背书)"),
    "ENDORSE_TO_ORDER": ("endorse to order", "指示背书"),
    "BLANK_ENDORSE": ("endorse in blank", "空白背书"),
    "SIGN": ("sign as holder", "持有人签署"),
    "ON_BOARD_NOTATION": ("on-board notation", "装船批注"),
    "SURRENDER_FOR_DELIVERY": ("surrender for delivery", "交单提货"),
    "SURRENDER_FOR_AMENDMENT": ("surrender for amendment", "交单改单"),
    "SACC": ("accept the surrender", "接受交单"),
    "SREJ": ("reject the surrender", "拒绝交单"),
    "DELIVERY_ORDER": ("delivery order", "提货单"),
    "CANCEL_DELIVERY_ORDER": ("cancel the delivery order", "取消提货单"),
    "CONFIRM_DELIVERY": ("confirm delivery", "确认交付"),
    "VOID": ("void the bill", "作废"),
    "SENT": ("sent to another platform", "发往另一平台"),
    "MOVED": ("received on the other platform", "另一平台已接收"),
    "NOT_MOVED": ("not received on the other platform", "另一平台未接收"),
    "IMPORTED": ("arrived from another platform", "由另一平台转入"),
    "RETURNED": ("told or returned by another platform", "由另一平台告知或转回"),
}

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "ISSUED": ("live", "有效"),
    "IN_TRANSIT": ("on its way to another platform", "转往另一平台途中"),
    "MOVED": ("the original is on another platform", "正本在另一平台"),
    "ISSUE_REFUSED": (
        "refused by its first holder; the carrier can only void it",
        "首持有人已拒收",
    ),
    "PENDING_SURRENDER_FOR_DELIVERY": (
        "surrendered for delivery, the carrier has not answered yet",
        "已交单提货,待承运人答复",
    ),
    "PENDING_SURRENDER_FOR_AMENDMENT": (
        "surrendered for amendment, the carrier has not answered yet",
        "已交单改单,待承运人答复",
    ),
    "SURRENDERED_FOR_DELIVERY": ("surrendered, the cargo can be ordered out", "已交单,可提货"),
    "ACCOMPLISHED": ("accomplished: every container has been delivered", "已完结:货物全部提离"),
    "VOIDED": ("voided", "作废"),
}

NOTICES: Final[dict[str, tuple[str, str]]] = {
    "ISSUED": ("bill issued", "提单已签发"),
    "DRAFT_READY": ("draft ready for approval", "草稿待确认"),
    "ON_BOARD": ("shipped on board", "已装船"),
    "ARRIVED": ("cargo arrived", "货物到港"),
    "REFUSED": ("bill refused", "提单被拒收"),
    "SURRENDER_ACCEPTED": ("surrender accepted", "交单已接受"),
    "SURRENDER_REJECTED": ("surrender rejected", "交单被拒绝"),
    "SEAL_EXCEPTION": ("SEAL EXCEPTION", "封号异常"),
    "RELEASE_ALARM": ("RELEASE ALARM", "放货警报"),
}

BILL_TYPES: Final[dict[str, tuple[str, str]]] = {
    "STRAIGHT": ("straight", "记名提单"),
    "ORDER": ("to order", "指示提单"),
    "BLANK": ("to order, in blank", "不记名提单"),
}

PLACES: Final[dict[str, tuple[str, str]]] = {
    "GATE_IN": ("at the inland terminal", "在内陆港"),
    "LOADED_RAIL": ("on the train", "已装火车"),
    "RAIL_DEPARTED": ("on rails", "铁路运输中"),
    "RAIL_ARRIVED": ("arrived by rail", "铁路已到达"),
    "RECEIVED_TRANSHIPMENT": ("at the port of loading", "在装货港"),
    "LOADED_VESSEL": ("on board", "已装船"),
    "VESSEL_DEPARTED": ("at sea", "海上运输中"),
    "DISCHARGED": ("at the port of discharge", "在卸货港"),
    "GATE_OUT": ("left the gate", "已提离"),
}


def both(words: dict[str, tuple[str, str]], code: str) -> str:
    """`English 中文`, or the code itself."""
    known = words.get(code)
    return f"{known[0]} {known[1]}" if known else code


def english(words: dict[str, tuple[str, str]], code: str) -> str:
    return words[code][0] if code in words else code


def chinese(words: dict[str, tuple[str, str]], code: str) -> str:
    return words[code][1] if code in words else code
