"""What can go wrong with printed copies; each message says what and why."""

from __future__ import annotations


class NoCopy(ValueError):  # noqa: N818 - says what is the matter
    """No copy can be made of this file."""


class NoEvidence(ValueError):  # noqa: N818 - says what is the matter
    """This PDF holds no evidence bundle that could be taken out of it."""


class Busy(RuntimeError):  # noqa: N818 - says what is the matter
    """Too many copies are being made or opened; come back after `retry_after` seconds."""

    retry_after = 5
