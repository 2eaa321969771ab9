"""How `bol verify` tells outcomes and verdicts: in words and a symbol, which a colour repeats."""

from __future__ import annotations

from typing import Final

import click

from bol_service.cli.output import colour, one_line, say
from bol_service.verification.report import VERDICT_ZH, Outcome, Verdict

_SYMBOLS: Final = {
    Outcome.VALID: ("✓", "green"),
    Outcome.INVALID: ("✗", "red"),
    Outcome.UNKNOWN: ("?", "yellow"),
}
_COLOURS: Final = {
    Verdict.CURRENT: "green",
    Verdict.ENDED: "green",
    Verdict.NOT_KNOWN_CURRENT: "yellow",
    Verdict.NOT_GENUINE: "red",
    Verdict.CANNOT_SAY: "yellow",
}


def tell_check(outcome: Outcome, check: str, message: str, next_step: str) -> None:
    tell_outcome(outcome, f"{check:<11} {one_line(message)}")
    if next_step:
        say(f"                            → {next_step}")


def tell_outcome(outcome: Outcome, text: str) -> None:
    symbol, hue = _SYMBOLS[outcome]
    word = click.style(f"{symbol} {outcome:<7}", fg=hue)
    click.echo(f"    {word}  {text}", color=colour())


def tell_verdict(verdict: Verdict, *, demo: bool) -> None:
    text = f"  {verdict} · {VERDICT_ZH[verdict]}{' · DEMO 演示' if demo else ''}"
    say()
    say_styled(text, _COLOURS[verdict], bold=True)


def say_styled(text: str, hue: str, *, bold: bool = False) -> None:
    click.echo(click.style(text, fg=hue, bold=bold), color=colour())
