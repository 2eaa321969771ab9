"""`bol keys`: make key pairs, show their public halves, prove keys and certify them.

A private key leaves its encrypted file only into the memory of the process that signs; what goes to
the platform is the JWK and a proof, made here, that its owner holds the private half.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.context import (
    open_key,
    origin_option,
    passphrase,
    passphrase_option,
    require_origin,
)
from bol_service.cli.keys_certificate import certificate
from bol_service.cli.keys_trust import trust
from bol_service.cli.output import facts, json_option, say, show
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import (
    KeyFileError,
    LocalSigner,
    generate,
    write_private_key,
    write_public_key,
)
from bol_service.ledger.note import KeyType, NoteError, VerifierKey
from bol_service.wire import drafting
from bol_service.wire.webhook_message import public_text


@click.group()
def keys() -> None:
    """Make keys and show their public half. 密钥"""


keys.add_command(certificate)
keys.add_command(trust)


@keys.command("generate")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--alg",
    type=click.Choice([str(alg) for alg in Algorithm], case_sensitive=False),
    default=str(Algorithm.ED25519),
    show_default=True,
    help="ES256 for HSMs and for exchange after DCSA.",
)
@passphrase_option
@json_option
def generate_key(path: Path, alg: str, passphrase_file: Path | None) -> None:
    """Make a key pair.

    Writes PATH (encrypted PKCS#8, mode 0600) and PATH.pub.json (the public JWK).
    """
    public_path = path.with_name(f"{path.name}.pub.json")
    for taken in (path, public_path):
        if taken.exists():
            raise KeyFileError(f"{taken} exists already; choose another name or move it away")
    secret = passphrase(passphrase_file, f"the new key {path}", twice=True)
    key = generate(Algorithm(alg))
    public = LocalSigner(key).public
    write_private_key(path, key, secret)
    write_public_key(public_path, public)
    value = {"key": str(path), "publicKey": str(public_path), **_described(public)}
    show(value, lambda: _tell_new(value))


def _tell_new(value: dict[str, Any]) -> None:
    pairs = (("key", "key"), ("public key", "publicKey"), ("key id", "kid"), ("algorithm", "alg"))
    facts([(name, value[member]) for name, member in pairs])
    say("→ Keep the passphrase apart from the file. Next: bol keys proof, for the operator.")


@keys.command("public")
@click.argument("path")
@click.option(
    "--webhook", is_flag=True, help="Print whpk_…, as receivers of webhook messages pin it."
)
@passphrase_option
@json_option
def show_public(path: str, webhook: bool, passphrase_file: Path | None) -> None:
    """Print the public JWK and the key id of a key.

    PATH is a key file, env:NAME, or a public PATH.pub.json (then no passphrase is needed).
    """
    key = _public_key(path, passphrase_file)
    value = _described(key)
    if webhook:
        value["webhook"] = _webhook_text(path, key)

    def human() -> None:
        if webhook:
            say(value["webhook"])
            return
        say(json.dumps(key.to_jwk(), indent=2, sort_keys=True))
        say(f"key id {key.kid} ({key.alg})")

    show(value, human)


@keys.command("proof")
@origin_option
@click.option(
    "--party", required=True, type=parameters.slug, envvar="BOL_PARTY", help="Whose key it becomes."
)
@click.option(
    "--identity",
    type=parameters.json_file,
    help="JSON file of the legal identity; for a registration, not for a further key.",
)
@click.option("--key", envvar="BOL_KEY", help="The key to prove: file:PATH or env:NAME.")
@passphrase_option
@json_option
def prove(
    origin: str | None,
    party: str,
    identity: dict[str, Any] | None,
    key: str | None,
    passphrase_file: Path | None,
) -> None:
    """Prove to the operator that you hold a key.

    Prints the JSON that REGISTER, ADD_KEY and ROTATE_KEY carry. For a registration, send it to
    the operator together with the identity file.
    """
    signer = open_key(key, passphrase_file)
    proof = drafting.prove_key(
        signer, origin=require_origin(origin), party=party, identity=identity
    )
    show(proof, lambda: click.echo(json.dumps(proof, indent=2, sort_keys=True)))


@keys.command("vkey")
@click.argument("path")
@click.option(
    "--name",
    "origin",
    required=True,
    type=parameters.origin,
    help="The log's origin, or the witness's name.",
)
@click.option("--witness", is_flag=True, help="The key cosigns other logs' checkpoints.")
@passphrase_option
@json_option
def show_vkey(path: str, origin: str, witness: bool, passphrase_file: Path | None) -> None:
    """Print the verifier key line of a log's or a witness's key.

    That is the form of C2SP signed notes, in which trust files and policies name the key.
    """
    key = _public_key(path, passphrase_file)
    kind = KeyType.COSIGNATURE if witness else KeyType.ED25519
    try:
        vkey = VerifierKey(name=origin, type=kind, public=key.public_bytes_raw).vkey
    except (ValueError, NoteError) as error:
        raise KeyFileError(f"{path}: {error}; logs and witnesses sign with Ed25519") from None
    show({"vkey": vkey}, lambda: click.echo(vkey))


def _described(key: PublicKey) -> dict[str, Any]:
    return {"alg": str(key.alg), "kid": key.kid, "jwk": key.to_jwk()}


def _webhook_text(path: str, key: PublicKey) -> str:
    try:
        return public_text(key)
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}; webhook messages are signed with Ed25519") from None


def _public_key(path: str, passphrase_file: Path | None) -> PublicKey:
    """From a JWK file without any passphrase, otherwise from the private key."""
    if not path.endswith(".json"):
        return open_key(path, passphrase_file).public
    try:
        return PublicKey.from_jwk(json.loads(Path(path).read_bytes()))
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise KeyFileError(f"{path} is no public key: {error}") from None
