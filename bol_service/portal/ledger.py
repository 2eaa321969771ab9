"""The ledger's health: how long it is, what was signed last, who cosigned it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from bol_service.application.ledger_queries import NotInLog
from bol_service.ledger.checkpoint import Checkpoint, parse_checkpoint
from bol_service.ledger.note import Note, parse_note
from bol_service.portal.desk import desk
from bol_service.portal.session import signed_in

blueprint = Blueprint("portal_ledger", __name__)


@dataclass(frozen=True, kw_only=True)
class Head:
    note: Note
    checkpoint: Checkpoint
    text: str


@blueprint.get("/ledger")
@signed_in
def show_ledger() -> str:
    """The log as it stands; the same facts are public under /ledger/."""
    cosigning = desk().cosigning
    return render_template(
        "portal/ledger.html",
        size=desk().ledger.size(),
        head=head(),
        lags=cosigning.lags() if cosigning is not None else (),
        halted=cosigning.halted if cosigning is not None else None,
        cosigned=cosigning is not None,
        log_keys=desk().trust.log_keys,
        now=desk().clock.now(),
    )


def head() -> Head | None:
    """The last signed checkpoint, None while there is none."""
    try:
        text = desk().ledger.checkpoint()
    except NotInLog:
        return None
    note = parse_note(text)
    return Head(note=note, checkpoint=parse_checkpoint(note.text), text=text)
