"""Which addresses a party may have messages sent to: never one inside our own network (SSRF).

1. One spelling: https, a name with a dot whose last label is no number, port 443 or 8443, a path
   and a query of RFC 3986 characters. No user, no fragment, no IP address in any spelling.
2. Of what a name resolves to, each address has to be public: what IANA's special-purpose registries
   set apart is refused, and every IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4).
3. Demonstrations may be allowed the loopback of their own machine, and http to it; nothing else of
   the two rules changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from bol_service.application.webhook_ports import BadReceiver

MAX_URL_LENGTH: Final = 1000
PORTS: Final = frozenset({443, 8443})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_FORM: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[::1\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)"
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,58}}[a-z0-9])")
_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})

# Beside what `is_global` knows, which depends on the version of Python: the IANA special-purpose
# registries, and an address that is public but answers for a cloud's own machines.
_SET_APART: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # NAT64 and mapped addresses lie outside of it
_SET_APART_V6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A URL taken apart; `target` is what a request names, `authority` its Host header."""

    scheme: str
    host: str
    port: int
    target: str
    is_loopback: bool

    @property
    def authority(self) -> str:
        named = self.port == _DEFAULT_PORTS[self.scheme]
        return self.host if named else f"{self.host}:{self.port}"


def read_receiver(url: str, *, loopback: bool) -> Receiver:
    """Raises BadReceiver unless `url` has the one spelling; `loopback` allows our own machine."""
    found = _FORM.fullmatch(url) if len(url) <= MAX_URL_LENGTH else None
    if found is None:
        raise BadReceiver(
            f"{url[:200]!r} is no address of a receiver; give one like https://erp.example/hook, "
            f"at most {MAX_URL_LENGTH} ASCII characters, without user and fragment"
        )
    scheme, host = found["scheme"], found["host"].lower()
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    target = found["target"] if found["target"].startswith("/") else f"/{found['target']}"
    is_loopback = loopback and host in _LOOPBACK_HOSTS
    if not is_loopback:
        _require_public_form(scheme, host, port)
    if not 0 < port < 65536:
        raise BadReceiver(f"there is no port {port}; use 443 or 8443")
    return Receiver(scheme=scheme, host=host, port=port, target=target, is_loopback=is_loopback)


def require_public(receiver: Receiver, addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses again, if each may be connected to; raises BadReceiver otherwise."""
    checked = tuple(dict.fromkeys(addresses))
    if not checked:
        raise BadReceiver(f"the name {receiver.host} has no address")
    if not all(_is_allowed(receiver, text) for text in checked):
        # The address is not told: a name that only we can resolve would show our own network.
        raise BadReceiver(
            f"{receiver.host} leads to an address that is not of the public internet; nothing is "
            "sent there"
        )
    return checked


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet; False for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return _is_public_v4(address) if isinstance(address, IPv4Address) else _is_public_v6(address)


def _require_public_form(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise BadReceiver(f"messages are sent by https only, not by {scheme}")
    if not _NAME.fullmatch(host):
        raise BadReceiver(
            f"{host} is no public name; name the receiver, do not give its address, and write "
            "other scripts as xn--…"
        )
    if port not in PORTS:
        raise BadReceiver(f"port {port} is not served; use 443 or 8443")


def _is_allowed(receiver: Receiver, text: str) -> bool:
    if not receiver.is_loopback:
        return is_public(text)
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _SET_APART)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _SET_APART_V6)
