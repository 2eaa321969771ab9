"""What has to be asked for each act on a bill, and the signed details that the answers make.

Only acts that the law allows the party now are offered; what the law alone decides (a date that
custody proves, the terminal of the booking) is not asked but filled in, and shown before signing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bol_service.application.portal_views import BillPage
from bol_service.domain.events import Action
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import Place
from bol_service.portal.forms import Answers, Choice, Field, Given, Json, local_input, read
from bol_service.portal.language import CORRIDOR
from bol_service.wire.event_fields import check_party_name
from bol_service.wire.event_schemas import RECIPIENT_ACTIONS

# In the order in which the page offers them: what a holder does first, what ends things last.
OFFERED: Final = (
    Action.TRANSFER,
    Action.ENDORSE_TO_ORDER,
    Action.ENDORSE,
    Action.BLANK_ENDORSE,
    Action.SIGN,
    Action.REFUSE,
    Action.SURRENDER_FOR_DELIVERY,
    Action.SURRENDER_FOR_AMENDMENT,
    Action.SACC,
    Action.SREJ,
    Action.ON_BOARD_NOTATION,
    Action.DELIVERY_ORDER,
    Action.CANCEL_DELIVERY_ORDER,
    Action.CONFIRM_DELIVERY,
    Action.VOID,
)
_REASON: Final = Field(name="reason", kind="long")
_ORDER_DAYS: Final = 3
ABROAD: Final = "abroad"


def fields_of(
    action: Action, page: BillPage, recipients: Sequence[Choice], *, abroad: bool = False
) -> tuple[Field, ...]:
    """The questions of an act; none for acts that say all by themselves.

    With `abroad` the recipient may be a party of another platform, which is written, not chosen.
    """
    recipient = Field(name="recipient", kind="choice", choices=recipients, required=not abroad)
    elsewhere = (Field(name=ABROAD, required=False, limit=36),) if abroad else ()
    hand_over = Field(name="transferTo", kind="choice", required=False, choices=recipients)
    match action:
        case Action.TRANSFER:
            credit = Field(name="lc", required=False, limit=35)
            complete = Field(name="complete", kind="tick", required=False)
            return recipient, *elsewhere, credit, complete
        case Action.ENDORSE | Action.ENDORSE_TO_ORDER:
            return recipient, *elsewhere, hand_over
        case Action.BLANK_ENDORSE:
            return (hand_over,)
        case Action.REFUSE | Action.SREJ | Action.VOID:
            return (_REASON,)
        case Action.SURRENDER_FOR_AMENDMENT:
            reasons = tuple((code, f"amendment.{code}") for code in ("COD", "SWI", "SWTP"))
            comments = Field(name="comments", kind="long", required=False, limit=255)
            return Field(name="reasonCode", kind="choice", choices=reasons), comments
        case Action.DELIVERY_ORDER:
            return _order_fields(page)
        case Action.CANCEL_DELIVERY_ORDER:
            return Field(name="order", kind="choice", choices=_standing_orders(page)), _REASON
        case _:
            return ()


def _order_fields(page: BillPage) -> tuple[Field, ...]:
    left = {box["container"] for box in page.view["custody"] if box["place"] == Place.GATE_OUT}
    inside = tuple((box, box) for box in page.custody if box not in left)
    return (
        Field(name="containers", kind="ticks", choices=inside),
        Field(name="pickUpName", limit=70),
        Field(name="pickUpReference", limit=70),
        Field(name="expires", kind="moment"),
    )


def _standing_orders(page: BillPage) -> tuple[Choice, ...]:
    return tuple(
        (order["order"], f"{order['pickUp']['name']}: {', '.join(order['containers'])}")
        for order in page.view["deliveryOrders"]
        if not order["cancelled"]
    )


def proposals(action: Action, now: datetime) -> Given:
    """What a form is filled with at first."""
    if action is not Action.DELIVERY_ORDER:
        return Given()
    evening = now.astimezone(CORRIDOR).replace(hour=18, minute=0)
    return Given({"expires": local_input(evening + timedelta(days=_ORDER_DAYS))})


def answers_of(action: Action, fields: Sequence[Field], form: Given, page: BillPage) -> Answers:
    """The answers of a form, checked as the platform checks the signed event."""
    given, faults = read(fields, form)
    if "complete" in given and "lc" not in given:
        faults["lc"] = "fault.missing"  # complete under which credit?
    if action in RECIPIENT_ACTIONS:
        faults = {**_read_abroad(given), **faults}
    if faults:
        return Answers(faults=faults)
    recipient = given.pop("recipient") if action in RECIPIENT_ACTIONS else None
    answers = Answers(recipient=recipient, details=_details(action, given, page))
    # The release code is made in the browser, and only its digest is signed.
    answers.check(action, {"codeHash": "0" * 64} if action is Action.DELIVERY_ORDER else None)
    return answers


def _read_abroad(given: Json) -> dict[str, str]:
    """Make the party abroad the recipient, if one was written; what is wrong with the two."""
    name = given.pop(ABROAD, None)
    if name is None:
        return {} if "recipient" in given else {"recipient": "fault.missing"}
    if "recipient" in given:
        return {ABROAD: "fault.two_recipients"}
    try:
        check_party_name(name)
    except ValueError:
        return {ABROAD: "fault.abroad"}
    given["recipient"] = name
    return {} if is_foreign(name) else {ABROAD: "fault.abroad"}


def _details(action: Action, given: Mapping[str, Any], page: BillPage) -> Json:
    match action:
        case Action.TRANSFER:
            if "lc" not in given:
                return {}
            return {"presentation": {"lc": given["lc"], "complete": given.get("complete", False)}}
        case Action.ON_BOARD_NOTATION:
            return _notation(page)
        case Action.DELIVERY_ORDER:
            name, reference = given["pickUpName"], given["pickUpReference"]
            return {
                "containers": given["containers"],
                "expires": given["expires"],
                "pickUp": {"name": name, "reference": reference},
                "terminal": page.discharge,
            }
        case _:
            return dict(given)


def _notation(page: BillPage) -> Json:
    loading = page.loading
    if loading is None:
        return {}
    terminal = page.names.get(loading.terminal)
    ports = [facility.un_location_code for facility in terminal.facilities] if terminal else []
    return {
        "carrierExportVoyageNumber": loading.voyage,
        "onBoardDate": loading.local_date.isoformat(),
        "portOfLoading": ports[0] if ports else "",
        "vesselName": loading.vessel,
    }
