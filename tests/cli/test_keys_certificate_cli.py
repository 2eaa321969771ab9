"""`bol keys certificate`: self-signed, for peers to pin, for signing or for mutual TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bol_service.crypto import peer_jws
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey, read_certificate
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import open_signer
from tests.command_line import Ran, run

PASSPHRASE = "only for this test"
SECRET = {"BOL_KEY_PASSPHRASE": PASSPHRASE}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "pint.pem"
    assert run("keys", "generate", path, "--alg", "ES256", **SECRET).code == 0
    return path


def certify(key: Path, *options: object) -> Ran:
    return run("keys", "certificate", key, *options, **SECRET)


def certificate_of(key: Path) -> x509.Certificate:
    return read_certificate(Path(f"{key}.crt").read_text())


def test_a_peer_pins_the_certificate_and_believes_the_key(key: Path) -> None:
    told = certify(key, "--name", "CQGY", "--json").json()
    pin = PinnedKey.from_certificate(Path(told["certificate"]).read_text())
    signer = EcSigner(open_signer(str(key), lambda: PASSPHRASE.encode()))
    text = peer_jws.sign(b'{"eblPlatform":"CQGY"}', signer)
    assert peer_jws.verify(peer_jws.parse(text), [pin], datetime.now(UTC)) is pin
    assert (pin.kid, pin.algorithms) == (told["kid"], {PeerAlgorithm.ES256})


def test_the_certificate_says_who_signs_for_how_long_and_that_it_is_no_authority(
    key: Path,
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = certify(key, "--name", "CQGY", "--days", 30, "--json").json()
    found = certificate_of(key)
    assert found.subject == found.issuer
    assert found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "CQGY"
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=30)
    assert before - timedelta(minutes=6) <= found.not_valid_before_utc <= datetime.now(UTC)
    assert told["notAfter"] == f"{found.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}.000Z"
    assert told["hosts"] == []
    found.verify_directly_issued_by(found)
    usage = found.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_cert_sign) == (True, False)
    constraints = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_a_person_is_told_where_it_is_and_what_to_do(key: Path) -> None:
    ran = certify(key, "--name", "CQGY")
    assert f"{key}.crt" in ran.out
    assert "Send the certificate to your peers" in ran.out


def test_two_certificates_of_one_key_have_different_numbers(key: Path, tmp_path: Path) -> None:
    certify(key, "--name", "CQGY")
    certify(key, "--name", "CQGY", "--out", tmp_path / "next.crt")
    following = read_certificate((tmp_path / "next.crt").read_text())
    assert following.serial_number != certificate_of(key).serial_number
    assert following.public_key() == certificate_of(key).public_key()


def test_for_tls_it_names_the_hosts_and_both_sides(key: Path) -> None:
    hosts = ("--host", "cq.example", "--host", "127.0.0.1", "--host", "::1")
    assert certify(key, "--name", "CQGY", "--tls", *hosts).code == 0
    extensions = certificate_of(key).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cq.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }


def tls(side: ssl._SSLMethod, own: Path, peer: Path) -> ssl.SSLContext:
    """Shows its own certificate, trusts only that of its peer."""
    context = ssl.SSLContext(side)
    context.load_cert_chain(f"{own}.crt", own, lambda: PASSPHRASE)
    context.load_verify_locations(f"{peer}.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def shaken_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> bytes:
    """What the server says over a connection that both sides have accepted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with server.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"good")
            except (ssl.SSLError, ConnectionError):
                connection.close()

        waiting = threading.Thread(target=serve)
        waiting.start()
        try:
            with (
                socket.create_connection(listener.getsockname(), timeout=60) as plain,
                client.wrap_socket(plain, server_hostname=host) as secure,
            ):
                return secure.recv(4)
        finally:
            waiting.join()


@pytest.fixture
def platforms(tmp_path: Path) -> list[Path]:
    keys = [tmp_path / f"{name}.pem" for name in ("cq", "sg", "stranger")]
    for path in keys:
        run("keys", "generate", path, "--alg", "ES256", **SECRET)
        assert certify(path, "--name", "CQGY", "--tls", "--host", "localhost").code == 0
    return keys


def test_two_platforms_that_pin_each_other_shake_hands(platforms: list[Path]) -> None:
    cq, sg, _ = platforms
    server = tls(ssl.PROTOCOL_TLS_SERVER, sg, cq)
    client = tls(ssl.PROTOCOL_TLS_CLIENT, cq, sg)
    assert shaken_hands(server, client, "localhost") == b"good"


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_platform_that_is_not_pinned_gets_no_connection(platforms: list[Path], side: str) -> None:
    cq, sg, stranger = platforms
    server = tls(ssl.PROTOCOL_TLS_SERVER, stranger if side == "server" else sg, cq)
    client = tls(ssl.PROTOCOL_TLS_CLIENT, stranger if side == "client" else cq, sg)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shaken_hands(server, client, "localhost")


def test_another_host_than_the_named_one_gets_no_connection(platforms: list[Path]) -> None:
    cq, sg, _ = platforms
    client = tls(ssl.PROTOCOL_TLS_CLIENT, cq, sg)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken_hands(tls(ssl.PROTOCOL_TLS_SERVER, sg, cq), client, "sg.example")


def test_a_file_that_exists_is_never_overwritten(key: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.crt"
    taken.write_text("precious")
    for _ in range(2):
        ran = certify(key, "--name", "CQGY", "--out", taken)
        assert (ran.code, f"{taken} exists already" in ran.err) == (4, True)
    assert taken.read_text() == "precious"


def test_a_folder_that_is_not_there_is_told(key: Path, tmp_path: Path) -> None:
    ran = certify(key, "--name", "CQGY", "--out", tmp_path / "gone" / "x.crt")
    assert (ran.code, "cannot be created" in ran.err) == (4, True)


def test_an_ed25519_key_is_sent_away_with_what_to_do(tmp_path: Path) -> None:
    key = tmp_path / "ed.pem"
    run("keys", "generate", key, **SECRET)
    ran = certify(key, "--name", "CQGY")
    assert (ran.code, "bol keys generate --alg ES256" in ran.err) == (4, True)
    assert not Path(f"{key}.crt").exists()


def test_a_wrong_passphrase_makes_no_certificate(key: Path) -> None:
    ran = run("keys", "certificate", key, "--name", "CQGY", BOL_KEY_PASSPHRASE="wrong")
    assert (ran.code, "wrong passphrase" in ran.err) == (4, True)
    assert not Path(f"{key}.crt").exists()


def test_a_key_in_the_environment_needs_a_place_for_its_certificate(
    key: Path, tmp_path: Path
) -> None:
    setting = {"BOL_TEST_KEY": key.read_text(), **SECRET}
    ran = run("keys", "certificate", "env:BOL_TEST_KEY", "--name", "CQGY", **setting)
    assert (ran.code, "--out" in ran.err) == (2, True)
    out = tmp_path / "made.crt"
    ran = run("keys", "certificate", "env:BOL_TEST_KEY", "--name", "CQGY", "--out", out, **setting)
    assert ran.code == 0
    assert read_certificate(out.read_text())


def test_a_key_may_be_named_as_file(key: Path) -> None:
    ran = run("keys", "certificate", f"file:{key}", "--name", "CQGY", **SECRET)
    assert (ran.code, Path(f"{key}.crt").exists()) == (0, True)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="no name"),
        pytest.param(("--name", ""), id="an empty name"),
        pytest.param(("--name", "A\nB"), id="a name of two lines"),
        pytest.param(("--name", "x" * 65), id="a name that is too long"),
        pytest.param(("--name", "CQGY", "--days", "0"), id="no day"),
        pytest.param(("--name", "CQGY", "--days", "731"), id="more than two years"),
        pytest.param(("--name", "CQGY", "--tls"), id="TLS without host"),
        pytest.param(("--name", "CQGY", "--host", "cq.example"), id="a host without TLS"),
        pytest.param(("--name", "CQGY", "--tls", "--host", "cq.example:443"), id="a port"),
        pytest.param(("--name", "CQGY", "--tls", "--host", "*.example"), id="any host"),
        pytest.param(("--name", "CQGY", "--tls", "--host", "https://cq.example"), id="a URL"),
        pytest.param(("--name", "CQGY", "--tls", "--host", ":::"), id="no IPv6 address"),
        pytest.param(("--name", "CQGY", "--tls", "--host", "300.0.0.1"), id="no IPv4 address"),
        pytest.param(("--name", "CQGY", "--tls", "--host", "fe80::1%eth0"), id="a zone"),
    ],
)
def test_what_makes_no_certificate_is_wrong_use(options: tuple[str, ...], key: Path) -> None:
    assert certify(key, *options).code == 2
    assert not Path(f"{key}.crt").exists()
