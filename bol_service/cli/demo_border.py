"""Two platforms for a demonstration, Chongqing and Singapore, that know each other.

Each pins the other's exchange key and trust file, and each is the other's witness: it cosigns what
the other's log has come to, and the trust files demand that cosignature, also of the evidence that
crosses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bol_service.cli.border_voyage import DESK, BorderVoyage
from bol_service.cli.demo_platform import CODE, DemoPlatform, prepare
from bol_service.cli.keys_trust import add_peers
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.wire.peers import read_peers

Json = dict[str, Any]
ORIGIN_ABROAD = "demo.sg.example/ebl"


@dataclass(frozen=True, kw_only=True)
class DemoBorder:
    """Make it with `prepare_border`; both platforms are started and stopped together."""

    home: DemoPlatform
    abroad: DemoPlatform
    border: Json

    def start(self) -> None:
        self.home.start()
        self.abroad.start()

    def stop(self) -> None:
        self.abroad.stop()
        self.home.stop()

    def set_clock(self, moment: datetime | None) -> None:
        self.home.set_clock(moment)
        self.abroad.set_clock(moment)

    def voyage(self) -> BorderVoyage:
        return BorderVoyage(
            self.home.script,
            self.border,
            base_url=self.home.base_url,
            origin=self.home.origin,
            platform_code=CODE,
            signers=self.home.signers,
            set_clock=self.set_clock,
            abroad_url=self.abroad.base_url,
            abroad_origin=self.abroad.origin,
            silence=self.home.silent,
            signers_abroad={slug: self.abroad.signers[slug] for slug in ("operator", DESK)},
        )


def prepare_border(folder: Path, seeds: Path, ends: datetime) -> DemoBorder:
    """Fresh keys and settings of both platforms, in folders that are emptied first."""
    border: Json = json.loads((seeds / "border.json").read_text(encoding="utf-8"))
    home = prepare(folder / "chongqing", seeds, ends)
    abroad = prepare(folder / "singapore", seeds, ends, origin=ORIGIN_ABROAD, code=border["code"])
    carrier = home.signers["xlsc"]
    own = {one.origin: _add_desk(one) for one in (home, abroad)}
    for one, other in ((home, abroad), (abroad, home)):
        _witness(one, other, own[other.origin])
    for one, other in ((home, abroad), (abroad, home)):
        _introduce(one, other, carrier)
    return DemoBorder(home=home, abroad=abroad, border=border)


def _add_desk(platform: DemoPlatform) -> VerifierKey:
    """Make keys of the exchange desk and of the platform as a witness; returns the latter's."""
    keys = platform.folder / "keys"
    passphrase = (platform.folder / "passphrase").read_bytes()
    desk, witness = generate(Algorithm.ES256), generate(Algorithm.ED25519)
    write_private_key(keys / f"{DESK}.pem", desk, passphrase)
    write_private_key(keys / "platform-witness.pem", witness, passphrase)
    platform.signers[DESK] = LocalSigner(desk)
    platform.environment |= {
        "BOL_PINT_KEY": f"file:{keys / f'{DESK}.pem'}",
        "BOL_PEERS": str(platform.folder / "peers.json"),
        "BOL_WITNESS_KEY": f"file:{keys / 'platform-witness.pem'}",
        "BOL_WITNESSES": str(platform.folder / "witnesses.policy"),
        "BOL_WITNESSED_LOGS": str(platform.folder / "witnessed.policy"),
    }
    return VerifierKey(
        name=f"{platform.origin}/witness",
        type=KeyType.COSIGNATURE,
        public=LocalSigner(witness).public.public_bytes_raw,
    )


def _introduce(platform: DemoPlatform, other: DemoPlatform, carrier: LocalSigner) -> None:
    """Each pins the other's exchange key; so do those who verify its evidence."""
    peer = {
        "url": other.base_url,
        "keys": [{"jwk": other.signers[DESK].public.to_jwk()}],
        "trust": other.trust,
    }
    value = {
        "platforms": {other.environment["BOL_PLATFORM_CODE"]: peer},
        "carriers": {"NMFTA:XLSC": {"keys": [{"jwk": carrier.public.to_jwk()}]}},
    }
    content = json.dumps(value, indent=1)
    (platform.folder / "peers.json").write_text(content, encoding="utf-8")
    add_peers(platform.trust, read_peers(content.encode()))


def _witness(platform: DemoPlatform, other: DemoPlatform, key: VerifierKey) -> None:
    """`platform` asks `other`, whose key as a witness is `key`, and cosigns its log in turn."""
    asked = f"witness other {key.vkey} {other.base_url}/witness\nquorum other\n"
    (platform.folder / "witnesses.policy").write_text(asked, encoding="utf-8")
    logs: Any = other.trust["logKeys"]
    witnessed = f"log {logs[0]['vkey']}\nquorum none\n"
    (platform.folder / "witnessed.policy").write_text(witnessed, encoding="utf-8")
    platform.trust |= {"witnesses": [key.vkey], "quorum": 1}
