"""What a chain from another platform tells of a bill: its transactions, under the bill's own rules.

1. Whoever gives has it, whoever endorses has the title, only the issuing carrier is asked for
   delivery and answers, and nothing follows an accepted surrender.
2. Moves inside another platform may be left out (DCSA PINT 3.0), so of possession there only the
   platform is asked.
3. A party of this platform signs here itself: no chain tells of its acts.
4. Whom a chain endorses the bill to here must be able to hold it, and its carrier never can; of
   others abroad their own platform has said so.
5. Notations, delivery orders and custody stay with the platform of issue; they are no transactions.
"""

from __future__ import annotations

from bol_service.domain import errors, issue
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Step
from bol_service.domain.identifiers import is_foreign, platform_of
from bol_service.domain.states import BillState, Control, Reader, Status
from bol_service.domain.values import replaced

_PENDING = {
    Action.SURRENDER_FOR_DELIVERY: Status.PENDING_SURRENDER_FOR_DELIVERY,
    Action.SURRENDER_FOR_AMENDMENT: Status.PENDING_SURRENDER_FOR_AMENDMENT,
}


def after_steps(world: Reader, state: BillState, steps: tuple[Step, ...]) -> BillState:
    """The bill as a chain tells it on; of its status only an accepted surrender is settled here.

    Raises:
        errors.Refusal: A step is none that the rules of the bill allow.
    """
    for step in steps:
        state = _after(world, state, step)
    return state


def _after(world: Reader, state: BillState, step: Step) -> BillState:
    if not is_foreign(step.actor):
        raise _unlawful(state, step, f"{step.actor} is of this platform and signs here itself")
    if state.status is Status.SURRENDERED_FOR_DELIVERY:
        raise _unlawful(state, step, "an accepted surrender ends the chain")
    answers = step.action in (Action.SACC, Action.SREJ)
    if answers != (state.abroad.surrender is not None):
        waits = "no surrender waits" if answers else "a surrender waits for the carrier"
        raise _unlawful(state, step, waits)
    if answers:
        return _carrier_answered(state, step)
    if _place(step.actor) != _place(state.control.possessor):
        raise _unlawful(state, step, f"{state.control.possessor} possesses the bill")
    return _by_possessor(world, state, step)


def _by_possessor(world: Reader, state: BillState, step: Step) -> BillState:
    control = state.control
    match step.action:
        case Action.SIGN:
            return replaced(state, control=replaced(control, possessor=step.actor))
        case Action.TRANSFER:
            if state.kind is BillKind.STRAIGHT and _named(step) != state.consignee:
                raise _unlawful(state, step, f"a straight bill passes to {state.consignee} only")
            if _named(step) == state.carrier:
                raise _unlawful(state, step, "the carrier is asked by surrender, not by transfer")
            return replaced(state, control=replaced(control, possessor=_named(step)))
        case Action.ENDORSE | Action.ENDORSE_TO_ORDER:
            _require_endorser(state, step)
            endorsee = _named(step)
            _require_endorsee(world, state, endorsee)
            final = step.action is Action.ENDORSE
            title = Control(possessor=step.actor, title_holder=endorsee, final=final)
            return replaced(state, control=title)
        case Action.BLANK_ENDORSE:
            _require_endorser(state, step)
            return replaced(state, control=Control(possessor=step.actor, title_holder=None))
        case Action.SURRENDER_FOR_DELIVERY | Action.SURRENDER_FOR_AMENDMENT:
            _require_surrenderer(state, step)
            return replaced(
                state,
                control=replaced(control, possessor=state.carrier),
                surrendered_by=step.actor,
                abroad=replaced(state.abroad, surrender=_PENDING[step.action]),
            )
        case _:
            raise _unlawful(state, step, "it is no transaction between platforms")


def _carrier_answered(state: BillState, step: Step) -> BillState:
    if step.actor != state.carrier or _named(step) != state.surrendered_by:
        raise _unlawful(state, step, f"{state.carrier} answers {state.surrendered_by}")
    answered = replaced(state.abroad, surrender=None)
    if step.action is Action.SREJ:
        back = replaced(state.control, possessor=_named(step))
        return replaced(state, control=back, surrendered_by=None, abroad=answered)
    if state.abroad.surrender is not Status.PENDING_SURRENDER_FOR_DELIVERY:
        raise errors.NotSupported("amendment after surrender is not built")
    return replaced(state, status=Status.SURRENDERED_FOR_DELIVERY, abroad=answered)


def _require_endorser(state: BillState, step: Step) -> None:
    if state.kind is BillKind.STRAIGHT:
        raise _unlawful(state, step, "a straight bill is never endorsed")
    if state.control.title_holder not in (None, step.actor):
        raise _unlawful(state, step, f"it is to the order of {state.control.title_holder}")
    if state.control.final:
        raise _unlawful(state, step, f"{step.actor} received a final endorsement")


def _require_endorsee(world: Reader, state: BillState, endorsee: str) -> None:
    if endorsee == state.carrier:
        raise errors.BadRecipient(
            f"{endorsee} issued bill {state.reference} and cannot have title to it",
            pointer="/details/steps",
        )
    if not is_foreign(endorsee):
        issue.require_consent(world.party(endorsee), endorsee, state.rulebook)


def _require_surrenderer(state: BillState, step: Step) -> None:
    if _named(step) != state.carrier:
        raise _unlawful(state, step, f"{state.carrier} issued the bill")
    entitled = (
        step.actor in (state.shipper, state.consignee)
        if state.kind is BillKind.STRAIGHT
        else state.control.title_holder in (None, step.actor)
    )
    if not entitled:
        raise _unlawful(state, step, f"it is to the order of {state.control.title_holder}")


def _place(name: str) -> str | None:
    return platform_of(name) if is_foreign(name) else None


def _named(step: Step) -> str:
    if step.recipient is None:
        raise errors.BadChain(f"{step.action} by {step.actor} names no recipient")
    return step.recipient


def _unlawful(state: BillState, step: Step, why: str) -> errors.BadChain:
    return errors.BadChain(
        f"{step.action} by {step.actor} on bill {state.reference}: {why}", pointer="/details/steps"
    )
