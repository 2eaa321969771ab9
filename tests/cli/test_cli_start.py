"""Every command is there, documented alike, and loads no more than it needs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from bol_service.cli import output
from bol_service.cli.demo_platform import DemoFailed
from bol_service.cli.main import COMMANDS, cli
from bol_service.client import Refused
from tests.command_line import run

ROOT = Path(__file__).parents[2]
# None of them is needed to verify a file; each would cost its start a good part of a second.
HEAVY = {"flask", "sqlalchemy", "gunicorn", "flask_smorest", "alembic", "http.client", "rich"}
LOADED = """
import json, sys
from bol_service.cli.main import cli
try:
    cli(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(*arguments: object) -> tuple[int, set[str]]:
    """Exit code and the modules that a fresh process has loaded when the command has run."""
    words = [str(argument) for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, timeout=60
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run, with its full name."""

    def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if not isinstance(command, click.Group):
            yield name, command
            return
        for part in command.list_commands(click.Context(command)):
            child = command.get_command(click.Context(command), part)
            assert child is not None
            yield from below(f"{name} {part}".strip(), child)

    yield from below("", cli)


ALL = dict(commands())


def test_verifying_a_file_loads_neither_web_framework_nor_database_nor_network(
    tmp_path: Path,
) -> None:
    file = tmp_path / "x.ebl.json"
    file.write_text("{}")
    code, modules = loaded("verify", file)
    assert code == 1
    assert "bol_service.verification.verifier" in modules
    assert not modules & HEAVY
    assert "bol_service.client" not in modules


def test_the_help_of_verify_loads_neither_web_framework_nor_database() -> None:
    code, modules = loaded("verify", "--help")
    assert code == 0
    assert not modules & HEAVY


def test_the_list_of_commands_loads_none_of_them() -> None:
    code, modules = loaded("--help")
    assert code == 0
    ours = {name for name in modules if name.startswith("bol_service.")}
    assert ours == {"bol_service.cli", "bol_service.cli.main"}


def test_all_commands_of_the_issue_are_there() -> None:
    expected = "serve db seed demo keys party draft bill custody disclose "
    expected += "verify copy ledger carrier-gateway exchange webhooks send"
    assert list(COMMANDS) == expected.split()
    out = run("--help").out
    for name, entry in COMMANDS.items():
        assert f"  {name} " in out
        assert entry.help in out


def test_the_help_documents_the_exit_codes() -> None:
    out = run("--help").out
    for code in output.ExitCode:
        assert f"    {int(code)}  " in out


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_json_and_a_help_for_itself_and_each_option(name: str) -> None:
    command = ALL[name]
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert command.help
    assert "--json" in {flag for option in options for flag in option.opts}
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", ALL)
def test_every_help_page_opens_and_no_option_stands_for_two(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # click only warns about a name that is used twice
        ran = run(*name.split(), "--help")
    assert ran.code == 0
    names_of_our_code = re.findall(r"^  -\S.* (_[A-Z]+|[A-Z]+_BYTES)\b", ran.out, re.MULTILINE)
    assert names_of_our_code == []


GROUPS = (
    *("db", "keys", "party", "draft", "bill", "custody", "ledger", "ledger proof"),
    *("exchange", "webhooks"),
)


@pytest.mark.parametrize("name", GROUPS)
def test_no_line_of_a_list_of_commands_is_cut(name: str) -> None:
    out = run(*name.split(), "--help").out
    commands_part = out.partition("Commands:")[2]
    assert "..." not in commands_part


def test_an_unknown_command_is_wrong_use_and_the_likely_one_is_named() -> None:
    ran = run("bil", "show")
    assert ran.code == 2
    assert "No such command 'bil'. Did you mean 'bill'?" in ran.err
    assert "No such command 'whatever'" in run("whatever").err


WRONG_USE = {
    "a command that is not there": ("verfy", "x"),
    "an option that is not there": ("bill", "show", "X", "--colour"),
    "an argument that is missing": ("bill", "show"),
    "a value that is none": ("bill", "transfer", "X", "--to", "Bank CQ"),
    "options that do not go together": ("bill", "endorse", "X", "--to", "bankcq", "--blank"),
}


@pytest.mark.parametrize("words", WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_told_with_code_and_next_step_also_to_a_machine(
    words: tuple[str, ...],
) -> None:
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert "The command was used wrongly" in ran.err
    assert re.search(r"→ See: bol[a-z ]* --help\n  \(code usage\)", ran.err)
    told = run(*words, "--json")
    assert (told.code, told.problem()["code"]) == (2, "usage")
    assert told.problem()["detail"] in ran.err


def test_a_group_without_a_command_shows_its_help() -> None:
    ran = run("bill")
    assert ran.code == 2
    assert "Usage: bol bill" in ran.err


def test_what_is_not_set_up_tells_the_next_step() -> None:
    database = {"BOL_ORIGIN": "demo.x/y", "BOL_DATABASE_URL": "nonsense"}
    ran = run("ledger", "disputes", "--json", **database)
    assert ran.problem()["code"] == "not_set_up"
    assert "BOL_DATABASE_URL is sqlite:///PATH or" in ran.problem()["nextStep"]
    assert "Set what the message names" in run("ledger", "disputes").err
    key = {"BOL_URL": "http://127.0.0.1:9", "BOL_ORIGIN": "demo.x/y", "BOL_PARTY": "yunling"}
    assert "(--key or BOL_KEY)" in run("bill", "list", **key, BOL_KEY="file:/nowhere").err


def test_a_party_that_is_not_proven_is_told_which_options_say_who_asks() -> None:
    """The platform's own next step is about an assertion that no user of `bol` makes by hand."""
    problem = {"code": "not_authenticated", "status": 401, "detail": "k is no valid key of bankcq"}
    answer = output.failure(Refused({**problem, "nextStep": "Get an access token"}), as_json=False)
    assert answer is not None
    assert answer.exit_code == 1
    assert answer.problem["detail"] == problem["detail"]
    assert "--party and --key (BOL_PARTY, BOL_KEY)" in answer.problem["nextStep"]


def test_a_demonstration_that_does_not_start_says_why(tmp_path: Path) -> None:
    ran = run("seed", "--port", "70000", "--folder", tmp_path / "demo")
    assert ran.code == 2
    assert "70000 is not in the range" in ran.err
    answer = output.failure(DemoFailed("the server did not start: …"), as_json=True)
    assert answer is not None
    assert (answer.exit_code, answer.problem["code"]) == (1, "demo_failed")


def test_the_systemd_unit_starts_a_command_with_options_that_it_has() -> None:
    unit = (ROOT / "ops" / "systemd" / "bol.service").read_text(encoding="utf-8")
    [(name, given)] = re.findall(r"^ExecStart=\S+/bin/bol (\S+) (.*)$", unit, re.MULTILINE)
    options = {flag for param in ALL[name].params for flag in param.opts}
    assert {word for word in given.split() if word.startswith("-")} <= options


def test_the_version_is_told() -> None:
    assert "0.1.0" in run("--version").out


@pytest.mark.parametrize("name", sorted(output._NOT_SET_UP))
def test_every_fault_that_is_known_by_name_exists(name: str) -> None:
    module, _, fault = name.rpartition(".")
    assert issubclass(getattr(import_module(module), fault), Exception)


def test_an_error_of_ours_is_not_dressed_up_as_an_answer() -> None:
    assert output.failure(ZeroDivisionError(), as_json=False) is None
