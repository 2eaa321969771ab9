"""`bol ledger disputes`: what was refused to other logs that this platform witnesses.

A checkpoint stands here when its log signed it and it was not shown to continue the one that we
cosigned. Two of one size with different roots are a fork: the two notes prove it to anybody who has
the log's key. Whatever else stands here may be a stranger's useless proof.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from bol_service.application.witness_ports import Dispute
from bol_service.cli.ledger_check import opened_store
from bol_service.cli.output import ExitCode, json_option, remark, say, show, visible
from bol_service.settings import database_only
from bol_service.storage.witnessing import SqlWitnessing
from bol_service.wire.event_fields import instant_text

Json = dict[str, Any]
_SAID = {
    True: "FORK: the log has signed two histories",
    False: "unproven: no proof came that it continues what was cosigned",
}
_NEXT = (
    "A fork: keep both notes, stop relying on that log, tell its operator, its parties and its "
    "other witnesses. Unproven alone: ask the log itself for its checkpoint and compare."
)


@click.command()
@json_option
@click.pass_context
def disputes(ctx: click.Context) -> None:
    """List what we refused to cosign of logs that we witness.

    With both signed notes. Reads BOL_ORIGIN and BOL_DATABASE_URL. Ends with 1 if a fork is among
    them.
    """
    origin, url = database_only(os.environ)
    with opened_store(origin, url, alone=False, guarded=False) as store:
        found = SqlWitnessing(store).disputes()
    show([_value(each) for each in found], lambda: _tell(found))
    has_fork = any(each.is_fork for each in found)
    ctx.exit(ExitCode.REFUSED if has_fork else ExitCode.DONE)


def _value(dispute: Dispute) -> Json:
    return {
        "origin": dispute.origin,
        "size": dispute.size,
        "root": dispute.root.hex(),
        "fork": dispute.is_fork,
        "at": instant_text(dispute.at),
        "kept": dispute.kept,
        "offered": dispute.offered,
    }


def _tell(found: Sequence[Dispute]) -> None:
    if not found:
        say("no checkpoint of a log that we witness was refused")
        return
    for each in found:
        say(f"{instant_text(each.at)}  {visible(each.origin)}  {_SAID[each.is_fork]}")
        for name, note in (("cosigned by us", each.kept), ("offered", each.offered)):
            say(f"  {name}:")
            for line in (note or "nothing yet\n").splitlines():
                say(f"    {visible(line)}")
    remark(_NEXT)
