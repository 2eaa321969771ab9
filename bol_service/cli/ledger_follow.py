"""`bol ledger follow`: a monitor of somebody's log, which needs no account there.

It ends with 1 at the first alarm, and leaves both signed notes beside the state file: whoever has
them can convict the log without believing the monitor. A log that does not answer is no alarm.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from bol_service.application.following import Alarm, Follower, Visit
from bol_service.cli import parameters
from bol_service.cli.ledger_head import log_key_options, log_keys
from bol_service.cli.output import (
    ExitCode,
    Failure,
    NotSetUp,
    is_interactive,
    json_option,
    say,
    show,
    warn,
)
from bol_service.client import Client, Refused, Unreachable
from bol_service.ledger.note import VerifierKey
from bol_service.storage.follow_state import FileFollowState, FollowStateError

Json = dict[str, Any]

_MISBEHAVED: Final = (
    "the log does not hold what it promises",
    "Keep {path}: it holds what the log signed. Tell the other parties, and compare with theirs.",
)
_TOLD: Final = {
    "new_key": (
        "a key has been registered in a watched party's name",
        "If the party says that the key is its own, give it with --known-key from now on. If not, "
        "let it revoke the key at once (bol party revoke-key), and keep {path}.",
    ),
    "bad_checkpoint": (
        "the log's head is not signed by a key that you trust",
        "If the log has changed its key, give the new verifier key too, from where the platform "
        "publishes its trust file, not from its pages. Otherwise keep {path} and tell the others.",
    ),
    "other_log": (
        "this is another log than the one that was followed",
        "Look at the address and at --state. If both are right, keep {path} and tell the others.",
    ),
    "rollback": (
        "the log is shorter than it was",
        "Ask again in a minute: a cache may have been late. If it stays so, keep {path}: what the "
        "log signed is gone. Tell the other parties and the operator.",
    ),
}


class HttpLog:
    """Implements `application.following.LogSource`."""

    def __init__(self, url: str) -> None:
        self._client = Client(base_url=url.rstrip("/"), origin="")

    def checkpoint(self) -> str:
        return self._client.fetch("/ledger/checkpoint").content.decode("utf-8", "replace")

    def consistency(self, old: int, new: int) -> list[str]:
        answer = self._client.get(f"/ledger/proof/consistency/{old}/{new}")
        return [str(item) for item in answer.get("proof") or ()]

    def tile(self, path: str) -> bytes:
        return self._client.fetch(f"/ledger/{path}").content

    def party(self, slug: str) -> Json | None:
        try:
            found: Json = self._client.get(f"/v1/parties/{quote(slug, safe='')}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return found


@click.command()
@click.argument("url")
@log_key_options
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that remembers what was seen; one per log.",
)
@click.option(
    "--watch",
    multiple=True,
    type=parameters.slug,
    metavar="PARTY",
    help="Alarm on new keys registered in this party's name.",
)
@click.option(
    "--known-key",
    "known_keys",
    multiple=True,
    type=parameters.kid,
    metavar="KID",
    help="A key that a watched party registered itself.",
)
@click.option("--once", is_flag=True, help="One visit, then end.")
@click.option(
    "--interval",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=1.0),
    help="Seconds between visits.",
)
@json_option
def follow(
    url: str,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
    state: Path,
    watch: tuple[str, ...],
    known_keys: tuple[str, ...],
    once: bool,
    interval: float,
) -> None:
    """Watch the log at URL and raise the alarm when it misbehaves.

    Keeps the last checkpoint, checks that the log only grew, rebuilds its tree from the public
    entries, and finds streams that fork. Exit 1 is an alarm; the evidence is left beside the state
    file.
    """
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp("nothing says which key is the log's", "Give --vkey or --trust.")
    try:
        memory = FileFollowState(state)
    except FollowStateError as error:
        raise NotSetUp(str(error), "Give --state another file.") from None
    follower = Follower(
        HttpLog(url), memory, keys, watch=watch, known_keys=known_keys, progress=_progress
    )
    try:
        _visit(follower, state, patient=not once)
        while not once:
            time.sleep(interval)
            _visit(follower, state, patient=True)
    finally:
        memory.close()


def _visit(follower: Follower, state: Path, *, patient: bool) -> None:
    try:
        visit = follower.visit()
    except Alarm as alarm:
        raise _alarmed(alarm, state) from None
    except (Unreachable, Refused) as error:
        if not patient:
            raise
        warn(f"not seen this time: {error}")
        return
    value = {
        "origin": visit.checkpoint.origin,
        "size": visit.checkpoint.size,
        "before": visit.before,
        "root": visit.checkpoint.root.hex(),
        "acts": [
            {"party": party, "sequence": sequence, "index": index}
            for party, sequence, index in visit.acts
        ],
        "notedParties": list(visit.new_parties),
        "notedKeys": visit.new_parties,
    }
    show(value, lambda: _tell(visit))


def _tell(visit: Visit) -> None:
    head = visit.checkpoint
    say(
        f"✓ {head.origin}: {head.size} entries, {head.size - visit.before} of them new; the tree "
        "continues the one kept, no stream forks"
    )
    for party, kids in visit.new_parties.items():
        say(f"  {party} is watched from now on; {_noted(kids)}")
    for party, sequence, index in visit.acts:
        say(f"  {party} has event {sequence} in its own stream, entry {index}")


def _noted(kids: list[str]) -> str:
    if not kids:
        return "it has no key yet, and its first one will be an alarm"
    return f"the keys it has today count as its own, let it compare them: {', '.join(kids)}"


def _alarmed(alarm: Alarm, state: Path) -> Failure:
    evidence = {
        "code": alarm.code,
        "message": str(alarm),
        "kept": alarm.kept,
        "served": alarm.served,
        "proof": list(alarm.proof),
    }
    content = json.dumps(evidence, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    digest = hashlib.sha256(content.encode("utf-8")).hexdigest()
    path = state.with_name(f"{state.name}.alarm-{digest[:12]}.json")
    path.write_text(content, encoding="utf-8")
    title, remedy = _TOLD.get(alarm.code, _MISBEHAVED)
    problem = {
        "title": f"ALARM: {title}",
        "code": alarm.code,
        "detail": str(alarm),
        "evidence": str(path),
        "nextStep": remedy.format(path=path),
    }
    return Failure(problem, ExitCode.REFUSED)


def _progress(done: int, total: int) -> None:
    if is_interactive():
        click.echo(f"\r{done} of {total} entries", nl=done >= total, file=sys.stderr)
