"""The party's connection, under the name by which commands know it; see `bol_service.client`."""

from __future__ import annotations

from bol_service.client import (
    ASSERTION,
    ASSERTION_TYP,
    Answered,
    Client,
    Refused,
    Unreachable,
)

__all__ = ["ASSERTION", "ASSERTION_TYP", "Answered", "Client", "Refused", "Unreachable"]
