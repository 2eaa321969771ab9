"""A log that everybody outside knows, on either database, for a superuser to ruin again and again.

Fixtures to import: `known_log` is made once per module, `scene` is it, put back after each test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from bol_service.ledger.receipt import Receipt
from tests.many_bills import HOLDER
from tests.outsiders import NOTHING, Outsiders, Who, outsiders
from tests.recording import WritePath, write_path
from tests.superuser import Act, Keeper, Rows, acting, every_row

Noticed = dict[Who, str]
MANDATE = {"validUntil": "2027-04-01T00:00:00.000Z"}


@dataclass(kw_only=True)
class KnownLog:
    """`bill` moved from its holder to a bank after `older` was backed up; `moved` proves that."""

    path: WritePath
    outside: Outsiders
    keeper: Keeper
    bill: str
    moved: Receipt
    older: Rows

    @property
    def url(self) -> str:
        return self.path.store.engine.url.render_as_string(hide_password=False)

    def do(self, act: Act) -> None:
        """And put the triggers back, whose absence would be noticed first."""
        with acting(self.url) as user:
            act(user)
            user.restore_triggers()

    def require_noticed(self, noticed: Noticed) -> None:
        """Each says what is expected; an empty sentence: notices nothing."""
        for who, sentence in noticed.items():
            said = self.outside.says(who)
            if sentence == NOTHING:
                assert said == NOTHING, f"{who} says: {said}"
            else:
                assert re.search(sentence, said), f"{who} says: {said or 'nothing'}"


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def known_log(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KnownLog]:
    """A log with two bills, a mandate and a transfer."""
    folder = tmp_path_factory.mktemp("known")
    url = f"sqlite:///{folder / 'ledger.db'}"
    if request.param == "PostgreSQL":
        make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = make()
    with ExitStack() as stack:
        path = stack.enter_context(write_path(url))
        known = stack.enter_context(outsiders(path, folder))
        maker, desk = path.maker, path.desk
        maker.act(HOLDER, "GRANT_MANDATE", f"party:{HOLDER}", MANDATE, recipient="qiaolian")
        bill, other = maker.issue(2)
        older = every_row(path.store.engine)
        moved = path.recorder.submit(desk.transfer(bill, HOLDER, "bankcq")).receipt
        desk.note(moved)
        maker.act(HOLDER, "SIGN", f"bill:{other}")
        known.keep(moved)
        yield KnownLog(
            path=path,
            outside=known,
            keeper=Keeper(path.store.engine),
            bill=bill,
            moved=moved,
            older=older,
        )


@pytest.fixture
def scene(known_log: KnownLog) -> Iterator[KnownLog]:
    yield known_log
    known_log.keeper.put_back()
