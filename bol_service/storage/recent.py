"""The states that were written or read last, kept as values beside their bytes.

A bill that moves is read again right after it was written, and decoding it is what reading costs
most. What given bytes mean never changes, and the values are frozen, so they may be shared; whether
those bytes are still in the table, the table says: it is asked each time.
"""

from __future__ import annotations

from typing import Final

from bol_service.domain.states import State
from bol_service.storage.codec import decode_state, encode_state

MAX_BYTES: Final = 8_000_000  # as objects they take some times that


class RecentStates:
    """States by kind and bytes; forgets all of them when it has kept too many."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._states: dict[tuple[str, bytes], State] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._states)

    def write(self, kind: str, state: State) -> bytes:
        data = encode_state(state)
        self._keep(kind, data, state)
        return data

    def read(self, kind: str, data: bytes) -> State:
        """Raises ValueError as `decode_state` does."""
        known = self._states.get((kind, data))
        if known is None:
            known = decode_state(kind, data)
            self._keep(kind, data, known)
        return known

    def _keep(self, kind: str, data: bytes, state: State) -> None:
        if self._bytes + len(data) > self._max_bytes:
            self._states, self._bytes = {}, 0
        if (kind, data) not in self._states:
            self._states[kind, data] = state
            self._bytes += len(data)


STATES: Final = RecentStates()
"""Those of this process."""
