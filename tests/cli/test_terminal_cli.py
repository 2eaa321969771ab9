"""At a real terminal: a person is asked, reads what it signs, and colour only repeats words."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Port

BOL = [sys.executable, "-c", "from bol_service.cli.main import main; main()"]


def at_terminal(
    words: list[str], settings: dict[str, str], *dialogue: tuple[str, str]
) -> tuple[int, str]:
    """Run `bol` on a pseudo-terminal; when the screen shows a prompt, its answer is typed."""
    screen, keyboard = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {**kept, "TERM": "xterm", "COLUMNS": "200", "PYTHONUTF8": "1", **settings}
    process = subprocess.Popen(
        [*BOL, *words],
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        env=environment,
        start_new_session=True,
    )
    os.close(keyboard)
    shown, waiting = b"", list(dialogue)
    while chunk := _read(screen):
        shown += chunk
        while waiting and waiting[0][0].encode() in shown:
            os.write(screen, waiting.pop(0)[1].encode() + b"\n")
    os.close(screen)
    assert waiting == [], f"never shown: {waiting}\n{shown.decode()}"
    return process.wait(timeout=120), shown.decode().replace("\r\n", "\n")


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # how Linux tells that the other side is closed
        return b""


@pytest.fixture
def settings(port: Port) -> dict[str, str]:
    return port.office.settings("yunling")


def test_a_person_reads_what_it_signs_and_confirms_it(port: Port, settings: dict[str, str]) -> None:
    before = len(port.events(port.bill))
    code, shown = at_terminal(["bill", "sign", port.bill], settings, ("Sign and send?", "y"))
    assert code == 0
    for part in (
        "You sign as yunling",
        "on demo.cq.example/ebl",
        "sign as holder 持有人签署",
        "XLSC2703CQSG00418",
        "cannot be undone. 签署后不可撤销。",
    ):
        assert part in shown
    assert len(port.events(port.bill)) == before + 1


@pytest.mark.parametrize("answer", [pytest.param("n", id="no"), pytest.param("", id="nothing")])
def test_what_is_not_confirmed_is_not_signed(
    answer: str, port: Port, settings: dict[str, str]
) -> None:
    before = port.events(port.bill)
    code, _ = at_terminal(["bill", "sign", port.bill], settings, ("Sign and send?", answer))
    assert code == 1
    assert port.events(port.bill) == before


def test_yes_skips_the_question(port: Port, settings: dict[str, str]) -> None:
    code, shown = at_terminal(["bill", "sign", port.bill, "--yes"], settings)
    assert code == 0
    assert "Sign and send?" not in shown


def test_a_dry_run_asks_nothing(port: Port, settings: dict[str, str]) -> None:
    code, shown = at_terminal(["bill", "sign", port.bill, "--dry-run"], settings)
    assert code == 0
    assert "Sign and send?" not in shown


def test_a_new_passphrase_is_asked_twice_and_not_shown(tmp_path: Path) -> None:
    key = str(tmp_path / "key.pem")
    code, shown = at_terminal(
        ["keys", "generate", key],
        {},
        (f"Passphrase of the new key {key}:", "correct horse"),
        ("Repeat for confirmation:", "correct horse"),
    )
    assert code == 0
    assert "correct horse" not in shown
    code, _ = at_terminal(["keys", "public", key], {}, (f"Passphrase of {key}:", "correct horse"))
    assert code == 0


COLOUR = re.compile("\x1b\\[[0-9;]*m")


def test_colour_is_used_at_a_terminal_and_says_nothing_that_words_do_not(tmp_path: Path) -> None:
    file = tmp_path / "x.ebl.json"
    file.write_text("{}")
    _, coloured = at_terminal(["verify", str(file)], {})
    _, plain = at_terminal(["verify", str(file)], {"NO_COLOR": "1"})
    assert COLOUR.search(coloured)
    assert COLOUR.sub("", coloured) == plain
    assert "✗ INVALID" in plain


def test_no_color_holds_for_tables_and_problems(port: Port, settings: dict[str, str]) -> None:
    for words in (["party", "list"], ["bill", "show", port.bill], ["bill", "accept", port.bill]):
        _, shown = at_terminal([*words], {**settings, "NO_COLOR": "1"}, *_declined(words))
        assert not COLOUR.search(shown), words


def _declined(words: list[str]) -> list[tuple[str, str]]:
    return [("Sign and send?", "n")] if "accept" in words else []
