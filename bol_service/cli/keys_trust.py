"""`bol keys trust`: the keys of other platforms and carriers, written into a trust file.

1. They come from `peers.json`; a certificate is written down as its key and its validity.
2. What the trust file names already stays: a retired key has signed what is in the ledger.
3. A key that is pinned anew widens the time for which it counts.
4. A signer with a key that verifiers cannot check is left out as a whole and told, so that a reader
   hears "not checked" of what it signed, never "forged".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from bol_service.cli.output import json_option, remark, say, show
from bol_service.cli.own_files import trust_of
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.verification.trust_peers import key_to_json
from bol_service.wire.peers import Peers, PeersError, read_peers

Json = dict[str, Any]
_MEMBERS: Final = (("peers", "platform"), ("carriers", "carrier"))


@click.command("trust")
@click.argument("trust_file", type=click.Path(path_type=Path), metavar="TRUST")
@click.option(
    "--peers",
    "peers_file",
    required=True,
    type=click.Path(path_type=Path),
    help="peers.json with the pinned keys.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="[default: TRUST itself]")
@json_option
def trust(trust_file: Path, peers_file: Path, out: Path | None) -> None:
    """Add the keys of other platforms and carriers to a trust file.

    Whoever verifies with it can then check what they signed of bills that crossed the border.
    """
    value = _trust_value(trust_file)
    added, missed = add_peers(value, _peers(peers_file))
    content = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    trust_of(content.encode(), trust_file)
    target = out or trust_file
    try:
        target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{target} cannot be written: {error.strerror}") from None
    for reason in missed:
        remark(reason)
    told = {"file": str(target), "added": added, "leftOut": missed}
    show(told, lambda: say(f"{added} keys added to {target}; publish it where readers look for it"))


def add_peers(value: Json, peers: Peers) -> tuple[int, list[str]]:
    """Put the pinned keys into the JSON value of a trust file; how many are new, and who is left
    out and why."""
    pinned = (
        {code: peer.keys for code, peer in peers.platforms.items()},
        dict(peers.carriers),
    )
    added = 0
    missed: list[str] = []
    for (member, name), found in zip(_MEMBERS, pinned, strict=True):
        entries = {entry[name]: list(entry["keys"]) for entry in value.get(member, ())}
        for signer, told in _told(found, missed).items():
            added += _merge(entries.setdefault(signer, []), told)
        if entries:
            value[member] = [{name: signer, "keys": keys} for signer, keys in entries.items()]
    return added, missed


def _told(found: Mapping[str, Iterable[PinnedKey]], missed: list[str]) -> dict[str, list[Json]]:
    told: dict[str, list[Json]] = {}
    for signer, keys in found.items():
        try:
            told[signer] = [key_to_json(key) for key in keys]
        except ValueError as error:
            missed.append(f"{signer} is left out: {error}")
    return told


def _merge(known: list[Json], told: Iterable[Json]) -> int:
    """How many keys are new."""
    before = len(known)
    for key in told:
        same = [at for at, entry in enumerate(known) if entry["jwk"] == key["jwk"]]
        if same:
            known[same[0]] = _widened(known[same[0]], key)
        else:
            known.append(key)
    return len(known) - before


def _widened(old: Json, new: Json) -> Json:
    bounds = {
        name: choose(old[name], new[name])
        for name, choose in (("notBefore", min), ("notAfter", max))
        if name in old and name in new
    }
    algorithms = sorted({*old["algorithms"], *new["algorithms"]})
    return {"jwk": old["jwk"], "algorithms": algorithms, **bounds}


def _trust_value(file: Path) -> Json:
    content = _read(file)
    trust_of(content, file)
    value: Json = json.loads(content)
    return value


def _peers(file: Path) -> Peers:
    try:
        return read_peers(_read(file))
    except PeersError as error:
        raise click.UsageError(f"{file}: {error}") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} cannot be opened: {error.strerror}") from None
