"""A fault put into a service by a test: its sequencer's thread ends when a file appears.

`doom` is called in the process of the service before it starts (`tests.warm_service`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

MARKER = "doom"


def doom() -> None:
    """The thread ends before its next group once BOL_STATE_DIR holds the marker; only once."""
    from bol_service.application.sequencer import Sequencer

    marker = Path(os.environ["BOL_STATE_DIR"]) / MARKER
    take = Sequencer._next_group

    def doomed(self: Sequencer) -> Any:
        if marker.exists():
            marker.unlink()
            raise RuntimeError("the thread ends here")
        return take(self)

    Sequencer._next_group = doomed  # type: ignore[method-assign]
