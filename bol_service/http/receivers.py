"""Sending a message to a party's receiver. Implements `application.webhook_ports.Receivers`.

1. The name is resolved once, each of its addresses is judged (`receiver_address`), and the
   connection goes to one of those very addresses: no second look-up can lead elsewhere.
2. Host, SNI and the certificate are those of the name; TLS is always verified.
3. Redirects are not followed, no proxy and no cookie is known, at most 1,024 bytes of the answer
   are read.
4. Connecting takes 5 s at most, each wait for the receiver 10 s, and all of it 15 s: then the
   connection is cut from outside, however slowly the receiver dripped.
5. How long a look-up takes is up to whoever owns the name, and a process does ten at a time, also
   those of other platforms. So of the names that parties want to add one is looked up at a time;
   who would wait longer than 3 s for its turn comes back later.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Semaphore
from typing import Final

from bol_service.application.rates import TooMany
from bol_service.application.webhook_ports import (
    MOST_ANSWER_BYTES,
    BadReceiver,
    NoAnswer,
    Reply,
    Resolver,
)
from bol_service.bounded_request import addresses_of, connect, cut_after
from bol_service.http.receiver_address import Receiver, read_receiver, require_public

CONNECT_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 15.0
TURN_SECONDS: Final = 3.0


class HttpReceivers:
    """`loopback` allows receivers on this machine, for demonstrations."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolver = addresses_of,
        trust: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._given = trust
        self._total_seconds = total_seconds
        self._turn = Semaphore(1)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        # Only now: reading the system's authorities would be a fifth of what a start takes.
        return self._given or ssl.create_default_context()

    def check(self, url: str) -> None:
        receiver = read_receiver(url, loopback=self._loopback)
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise TooMany("another address is looked up, which takes long; try again", 10)
        try:
            self._addresses(receiver)
        except OSError:
            raise BadReceiver(f"the name {receiver.host} cannot be resolved now") from None
        finally:
            self._turn.release()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        receiver = read_receiver(url, loopback=self._loopback)
        try:
            connected = self._connect(receiver)
        except OSError as error:
            raise NoAnswer(f"no connection: {_words(error)}") from None
        with connected, cut_after(self._total_seconds, connected) as was_cut:
            try:
                reply = self._exchange(receiver, connected, headers, body)
            except (OSError, HTTPException, ValueError) as error:
                raise NoAnswer(f"no answer: {_words(error)}") from None
        if was_cut.is_set():  # the library takes the end for the end of the head
            raise NoAnswer(f"no whole answer within {self._total_seconds:g} s")
        return reply

    def _addresses(self, receiver: Receiver) -> tuple[str, ...]:
        found = self._resolve(receiver.host.strip("[]"), receiver.port)
        return require_public(receiver, found)

    def _connect(self, receiver: Receiver) -> socket.socket:
        """A TCP connection to an address that was judged; raises BadReceiver or OSError."""
        return connect(self._addresses(receiver), receiver.port, CONNECT_SECONDS)

    def _exchange(
        self, receiver: Receiver, connected: socket.socket, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        connected.settimeout(WAIT_SECONDS)
        with self._secured(receiver, connected) as channel:
            connection = HTTPConnection(receiver.host, receiver.port)
            connection.sock = channel
            connection.putrequest(
                "POST", receiver.target, skip_host=True, skip_accept_encoding=True
            )
            fixed = {"Host": receiver.authority, "Content-Length": len(body), "Connection": "close"}
            for name, value in {**fixed, **headers}.items():
                connection.putheader(name, str(value))
            connection.endheaders(body)
            with connection.getresponse() as answer:
                return Reply(status=answer.status, text=_beginning(answer))

    def _secured(self, receiver: Receiver, connected: socket.socket) -> socket.socket:
        if receiver.scheme == "http":  # to our own machine only, see receiver_address
            return connected.dup()
        return self._trust.wrap_socket(connected.dup(), server_hostname=receiver.host.strip("[]"))


def _beginning(answer: HTTPResponse) -> str:
    """The first bytes of the body, in one look: whoever writes slowly is not waited for."""
    try:
        content = answer.read1(MOST_ANSWER_BYTES)
    except (OSError, HTTPException, ValueError):
        content = b""
    # No database takes NUL in text.
    return content[:MOST_ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _words(error: Exception) -> str:
    told = str(error) or "nothing"
    return f"{type(error).__name__}, {told}"[:200].replace("\0", "\ufffd")
