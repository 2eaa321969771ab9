"""My keys as the ledger knows them: add one, replace the one that signs, revoke one.

1. Every act is signed with a key that counts; the operator cannot do it for a party (LR-86).
2. A new key is made in this browser when its act is checked, or on another computer, which shows a
   proof to bring here; the private half stays where it was made.
3. A party whose last key ends can sign nothing any more, not even a new key: it is told before.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, g, render_template, request

from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.domain.states import KeyRecord, PartyState
from bol_service.portal.acts import Makes, check_page
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Choice, Field, Given, Json, read
from bol_service.portal.language import t
from bol_service.portal.session import me, signed_in
from bol_service.wire.event_fields import instant

_ACTIONS: Final = {"add": Action.ADD_KEY, "rotate": Action.ROTATE_KEY}
_HERE: Final = ("Ed25519", "ES256")
_ELSEWHERE: Final = "elsewhere"
_BACK: Final = "/portal/keys"

blueprint = Blueprint("portal_key_acts", __name__)


@blueprint.get("/keys/<any(add, rotate):what>")
@signed_in
def ask_new(what: str) -> str:
    """Where the new key is made, and from when to when it counts."""
    action = _ACTIONS[what]
    return _form(action, _new_fields(action), Given({"made": _HERE[0]}), Answers())


@blueprint.post("/keys/<any(add, rotate):what>")
@signed_in
def check_new(what: str) -> str | tuple[str, int]:
    """The check page of a new key, or the questions again with what is wrong."""
    action = _ACTIONS[what]
    fields = _new_fields(action)
    given, faults = read(fields, request.form)
    made = given.pop("made", "")
    proof = given.pop("proof", None)
    if made == _ELSEWHERE and not faults:
        given, faults = _with_proof(given, proof)
    if _ends_before_it_begins(given):
        faults["validUntil"] = "fault.order"
    answers = Answers(details=given, faults=faults)
    if made == _ELSEWHERE and not faults:
        answers.check(action)
    if answers.faults:
        return _form(action, fields, request.form, answers), 422
    return _check(action, answers.details, alg="" if made == _ELSEWHERE else made)


@blueprint.get("/keys/<string:kid>/revoke")
@signed_in
def ask_revoke(kid: str) -> str:
    """Why a key is revoked."""
    key = _own(kid)
    return _form(Action.REVOKE_KEY, _revoke_fields(), Given(), Answers(), key)


@blueprint.post("/keys/<string:kid>/revoke")
@signed_in
def check_revoke(kid: str) -> str | tuple[str, int]:
    """The check page of revoking a key, or the questions again with what is wrong."""
    key = _own(kid)
    given, faults = read(_revoke_fields(), request.form)
    answers = Answers(details={"kid": kid, **given}, faults=faults)
    if not faults:
        answers.check(Action.REVOKE_KEY)
    if answers.faults:
        return _form(Action.REVOKE_KEY, _revoke_fields(), request.form, answers, key), 422
    return _check(Action.REVOKE_KEY, answers.details)


def _check(action: Action, details: Json, alg: str = "") -> str:
    stream = f"party:{g.party}"
    return check_page(
        action,
        stream,
        after=desk().queries.head(stream, g.party),
        details=details,
        back=_BACK,
        makes=None if action is Action.REVOKE_KEY else Makes(kind="key", alg=alg),
    )


def _ends_before_it_begins(given: Json) -> bool:
    both = {"validFrom", "validUntil"} <= given.keys()
    return both and instant(given["validFrom"]) >= instant(given["validUntil"])


def _own(kid: str) -> KeyRecord:
    key = me().key(kid)
    if key is None or key.ended is not None:
        raise errors.NotFound(f"no key {kid} of yours that could be revoked")
    return key


def _new_fields(action: Action) -> tuple[Field, ...]:
    made: tuple[Choice, ...] = (
        *((alg, t("keys.made_here", alg=alg)) for alg in _HERE),
        (_ELSEWHERE, t("keys.made_elsewhere")),
    )
    # A key that replaces another counts at once: between the two the party could sign nothing.
    later = Field(name="validFrom", kind="moment", required=False)
    return (
        Field(name="made", kind="choice", choices=made),
        Field(name="proof", kind="long", required=False, limit=4000),
        *((later,) if action is Action.ADD_KEY else ()),
        Field(name="validUntil", kind="moment", required=False),
    )


def _revoke_fields() -> tuple[Field, ...]:
    return (
        Field(name="reason", kind="long"),
        Field(name="compromisedSince", kind="moment", required=False),
    )


def _with_proof(given: Json, proof: str | None) -> tuple[Json, dict[str, str]]:
    """The key and proof that another computer shows, as JSON."""
    try:
        value: Any = strictjson.loads_event((proof or "").encode("utf-8"))
    except strictjson.BadJson:
        return given, {"proof": "fault.proof"}
    if not isinstance(value, dict) or not {"key", "keyProof"} <= value.keys():
        return given, {"proof": "fault.proof"}
    if value.get("party", g.party) != g.party:
        return given, {"proof": "fault.other_party"}
    return {**given, "key": value["key"], "keyProof": value["keyProof"]}, {}


def _form(
    action: Action,
    fields: tuple[Field, ...],
    given: Given,
    answers: Answers,
    key: KeyRecord | None = None,
) -> str:
    explanation = t(f"explain.{action}")
    if key is not None:
        explanation = f"{explanation} {t('keys.fingerprint')}: {key.kid}."
        if _is_last(me(), key):
            explanation = f"{explanation} {t('keys.last')}"
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=explanation,
        back=_BACK,
        back_words=t("nav.keys"),
        fields=fields,
        given=given,
        faults=answers.faults,
    )


def _is_last(party: PartyState, key: KeyRecord) -> bool:
    now = desk().clock.now()
    return not any(one.counts_at(now) for one in party.keys if one.kid != key.kid)
