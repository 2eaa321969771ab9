"""The signing desk: from what is meant to what is signed, sent and receipted.

1. The payload is written here, after the stream's present head, in its one canonical form.
2. `--dry-run` prints exactly those bytes and stops; nothing is uploaded or sent.
3. On a terminal the person first reads what it will sign, in words, and confirms; `--yes` skips it.
4. An act whose outcome is not known is kept in a file: sending the same bytes again is safe and
   gives the first receipt, while signing anew could do the act twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click

from bol_service.cli import parameters, words
from bol_service.cli.context import Connection, all_options, public
from bol_service.cli.lookalikes import warn_of_lookalikes
from bol_service.cli.output import (
    F,
    Failure,
    facts,
    failure,
    is_interactive,
    is_transient,
    say,
    show,
    visible,
    wants_json,
    warn,
)
from bol_service.client import Client, Refused, Unreachable
from bol_service.crypto import strictjson
from bol_service.domain.events import Action
from bol_service.wire import drafting

Json = dict[str, Any]
Receipt = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One act to be signed; `words` tells what it does, `opens` that it begins its stream."""

    action: Action
    stream: str
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)
    recipient: str | None = None
    opens: bool = False

    def receivers(self) -> set[str]:
        """Who gets something by it."""
        named = {self.recipient, self.details.get("transferTo"), self.details.get("issueTo")}
        return {slug for slug in named if slug is not None}


@dataclass(kw_only=True)
class Desk:
    """Where a command signs: who, with which key, and how careful."""

    connection: Connection
    dry_run: bool
    yes: bool
    receipt_file: Path | None

    @cached_property
    def client(self) -> Client:
        return self.connection.actor()

    @property
    def me(self) -> str:
        return self.connection.me()

    @property
    def asks(self) -> bool:
        """Whether a person will be asked to confirm, and so wants to see what it signs."""
        return not self.dry_run and not self.yes and is_interactive()

    def sign(
        self,
        *intents: Intent,
        told: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """Sign and send the acts in their order; stops at the first that is refused.

        `told` is printed beside the receipts (ids and codes that the command made), `prepare` runs
        after the confirmation and before the first act (uploads).
        """
        payloads = [self._payload(intent) for intent in intents]
        warn_of_lookalikes(self.client, {who for intent in intents for who in intent.receivers()})
        if self.dry_run:
            _print_payloads(payloads)
            return
        self._confirm(intents)
        if prepare is not None:
            prepare()
        receipts: list[Receipt] = []
        try:
            for payload in payloads:
                receipts.append(self._send(payload, told or {}))  # noqa: PERF401 - kept if one fails
        finally:
            if receipts:
                self._keep(receipts)
                _tell(intents, receipts, told or {})

    def _payload(self, intent: Intent) -> bytes:
        return self.client.draft_event(
            str(intent.action),
            intent.stream,
            intent.details,
            recipient=intent.recipient,
            after=None if intent.opens else "read",
        )

    def _confirm(self, intents: tuple[Intent, ...]) -> None:
        if not self.asks:
            return
        key = self.connection.key
        lines = [f"You sign as {self.me}, with {key}, on {self.client.origin}:", ""]
        for intent in intents:
            lines += [f"  {words.both(words.ACTIONS, intent.action)}", f"    {intent.words}"]
        lines += ["", "This is a legal act of your party; it cannot be undone. 签署后不可撤销。"]
        for line in lines:
            click.echo(visible(line), err=True)
        click.confirm("Sign and send?", abort=True, err=True)

    def _send(self, payload: bytes, told: Mapping[str, str]) -> Receipt:
        signer = self.client.signer
        assert signer is not None  # Connection.actor gives one
        compact = drafting.sign(payload, signer)
        try:
            return self.client.send(compact)
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and not is_transient(error.problem):
                raise
            raise _uncertain(error, payload, compact, told) from error

    def _keep(self, receipts: list[Receipt]) -> None:
        if self.receipt_file is None:
            return
        value = receipts[0] if len(receipts) == 1 else receipts
        try:
            self.receipt_file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            warn(f"recorded, but {self.receipt_file} cannot be written: {error.strerror}")


def _print_payloads(payloads: list[bytes]) -> None:
    lines = [payload.decode("utf-8") for payload in payloads]
    if wants_json() and len(lines) > 1:
        click.echo(f"[{','.join(lines)}]")
        return
    for line in lines:
        click.echo(line)


def _uncertain(
    error: Refused | Unreachable, payload: bytes, compact: str, told: Mapping[str, str]
) -> Failure:
    answer = failure(error, as_json=False)
    assert answer is not None  # both classes are known to `failure`
    name = f"unsent-{json.loads(payload)['id']}.jws"
    try:
        Path(name).write_text(f"{compact}\n", encoding="ascii")
    except OSError:
        name = compact
    made = "".join(f" Keep this: {label} {value}." for label, value in told.items())
    answer.problem["nextStep"] = (
        f"It is not known whether the act was recorded. Send the very same bytes again, do not "
        f"sign anew: bol send {name}{'.' if made else ''}{made}"
    )
    return answer


def _tell(intents: tuple[Intent, ...], receipts: list[Receipt], told: Mapping[str, str]) -> None:
    def human() -> None:
        for intent, receipt in zip(intents, receipts, strict=False):
            say(f"✓ recorded: {words.both(words.ACTIONS, intent.action)}")
            say(f"  {intent.words}")
            facts(receipt_facts(receipt))
        if told:
            facts(told.items())

    show({"receipts": receipts, **told}, human)


def receipt_facts(receipt: Receipt) -> list[tuple[str, object]]:
    """What a person is told of a receipt."""
    place = f"entry {receipt['index']} of the log, {receipt['sequence']} of {receipt['stream']}"
    return [("  at", receipt["recordedAt"]), ("  place", place), ("  head", receipt["head"])]


# -- options and the command `send` --------------------------------------------------------------


def signing(command: F) -> Callable[..., Any]:
    """A command that signs: its first argument is the `Desk`."""

    @click.option("--dry-run", is_flag=True, help="Print the exact payload; sign and send nothing.")
    @click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
    @click.option(
        "--receipt-out",
        "receipt_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the receipt to this file; it proves that the log holds the act.",
    )
    @wraps(command)
    def run(
        connection: Connection,
        *args: Any,
        dry_run: bool,
        yes: bool,
        receipt_file: Path | None,
        **options: Any,
    ) -> Any:
        desk = Desk(connection=connection, dry_run=dry_run, yes=yes, receipt_file=receipt_file)
        return command(desk, *args, **options)

    return all_options(run)


@click.command()
@click.argument("file", type=parameters.file_bytes)
@public
def send(connection: Connection, file: bytes) -> None:
    """Send a signed event, again where in doubt.

    FILE holds the compact JWS; `-` is stdin. A resend is safe: the platform answers with the
    first receipt.
    """
    try:
        compact = file.decode("ascii").strip()
    except UnicodeDecodeError:
        raise click.UsageError("the file holds no signed event: it is not ASCII") from None
    receipt = connection.public().send(compact)

    def human() -> None:
        say("✓ recorded")
        facts(receipt_facts(receipt))

    show({"receipts": [receipt]}, human)


def payload_of(compact: str) -> Json:
    """The payload inside a compact JWS, unverified: for display only."""
    from bol_service.crypto import base64url

    value = strictjson.loads_event(base64url.decode(compact.split(".")[1]))
    return value if isinstance(value, dict) else {}
