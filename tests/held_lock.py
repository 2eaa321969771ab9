"""The log's lock, held by a test while the sequencer stands before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bol_service.storage.store import SqlStore

PATIENCE = 60.0


@contextmanager
def held_lock(store: SqlStore) -> Iterator[Callable[[], None]]:
    """Called, what this gives waits until somebody else asks for the lock: the sequencer then has
    taken its group from the queue, and whatever comes now makes the next one."""
    asked, ask = threading.Event(), store.writing

    def asking(*given: Any, **named: Any) -> Any:
        asked.set()
        return ask(*given, **named)

    def until_asked() -> None:
        assert asked.wait(PATIENCE), "nobody asked for the lock"

    with ask():
        store.writing = asking  # type: ignore[method-assign]
        try:
            yield until_asked
        finally:
            del store.writing
