"""Chongqing and Singapore: two whole platforms on loopback that exchange originals by PINT.

Each has its own database, keys, ledger, parties and clock, and knows the other only by
`peers.json`. Their clocks are files and stand still; `tick` lets both go on, so that what waits is
tried again.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from bol_service import bootstrap
from bol_service.application.exchange_ports import Outbound, Stage
from bol_service.client import Client
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.domain.states import BillState
from bol_service.settings import Settings
from bol_service.storage.exchange import SqlExchange
from bol_service.verification.trust import LogKey, Trust
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from scripts.local_postgres import free_port
from tests.desk import CAST, STORY, Desk, roll
from tests.fresh_database import fresh_log
from tests.many_bills import RULEBOOK, Maker
from tests.trust_file import trust_value

Json = dict[str, Any]
PASSPHRASE = b"only for this test run"
CQ, SG = "CQGY", "SGPX"
ORIGINS = {CQ: "demo.cq.example/ebl", SG: "demo.sg.example/ebl"}
DESK = "desk"
SG_CAST = ("operator", "banksg", "straits", "sgterm")


@dataclass(kw_only=True)
class Side:
    """One platform. `signers` are its parties' keys, `pint` the key of its exchange desk."""

    code: str
    settings: Settings
    signers: Mapping[str, LocalSigner]
    pint: LocalSigner
    server: BaseWSGIServer
    now: Callable[[], datetime]
    running: bootstrap.Running = field(init=False)
    served: Any = None
    _serving: threading.Thread | None = field(default=None, init=False, repr=False)

    @property
    def origin(self) -> str:
        return ORIGINS[self.code]

    def start(self) -> None:
        self.running = bootstrap.start(self.settings)
        self.served = self.running.app

    def stop(self) -> None:
        self.served = None
        self.running.stop()

    def serve(self) -> None:
        """Start, and answer at the port."""
        self.start()
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self._serving = thread

    def hand_over(self) -> None:
        """Leave database and port to another process."""
        self.stop()
        if self._serving is not None:  # it would wait for ever for a thread that never began
            self.server.shutdown()
            self._serving.join()
        self.server.server_close()

    def client(self, party: str) -> Client:
        return Client(
            base_url=self.settings.base_url,
            origin=self.origin,
            party=party,
            signer=self.signers[party],
            now=self.now,
        )

    def act(self, party: str, action: str, bill: str, /, **members: Any) -> Json:
        """Sign and send an act on the bill over HTTP; raises `Refused`."""
        recipient = members.pop("recipient", None)
        return self.client(party).act(action, f"bill:{bill}", members, recipient=recipient)

    def state(self, bill: str) -> BillState | None:
        with self.running.store.reading() as reading:
            found = reading.states([f"bill:{bill}"]).get(f"bill:{bill}")
        return found[0] if found and isinstance(found[0], BillState) else None

    def here(self, bill: str) -> BillState:
        state = self.state(bill)
        assert state is not None
        return state

    def actions(self, bill: str) -> list[str]:
        with self.running.store.reading() as reading:
            return [entry.action for entry in reading.entries(f"bill:{bill}", 0, 1000)]

    def outbox(self, bill: str) -> list[Outbound]:
        return SqlExchange(self.running.store).outbounds(bill, 100)


@dataclass(kw_only=True)
class Two:
    cq: Side
    sg: Side
    clock: dict[str, datetime]
    folder: Path

    def tick(self, seconds: float = 1) -> None:
        """Both clocks go on."""
        self.clock["now"] += timedelta(seconds=seconds)
        for side in (self.cq, self.sg):
            assert side.settings.clock_file is not None
            fresh = side.settings.clock_file.with_suffix(".new")
            fresh.write_text(instant_text(self.clock["now"]), encoding="ascii")
            fresh.replace(side.settings.clock_file)

    def until(self, done: Callable[[], bool], seconds: float = 120) -> None:
        """Let time go on until `done`; fails with what the outboxes say."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                said = [
                    (side.code, row)
                    for side in (self.cq, self.sg)
                    for row in SqlExchange(side.running.store).outbounds(None, 20)
                ]
                raise AssertionError(f"it did not come to that: {said}")
            self.tick()
            time.sleep(0.02)

    def until_seen(
        self, done: Callable[[], bool], told: Callable[[], str], seconds: float = 120
    ) -> None:
        """As `until`, with what to say about a platform that runs elsewhere; time stands still."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come to that: {told()}")
            time.sleep(0.05)

    def settled(self, bill: str) -> None:
        """Until nothing of the bill is under way."""
        self.until(
            lambda: (
                all(
                    row.stage in (Stage.MOVED, Stage.REFUSED, Stage.DISPUTED)
                    for side in (self.cq, self.sg)
                    for row in side.outbox(bill)
                )
                and all(
                    (state := side.state(bill)) is None or state.transit is None
                    for side in (self.cq, self.sg)
                )
            )
        )

    def issue(self, count: int = 1, visualisation: str | None = None) -> list[str]:
        """Bills issued in Chongqing, to `yunling`; `visualisation` is the SHA-256 of a picture."""
        self.issued += count
        return self._maker(visualisation).issue(count, self.issued - count)

    def _maker(self, visualisation: str | None = None) -> Maker:
        services = self.cq.running.services
        return Maker(
            desk=self.chongqing,
            recorder=services.recorder,
            documents=services.documents,
            visualisation=visualisation,
        )

    chongqing: Desk = field(default_factory=Desk)
    issued: int = 0


@contextmanager
def two_platforms(
    folder: Path,
    *,
    options: Json | None = None,
    addresses: Sequence[str] | None = None,
    others: Mapping[str, str] | None = None,
    delivers: bool = False,
    databases: Mapping[str, str] | None = None,
) -> Iterator[Two]:
    """Both platforms, open, with their casts.

    `options` are those of each for the other, `addresses` where Chongqing and Singapore are
    reached, if not at their own ports. `others` are further peers of both, with their addresses.
    With `delivers` the two relay acts and evidence of deliveries to each other. `databases` are
    URLs of empty databases by platform code; SQLite where none is given.
    """
    clock = {"now": STORY}
    desk = Desk()
    pints = {code: LocalSigner(generate(Algorithm.ES256)) for code in (CQ, SG)}
    casts = {
        CQ: desk.signers,
        SG: {slug: LocalSigner(generate(Algorithm.ED25519)) for slug in SG_CAST},
    }
    sides = {
        code: _prepared(
            folder / code,
            code,
            casts[code],
            pints[code],
            lambda: clock["now"],
            (databases or {}).get(code),
        )
        for code in (CQ, SG)
    }
    own = [side.settings.base_url for side in sides.values()]
    reached = dict(zip((CQ, SG), addresses or own, strict=True))
    for code, other in ((CQ, SG), (SG, CQ)):
        peers = {
            "platforms": {
                other: {
                    "url": reached[other],
                    "keys": [{"jwk": pints[other].public.to_jwk()}],
                    **({"options": options} if options else {}),
                    **({"trust": trust_value(trust_of(sides[other]))} if delivers else {}),
                },
                **{further: _stranger(url) for further, url in (others or {}).items()},
            },
            "carriers": {"NMFTA:XLSC": {"keys": [{"jwk": desk.signers["xlsc"].public.to_jwk()}]}},
        }
        assert sides[code].settings.peers is not None
        sides[code].settings.peers.write_text(json.dumps(peers), encoding="utf-8")
    two = Two(cq=sides[CQ], sg=sides[SG], clock=clock, folder=folder, chongqing=desk)
    two.tick(0)
    try:
        for side in (two.cq, two.sg):
            side.serve()
        two._maker().open_log()
        _open(two.sg, SG_CAST)
        for side in (two.cq, two.sg):
            _open_desk(side)
        yield two
    finally:
        for side in (two.cq, two.sg):
            if side.served is not None:
                side.hand_over()


def _stranger(url: str) -> Json:
    key = LocalSigner(generate(Algorithm.ES256))
    return {"url": url, "keys": [{"jwk": key.public.to_jwk()}]}


def trust_of(side: Side) -> Trust:
    """What a reader has to trust to verify evidence of the side's ledger."""
    log_signer, statement_signer = bootstrap.platform_keys(side.settings)
    key = bootstrap.log_verifier_key(side.origin, log_signer)
    return Trust(
        origin=side.origin,
        code=side.code,
        demo=True,
        log_keys=(LogKey(key=key, from_size=0, to_size=None),),
        registrar_kids=side.settings.registrar_kids,
        statement_keys=(statement_signer.public,),
        witnesses=(),
        quorum=0,
        max_age=600,
    )


def _prepared(
    folder: Path,
    code: str,
    signers: Mapping[str, LocalSigner],
    pint: LocalSigner,
    now: Callable[[], datetime],
    database_url: str | None = None,
) -> Side:
    folder.mkdir()
    for name in ("log", "statement"):
        write_private_key(folder / f"{name}.pem", generate(Algorithm.ED25519), PASSPHRASE)
    write_private_key(folder / "pint.pem", pint._key, PASSPHRASE)
    url = database_url or f"sqlite:///{folder / 'ledger.db'}"
    fresh_log(url, ORIGINS[code])
    server = make_server("127.0.0.1", free_port(), lambda *_: [], threaded=True)
    settings = Settings(
        origin=ORIGINS[code],
        platform_code=code,
        database_url=url,
        state_dir=folder / "state",
        base_url=f"http://127.0.0.1:{server.server_port}",
        log_key=f"file:{folder / 'log.pem'}",
        statement_key=f"file:{folder / 'statement.pem'}",
        passphrase=PASSPHRASE,
        registrar_kids=frozenset({signers["operator"].public.kid}),
        clock_file=folder / "clock",
        peers=folder / "peers.json",
        pint_key=f"file:{folder / 'pint.pem'}",
    )
    side = Side(code=code, settings=settings, signers=signers, pint=pint, server=server, now=now)

    def served(environ: Any, start_response: Any) -> Any:
        app = side.served
        if app is None:
            start_response("502 Bad Gateway", [("Content-Length", "0")])
            return [b""]
        return app(environ, start_response)

    server.app = served
    return side


def _open(side: Side, cast: tuple[str, ...]) -> None:
    operator = side.client("operator")
    for slug in cast:
        party = roll()[slug]
        _register(side, slug, side.signers[slug], party["identity"], party["roles"], party)
        digest = hashlib.sha256(bootstrap.rulebook()).hexdigest()
        assert digest == RULEBOOK
    for slug in cast:
        side.client(slug).act("ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": RULEBOOK})
    assert operator.party == "operator"


def _open_desk(side: Side) -> None:
    """The exchange desk of the platform is a party like others, with a role of its own."""
    identity = {
        "country": "SG" if side.code == SG else "CN",
        "legalName": f"{side.code} exchange desk",
        "identifiers": [{"type": "LEI", "value": lei("5493000DESK" + side.code + "000")}],
    }
    _register(side, DESK, side.pint, identity, ["EXCHANGE"], {})


def _register(
    side: Side, slug: str, signer: LocalSigner, identity: Json, roles: list[str], party: Json
) -> None:
    proof = drafting.prove_key(signer, origin=side.origin, party=slug, identity=identity)
    optional = {name: party[name] for name in ("carrierCode", "facilities") if name in party}
    details = {**proof, **optional, "identity": identity, "roles": roles}
    side.client("operator").act("REGISTER", f"party:{slug}", details, after=None)


def lei(body: str) -> str:
    """18 characters with their two check digits (ISO 17442)."""
    number = int("".join(str(int(sign, 36)) for sign in body + "00"))
    return f"{body}{98 - number % 97:02}"


__all__ = ["CAST", "CQ", "SG", "Two", "two_platforms"]
