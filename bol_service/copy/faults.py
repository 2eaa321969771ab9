"""What can go wrong with printed copies; each message says what and why."""

from __future__ import annotations


class NoCopy(ValueError):  # noqa: N818 - says what is the matter
    """No copy can be made of this file."""


class NoEvidence(ValueError):  # noqa: N818 - says what is the matter
    """This PDF holds no evidence bundle that could be taken out of it."""


class TooHeavy(RuntimeError):  # noqa: N818 - says what is the matter
    """The file takes more time or memory to verify than there is for one."""


class Busy(RuntimeError):  # noqa: N818 - says what is the matter
    """Too many copies are being made or opened, or files verified; come back after `retry_after`
    seconds."""

    retry_after = 5
