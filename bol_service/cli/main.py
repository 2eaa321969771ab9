"""`bol`: one entry, and modules that are loaded when they are used.

`bol verify` has to start at once on a clerk's machine, so the commands and their one-line helps
stand here as text; the module behind a command is imported when it runs. Failures become one
answer with one exit code here, for all commands alike (see `output.ExitCode`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

EXIT_CODES = """\b
Exit codes:
  0  done; the file is valid
  1  refused, not confirmed, or not genuine
  2  the command was used wrongly, or a file cannot be opened
  3  cannot say: not known to be current, not verified, or the outcome is uncertain
  4  not set up: a setting, key file or database is missing

\b
Settings (each also an option): BOL_URL, BOL_ORIGIN, BOL_PARTY, BOL_KEY, BOL_KEY_PASSPHRASE or
BOL_KEY_PASSPHRASE_FILE. Colours follow NO_COLOR. Nothing is asked without a terminal.
"""


@dataclass(frozen=True)
class Lazy:
    """Where a command lives (`module:name`) and what it does, told without importing it."""

    target: str
    help: str


COMMANDS = {
    "serve": Lazy("bol_service.cli.serve:serve", "Run the service."),
    "db": Lazy("bol_service.cli.database:db", "Create and upgrade the database."),
    "seed": Lazy("bol_service.cli.demo:seed", "Fill a demo platform with the corridor's parties."),
    "demo": Lazy("bol_service.cli.demo:demo", "Play a whole voyage, with its frauds refused."),
    "keys": Lazy("bol_service.cli.keys:keys", "Make keys and show their public half."),
    "party": Lazy("bol_service.cli.party:party", "Register parties; manage keys and mandates."),
    "draft": Lazy("bol_service.cli.draft:draft", "Book, instruct, publish and approve drafts."),
    "bill": Lazy("bol_service.cli.bill:bill", "Issue, endorse, transfer and surrender bills."),
    "custody": Lazy("bol_service.cli.custody:custody", "Sign where each container is."),
    "disclose": Lazy(
        "bol_service.cli.disclose:disclose", "Disclose single fields of a bill, offline."
    ),
    "verify": Lazy("bol_service.cli.verify:verify", "Verify evidence files, offline."),
    "copy": Lazy("bol_service.cli.copy:copy", "Print a bill from its evidence, as PDF."),
    "ledger": Lazy("bol_service.cli.ledger:ledger", "Check the log: checkpoint, proofs, audit."),
    "carrier-gateway": Lazy(
        "bol_service.cli.carrier_gateway:carrier_gateway",
        "Serve a carrier's DCSA system with the carrier's key.",
    ),
    "exchange": Lazy(
        "bol_service.cli.exchange:exchange", "See what leaves for and comes from other platforms."
    ),
    "webhooks": Lazy("bol_service.cli.webhooks:webhooks", "Have your notices sent to you."),
    "send": Lazy("bol_service.cli.signing:send", "Send a signed event, again where in doubt."),
}


class LazyGroup(click.Group):
    """Knows its commands by name; imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            for meant in get_close_matches(cmd_name, COMMANDS, n=1):
                ctx.fail(f"No such command {cmd_name!r}. Did you mean {meant!r}?")
            return None
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Notes whether JSON is wanted, for whom the command's own words stop before that."""
        ctx.meta["bol.json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; known failures leave as an answer with an exit code."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from bol_service.cli.output import failure

            answer = failure(error, as_json=bool(ctx.meta.get("bol.json")))
            if answer is None:
                raise
            raise answer from error


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="bol-service")
def cli() -> None:
    """Electronic bills of lading (电子提单): sign, send, read, verify."""


def main() -> None:
    """Entry of the `bol` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese still reads
    cli(prog_name="bol")
