"""How often one party and one address may ask for what costs the platform something.

1. A bucket holds `burst` requests and fills again with `per_second`; each request takes one. An
   empty one refuses, and says after how many seconds it will not. Of uploads the bytes count: what
   a party may send must not fill the disk on which everybody's log lies.
2. A party's bucket is touched only when its signature has been proven: nobody can empty another's.
3. An address is an IPv4 address or the /64 of an IPv6 one: no site has less (RFC 6177). This
   machine's own address is never refused: it is a proxy that was not announced, or the operator.
4. The buckets are this process's own and forgotten with it; of many keys the last used are kept.

What comes in masses is a proxy's task (docs/operations.md, Rates).
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

MAX_KEYS: Final = 10_000


class TooMany(Exception):  # noqa: N818 - says what is the matter
    """More than the rate allows; come back after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Rate:
    burst: int
    per_second: float


class Buckets:
    """One bucket for each key, full when it is first seen; for many threads."""

    def __init__(
        self,
        rate: Rate,
        *,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._max_keys, self._clock = rate, max_keys, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = Lock()

    def take(self, key: str, amount: int = 1, of: str = "requests") -> None:
        """Raises TooMany when the bucket holds less than `amount`; then nothing is taken."""
        with self._turn:
            now = self._clock()
            level, since = self._levels.get(key, (float(self._rate.burst), now))
            level = min(float(self._rate.burst), level + (now - since) * self._rate.per_second)
            taken = level >= amount
            self._levels[key] = (level - amount if taken else level, now)
            self._levels.move_to_end(key)
            if len(self._levels) > self._max_keys:
                self._levels.popitem(last=False)
        if not taken:
            wait = math.ceil((amount - level) / self._rate.per_second)
            raise TooMany(
                f"more than {self._rate.burst} {of} at once, or {self._rate.per_second:g} a "
                f"second after them, came from {key}; the next is answered in {wait} s",
                retry_after=wait,
            )


PARTY_TOKENS: Final = Rate(burst=300, per_second=5)
PARTY_BYTES: Final = Rate(burst=1_000_000_000, per_second=200_000)
PARTY_SHEETS: Final = Rate(burst=30, per_second=0.1)
ADDRESS_TOKENS: Final = Rate(burst=600, per_second=20)
ADDRESS_FILES: Final = Rate(burst=20, per_second=0.5)
ADDRESS_APPLICATIONS: Final = Rate(burst=5, per_second=1 / 600)
PEER_LOOKUPS: Final = Rate(burst=600, per_second=20)


class Rates:
    """What is counted here; each raises TooMany."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._party_tokens = Buckets(PARTY_TOKENS, clock=clock)
        self._party_bytes = Buckets(PARTY_BYTES, clock=clock)
        self._party_sheets = Buckets(PARTY_SHEETS, clock=clock)
        self._address_tokens = Buckets(ADDRESS_TOKENS, clock=clock)
        self._address_files = Buckets(ADDRESS_FILES, clock=clock)
        self._address_applications = Buckets(ADDRESS_APPLICATIONS, clock=clock)
        self._peer_lookups = Buckets(PEER_LOOKUPS, clock=clock)

    def token_for(self, party: str) -> None:
        """An access token for a party that has proven itself."""
        self._party_tokens.take(party)

    def upload_by(self, party: str, size: int) -> None:
        """A document of `size` bytes, also one that is here already."""
        self._party_bytes.take(party, size, "bytes")

    def sheet_by(self, party: str) -> None:
        """An Excel sheet, which takes long to be read."""
        self._party_sheets.take(party)

    def token_from(self, address: str | None) -> None:
        """An attempt to get a token."""
        _take(self._address_tokens, address)

    def file_from(self, address: str | None) -> None:
        """A file to be verified, which takes long."""
        _take(self._address_files, address)

    def application_from(self, address: str | None) -> None:
        """An application for registration, which a person has to read."""
        _take(self._address_applications, address)

    def lookup_by(self, platform: str | None, address: str | None) -> None:
        """A code that another platform asks the name of; by address if nobody knows which it is."""
        if platform is None:
            _take(self._peer_lookups, address)
        else:
            self._peer_lookups.take(platform)


def _take(buckets: Buckets, address: str | None) -> None:
    network = network_of(address)
    if network is not None:
        buckets.take(network)


def network_of(address: str | None) -> str | None:
    """Whose requests count together; None for this machine and for what is no address."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None  # a Unix socket has none
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
