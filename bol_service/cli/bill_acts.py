"""What the commands of holder and carrier have in common: the bill's name, and plain acts on it."""

from __future__ import annotations

from typing import Any

import click

from bol_service.cli.lookup import bill_words, read_bill
from bol_service.cli.signing import Desk, Intent
from bol_service.domain.events import Action

Json = dict[str, Any]

bill_argument = click.argument("name", metavar="BILL")


def act_on_bill(desk: Desk, action: Action, name: str, details: Json, words: str) -> None:
    """Sign an act that needs nothing but its details; `{}` in `words` stands for the bill."""
    view = read_bill(desk.client, name)
    desk.sign(
        Intent(
            action=action,
            stream=f"bill:{view['bill']}",
            details=details,
            words=words.format(bill_words(view)),
        )
    )
