"""A second, much smaller telling of the rules of control, to hold the law against.

Written from the design and not from the code: a bill is a handful of fields, an act a method named
like it, a refusal the code of the refusal. It knows nothing of keys, streams, boxes or documents.
"""

from __future__ import annotations

from dataclasses import dataclass

CARRIER, SHIPPER, CONSIGNEE = "xlsc", "yunling", "straits"


class No(Exception):  # noqa: N818
    """The act is refused; the argument is the code."""


@dataclass(frozen=True)
class Model:
    kind: str
    holder: str
    order_of: str | None
    closed_to_endorsement: bool = False
    phase: str = "ISSUED"
    came_from: tuple[str, str | None, bool] | str | None = "ISSUE"  # what refusing leads back to
    surrenderer: str | None = None

    def _set(self, **changes: object) -> Model:
        return Model(**{**self.__dict__, **changes})

    def _holder_acts(self, who: str) -> None:
        if self.phase.startswith("PENDING"):
            raise No("pending_surrender")
        if self.phase != "ISSUED":
            raise No("terminal_state")
        if who != self.holder:
            raise No("not_holder")

    def _give(self, to: str, order_of: str | None, closed: bool) -> Model:
        if to == self.holder:
            raise No("bad_recipient")
        if self.kind == "STRAIGHT" and to != CONSIGNEE:
            raise No("wrong_bill_type")
        if to == CARRIER:
            raise No("bad_recipient")
        before = (self.holder, self.order_of, self.closed_to_endorsement)
        return self._set(
            holder=to, order_of=order_of, closed_to_endorsement=closed, came_from=before
        )

    def transfer(self, who: str, to: str) -> Model:
        self._holder_acts(who)
        if self.kind == "STRAIGHT" and (self.holder, CONSIGNEE) != (SHIPPER, CONSIGNEE):
            raise No("wrong_bill_type")
        return self._give(to, self.order_of, self.closed_to_endorsement)

    def endorse(self, who: str, to: str | None, last: bool, then_to: str | None) -> Model:
        self._holder_acts(who)
        if self.kind == "STRAIGHT":
            raise No("wrong_bill_type")
        if self.order_of is not None and self.order_of != who:
            raise No("not_title_holder")
        if self.closed_to_endorsement:
            raise No("final_endorsement")
        if to == CARRIER:
            raise No("bad_recipient")
        if then_to is not None:
            return self._give(then_to, to, last)
        return self._set(order_of=to, closed_to_endorsement=last, came_from=None)

    def refuse(self, who: str) -> Model:
        self._holder_acts(who)
        if self.came_from is None:
            raise No("not_refusable")
        if self.came_from == "ISSUE":
            back, phase = (CARRIER, CARRIER, False), "ISSUE_REFUSED"
        else:
            back, phase = self.came_from, "ISSUED"  # type: ignore[assignment]
        return self._set(
            holder=back[0],
            order_of=back[1],
            closed_to_endorsement=back[2],
            phase=phase,
            came_from=None,
        )

    def sign(self, who: str) -> Model:
        self._holder_acts(who)
        return self._set(came_from=None)

    def surrender(self, who: str, purpose: str) -> Model:
        self._holder_acts(who)
        entitled = {SHIPPER, CONSIGNEE} if self.kind == "STRAIGHT" else {self.order_of or who}
        if who not in entitled:
            raise No("not_title_holder")
        phase = f"PENDING_SURRENDER_FOR_{purpose}"
        return self._set(holder=CARRIER, phase=phase, surrenderer=who, came_from=None)

    def answer(self, who: str, yes: bool) -> Model:
        if self.phase == "ISSUED":
            raise No("not_pending")
        if not self.phase.startswith("PENDING"):
            raise No("terminal_state")
        if who != CARRIER:
            raise No("not_carrier")
        if yes and self.phase.endswith("AMENDMENT"):
            raise No("not_supported")
        if yes:
            return self._set(phase="SURRENDERED_FOR_DELIVERY")
        return self._set(holder=self.surrenderer, surrenderer=None, phase="ISSUED")

    def void(self, who: str) -> Model:
        if self.phase.startswith("PENDING"):
            raise No("pending_surrender")
        if self.phase == "ISSUED":
            raise No("not_pending")
        if self.phase != "ISSUE_REFUSED":
            raise No("terminal_state")
        if who != CARRIER:
            raise No("not_carrier")
        return self._set(phase="VOIDED")


def new_bill(kind: str, holder: str) -> Model:
    title = {"STRAIGHT": CONSIGNEE, "ORDER": SHIPPER, "BLANK": None}[kind]
    return Model(kind=kind, holder=holder, order_of=title)
