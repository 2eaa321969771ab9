"""The words of the printed copy, in English and 中文: titles of boxes, states, acts, codes.

A code that is not listed is printed as it is.
"""

from __future__ import annotations

from typing import Final

Pair = tuple[str, str]

TYPES: Final[dict[str, Pair]] = {
    "STRAIGHT": ("Straight bill, not negotiable", "记名提单，不可转让"),
    "ORDER": ("Order bill, negotiable", "指示提单，可转让"),
    "BLANK": ("Blank bill: to the order of its holder", "不记名提单：凭持有人指示"),
}

STATUSES: Final[dict[str, Pair]] = {
    "ISSUED": ("Live", "有效流通中"),
    "IN_TRANSIT": ("On its way to another platform", "转往另一平台途中"),
    "MOVED": ("Held on another platform", "正本在另一平台"),
    "ISSUE_REFUSED": ("Refused by its first holder", "首持有人已拒收"),
    "PENDING_SURRENDER_FOR_DELIVERY": (
        "Surrendered for delivery; the carrier has yet to answer",
        "已交单提货，承运人尚未答复",
    ),
    "PENDING_SURRENDER_FOR_AMENDMENT": (
        "Surrendered for amendment; the carrier has yet to answer",
        "已交单改单，承运人尚未答复",
    ),
    "SURRENDERED_FOR_DELIVERY": ("Surrendered for delivery, accepted", "交单提货已获接受"),
    "ACCOMPLISHED": ("Accomplished: all cargo delivered", "已完结：货物全部交付"),
    "VOIDED": ("Void", "已作废"),
}

ACTS: Final[dict[str, Pair]] = {
    "ISSUE": ("Issued", "签发"),
    "TRANSFER": ("Control transferred", "转让控制权"),
    "REFUSE": ("Refused what was received", "拒收"),
    "ENDORSE": ("Endorsed in full, final", "记名背书（不可再背书）"),
    "ENDORSE_TO_ORDER": ("Endorsed to order", "指示背书"),
    "BLANK_ENDORSE": ("Endorsed in blank", "空白背书"),
    "SIGN": ("Signed as holder", "持有人签署"),
    "ON_BOARD_NOTATION": ("On-board notation", "装船批注"),
    "SURRENDER_FOR_DELIVERY": ("Surrendered for delivery", "交单提货"),
    "SURRENDER_FOR_AMENDMENT": ("Surrendered for amendment", "交单改单"),
    "SACC": ("Surrender accepted", "接受交单"),
    "SREJ": ("Surrender rejected", "拒绝交单"),
    "DELIVERY_ORDER": ("Delivery order given", "签发提货单"),
    "CANCEL_DELIVERY_ORDER": ("Delivery order cancelled", "取消提货单"),
    "CONFIRM_DELIVERY": ("Delivery confirmed", "确认交付"),
    "VOID": ("Made void", "作废"),
    "SENT": ("Sent to another platform", "发往另一平台"),
    "MOVED": ("Accepted by the other platform", "另一平台已接收"),
    "NOT_MOVED": ("Not accepted by the other platform", "另一平台未接收"),
    "IMPORTED": ("Received from another platform", "由另一平台转入"),
    "RETURNED": ("Told or returned by another platform", "由另一平台告知或转回"),
}

CUSTODY: Final[dict[str, Pair]] = {
    "GATE_IN": ("Gate-in", "进闸"),
    "LOADED_RAIL": ("On the train", "已装火车"),
    "RAIL_DEPARTED": ("Train departed", "火车已发车"),
    "RAIL_ARRIVED": ("Train arrived", "火车到达"),
    "RECEIVED_TRANSHIPMENT": ("At port of loading", "装港接收"),
    "LOADED_VESSEL": ("On board", "已装船"),
    "VESSEL_DEPARTED": ("Vessel sailed", "已开船"),
    "DISCHARGED": ("Discharged", "已卸船"),
    "CUSTOMS_RELEASE": ("Customs released", "海关放行"),
    "GATE_OUT": ("Gate-out", "已提离"),
}

FREIGHT: Final[dict[str, Pair]] = {
    "PRE": ("Freight prepaid", "运费预付"),
    "COL": ("Freight collect", "运费到付"),
}

REASONS: Final[dict[str, Pair]] = {
    "SWTP": ("switch to paper", "转为纸质"),
    "COD": ("change of destination", "变更目的地"),
    "SWI": ("switch bill", "换单"),
}

# Boxes and lines that appear only where the document fills them.
BOXES: Final[dict[str, Pair]] = {
    "shipper": ("Shipper / consignor", "托运人"),
    "consignee": ("Consignee", "收货人"),
    "order": ("To the order of", "凭指示"),
    "notify": ("Notify party", "通知方"),
    "carriersAgentAtDestination": ("Carrier's agent at destination", "承运人目的港代理"),
    "onBehalfOfShipper": ("On behalf of the shipper", "代表托运人"),
    "onBehalfOfConsignee": ("On behalf of the consignee", "代表收货人"),
    "other": ("Further party", "其他当事人"),
    "preCarriage": ("Pre-carriage by", "前程运输"),
    "receipt": ("Place of receipt", "收货地"),
    "vessel": ("Vessel / voyage", "船名 / 航次"),
    "loading": ("Port of loading", "装货港"),
    "discharge": ("Port of discharge", "卸货港"),
    "delivery": ("Place of delivery", "交货地"),
    "onward": ("Onward inland routing", "内陆转运"),
    "onCarriage": ("On-carriage by", "后程运输"),
    "movement": ("Movement", "运输条款"),
    "freight": ("Freight", "运费"),
    "payable": ("Payable at", "付款地"),
    "value": ("Declared value", "声明价值"),
    "issued": ("Place and date of issue", "签发地点和日期"),
    "received": ("Received for shipment", "收货待运"),
    "onboard": ("Shipped on board", "已装船"),
}

REFERENCES: Final[dict[str, Pair]] = {
    "booking": ("Booking", "订舱号"),
    "instructions": ("Shipping instructions", "补料号"),
    "contract": ("Service contract", "服务合同"),
    "quotation": ("Quotation", "报价单"),
}

ORDER_OF: Final[Pair] = ("To order, in blank: of whoever holds the bill", "不记名：凭提单持有人")
HIDDEN_ACTS: Final[Pair] = ("Not for this reader to see", "该读者无权查看")
HIDDEN_DOCUMENT: Final[Pair] = (
    "The evidence of this reader holds no transport document, so parties, goods and terms are not "
    "printed here. What follows is all that it shows.",
    "该读者的证据文件不含运输单证，故此处不印载当事人、货物与条款；下列内容即其所示之全部。",
)


def pair(words: dict[str, Pair], code: str) -> Pair:
    """Both languages of a code; the code itself and nothing where it is not known."""
    return words.get(code, (code, ""))


def both(words: dict[str, Pair], code: str) -> str:
    """`English 中文`, or the code itself."""
    return " ".join(filter(None, pair(words, code)))
