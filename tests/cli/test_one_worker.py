"""What `bol serve` and `bol carrier-gateway` do in their worker: open, be refused, close."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bol_service.application.ports import Unavailable
from bol_service.cli.output import json_option, told
from bol_service.gateway.state import StateError
from bol_service.one_worker import NOT_SET_UP, OneWorker, Start, Told


def worker(start: Start, told: Told = lambda _: False) -> OneWorker:
    return OneWorker({}, start, told=told, ready=lambda _: None)


def refusing(fault: Exception) -> Start:
    def start(_held: ExitStack) -> Any:
        raise fault

    return start


def test_what_a_worker_has_opened_is_closed_when_it_ends_the_last_first() -> None:
    closed: list[str] = []

    def start(held: ExitStack) -> str:
        held.callback(closed.append, "service")
        held.callback(closed.append, "door")
        return "application"

    opened = worker(start)
    assert (opened.load(), closed) == ("application", [])
    opened.cfg.worker_exit(None, None)
    assert closed == ["door", "service"]


def test_an_error_that_is_told_ends_the_server_and_no_worker_is_tried_again() -> None:
    with pytest.raises(SystemExit) as ended:
        worker(refusing(StateError("none")), told=lambda _: True).load()
    assert ended.value.code == NOT_SET_UP


def test_an_error_that_cannot_be_told_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        worker(refusing(KeyError("fault of ours"))).load()


def telling(fault: Exception) -> click.Command:
    @click.command()
    @json_option
    def command() -> None:
        tell = told()
        assert not tell(KeyError("fault of ours"))
        assert tell(fault)

    return command


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (StateError("another gateway uses it"), "--state"),
        (Unavailable("the database does not answer"), "BOL_DATABASE_URL"),
    ],
    ids=["the state of a gateway", "a database that does not answer"],
)
def test_what_the_worker_is_refused_has_code_and_next_step(fault: Exception, step: str) -> None:
    command = telling(fault)
    problem = json.loads(CliRunner().invoke(command, ["--json"]).stderr)
    assert (problem["code"], problem["detail"]) == ("not_set_up", str(fault))
    assert step in problem["nextStep"]
    assert "(code not_set_up)" in CliRunner().invoke(command).stderr
