"""How everything is printed: for a person, or as one JSON value for a machine.

1. Results go to stdout, problems and remarks to stderr. With `--json` stdout gets exactly one JSON
   value, or else stderr gets the problem as one JSON value.
2. A problem tells what it is, the detail with both values, what to do next, and its stable code.
3. Text that came from a file or from the network is shown with control and reordering characters
   spelled out: no file can move the cursor or forge a verdict on the reader's screen.
4. Colour only ever repeats what a word and a symbol say already; NO_COLOR and pipes get none.
5. Every command ends with one of `ExitCode`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import IO, Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

PLAIN_WIDTH: Final = 120
_JSON: Final = "bol.json"
_ASKED_FOR_HELP: Final = "click.exceptions.NoArgsIsHelpError"
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
# Answers after which nobody knows whether the act was recorded, or that may pass by waiting.
_TRANSIENT_STATUS = frozenset({429, 500, 502, 503, 504})


class ExitCode(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNCERTAIN = 3
    NOT_SET_UP = 4


class Failure(click.ClickException):
    """A problem as RFC 9457 writes it, with the exit code that it means."""

    def __init__(
        self, problem: dict[str, Any], exit_code: ExitCode, *, as_json: bool = False
    ) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or "failed"))
        self.problem = problem
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        if self.as_json:
            click.echo(json.dumps(self.problem, ensure_ascii=False), file=file, err=True)
            return
        for line in problem_lines(self.problem):
            click.echo(line, file=file, err=True, color=colour())


class NotSetUp(Failure):
    """A setting is missing; `remedy` says which option or variable to give."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(
            {"title": "Not set up", "code": "not_set_up", "detail": detail, "nextStep": remedy},
            ExitCode.NOT_SET_UP,
        )


class Stopped(Failure):
    """The command itself finds that it must not go on."""

    def __init__(self, title: str, detail: str, remedy: str, code: str) -> None:
        super().__init__(
            {"title": title, "code": code, "detail": detail, "nextStep": remedy}, ExitCode.REFUSED
        )


# -- one value or words --------------------------------------------------------------------------


def json_option(command: F) -> F:
    """`--json`, remembered for the whole call."""

    def remember(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        ctx.meta[_JSON] = value

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=remember,
        help="Print one JSON value instead of text.",
    )(command)


def wants_json() -> bool:
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_JSON))


def show(value: Any, human: Callable[[], None]) -> None:
    """Print `value` as JSON if that was asked for, otherwise let `human` print it."""
    if wants_json():
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        human()


def say(text: str = "") -> None:
    click.echo(visible(text), color=colour())


def remark(text: str) -> None:
    """A sentence beside the result, on stderr; a machine gets none."""
    if not wants_json():
        click.echo(visible(text), err=True, color=colour())


def warn(text: str) -> None:
    """What a person should think of; a machine gets none."""
    if wants_json():
        return
    click.echo(
        f"{click.style('! warning:', fg='yellow')} {visible(text)}", err=True, color=colour()
    )


def is_interactive() -> bool:
    """Whether a person can be asked: both the keyboard and the screen are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def colour() -> bool | None:
    """For click: False switches colour off, None leaves it to the kind of output."""
    return False if os.environ.get("NO_COLOR") else None


def visible(text: object) -> str:
    """Text with the characters that a terminal would obey, or hide, spelled out."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def one_line(text: object) -> str:
    return visible(text).replace("\n", " ").replace("\t", " ")


# -- tables --------------------------------------------------------------------------------------


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Rows under headings; `empty` is said when there are none."""
    listed = [[one_line("" if cell is None else cell) for cell in row] for row in rows]
    if not listed:
        say(empty)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in listed:
        grid.add_row(*(Text(cell) for cell in row))
    _print(grid)


def facts(pairs: Iterable[tuple[str, object]], *, err: bool = False) -> None:
    """Names and values, one pair a line; pairs without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", []):
            grid.add_row(Text(name, style="dim"), Text(visible(value)))
    _print(grid, err=err)


def _print(renderable: Any, *, err: bool = False) -> None:
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    console = Console(
        file=stream,
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )
    console.print(renderable)


# -- problems ------------------------------------------------------------------------------------


def problem_lines(problem: dict[str, Any]) -> list[str]:
    """A problem for a person: title, detail, members at fault, next step, code."""
    title = one_line(problem.get("title") or "The platform refused")
    lines = [click.style(f"✗ {title}", fg="red", bold=True)]
    detail = problem.get("detail")
    if detail and detail != problem.get("title"):
        lines.append(f"  {visible(detail)}")
    if problem.get("pointer"):
        lines.append(f"  at {one_line(problem['pointer'])}")
    for entry in problem.get("errors") or []:
        place = one_line(entry.get("pointer") or "the document")
        lines.append(f"  - {place}: {one_line(entry.get('message'))}")
    if problem.get("nextStep"):
        lines.append(f"  → {visible(problem['nextStep'])}")
    named = [
        f"{word} {one_line(problem[name])}"
        for name, word in (("code", "code"), ("requestId", "request"))
        if problem.get(name)
    ]
    return [*lines, f"  ({', '.join(named)})"] if named else lines


_OF_DATABASE: Final = (
    "BOL_DATABASE_URL is sqlite:///PATH or postgresql+psycopg://…; see that what it names is there "
    "and answers."
)
_OPERATIONS: Final = "Do what the message says; docs/operations.md tells more."
_NOT_SET_UP: Final = {
    "bol_service.crypto.signers.KeyFileError": (
        "Look at the key that the message names (--key or BOL_KEY) and at its passphrase "
        "(BOL_KEY_PASSPHRASE or BOL_KEY_PASSPHRASE_FILE)."
    ),
    "bol_service.settings.SettingsError": (
        "Set what the message names; docs/operations.md lists all settings."
    ),
    "bol_service.storage.store.WrongDatabase": _OPERATIONS,
    "bol_service.storage.schema.SchemaError": _OPERATIONS,
    "bol_service.storage.held_file.DatabaseBusy": _OPERATIONS,
    "bol_service.application.ports.Unavailable": (
        "See that what BOL_DATABASE_URL names answers, then start again."
    ),
    "bol_service.gateway.state.StateError": (
        "Do what the message says, or give another folder to --state."
    ),
    "bol_service.application.startup.RollbackSuspected": (
        "Sign nothing with this database; docs/operations.md, Restore."
    ),
    "sqlalchemy.exc.ArgumentError": _OF_DATABASE,
    "sqlalchemy.exc.OperationalError": _OF_DATABASE,
}


def failure(error: Exception, *, as_json: bool) -> Failure | None:
    """The answer for an error that a command let pass; None for one that is a fault of ours.

    Classes are known by name, so that a command that needs no database does not import one.
    """
    if isinstance(error, Failure):
        error.as_json = as_json
        return error
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__]
    if isinstance(error, click.UsageError) and _ASKED_FOR_HELP not in names:
        return Failure(_misuse(error), ExitCode.USAGE, as_json=as_json)
    remedy = next((_NOT_SET_UP[name] for name in names if name in _NOT_SET_UP), None)
    if remedy is not None:
        missing = NotSetUp(str(error).split("\n")[0], remedy)
        missing.as_json = as_json
        return missing
    if "bol_service.client.Refused" in names:
        answered = _for_the_command_line(getattr(error, "problem", {}))
        return Failure(answered, _exit_code(answered), as_json=as_json)
    if "bol_service.client.Unreachable" in names:
        return Failure(_unreachable(error), ExitCode.UNCERTAIN, as_json=as_json)
    if "bol_service.wire.document.DocumentError" in names:
        return Failure(_bad_document(error), ExitCode.REFUSED, as_json=as_json)
    if "bol_service.cli.demo_platform.DemoFailed" in names:
        return Failure(_demo_failed(error), ExitCode.REFUSED, as_json=as_json)
    return None


def told() -> Callable[[Exception], bool]:
    """For a process that goes on in another one: shows an error there that this command would have
    answered with, and says whether it did."""
    as_json = wants_json()

    def tell(error: Exception) -> bool:
        answer = failure(error, as_json=as_json)
        if answer is not None:
            answer.show()
        return answer is not None

    return tell


def is_transient(problem: dict[str, Any]) -> bool:
    """Whether the same request may succeed, or have succeeded, when it is sent again."""
    return problem.get("status") in _TRANSIENT_STATUS


def _exit_code(problem: dict[str, Any]) -> ExitCode:
    return ExitCode.UNCERTAIN if is_transient(problem) else ExitCode.REFUSED


def _unreachable(error: Exception) -> dict[str, Any]:
    return {
        "title": "The platform did not answer",
        "code": "unreachable",
        "detail": str(error),
        "nextStep": "Check the address (BOL_URL, if none was given) and the network, then try "
        "again.",
    }


def _misuse(error: click.UsageError) -> dict[str, Any]:
    path = error.ctx.command_path if error.ctx is not None else "bol"
    return {
        "title": "The command was used wrongly",
        "code": "usage",
        "detail": error.format_message(),
        "nextStep": f"See: {path} --help",
    }


def _for_the_command_line(problem: dict[str, Any]) -> dict[str, Any]:
    """Here nobody makes the assertion that the platform found wrong by hand."""
    if problem.get("code") != "not_authenticated":
        return problem
    step = (
        "Check --party and --key (BOL_PARTY, BOL_KEY), and the clock of this machine; "
        "bol party show SLUG lists a party's keys."
    )
    return {**problem, "nextStep": step}


def _demo_failed(error: Exception) -> dict[str, Any]:
    return {
        "title": "The demonstration did not start",
        "code": "demo_failed",
        "detail": str(error),
        "nextStep": "Mend what it names; another port is given with --port.",
    }


def _bad_document(error: Exception) -> dict[str, Any]:
    found = [
        {"pointer": entry.pointer, "rule": entry.rule, "message": entry.message}
        for entry in getattr(error, "problems", [])
    ]
    return {
        "title": "The document breaks rules of the standard",
        "code": "bad_document",
        "detail": f"{len(found)} rules are broken; nothing was sent",
        "nextStep": "Correct every member that is named and try again.",
        "errors": found,
    }
