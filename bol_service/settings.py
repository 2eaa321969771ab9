"""The settings of a service, read once from the environment. No secret has a default.

| variable | meaning |
|---|---|
| BOL_ORIGIN | the ledger's name for ever, e.g. `cq.example/ebl`; demos begin with `demo.` |
| BOL_PLATFORM_CODE | the DCSA platform code, 2 to 4 characters, for display and DCSA messages |
| BOL_DATABASE_URL | `sqlite:///PATH` or `postgresql+psycopg://...` |
| BOL_STATE_DIR | folder for the last checkpoint, on another disk than the database |
| BOL_BASE_URL | how parties reach this service; the audience of their client assertions |
| BOL_LOG_KEY, BOL_STATEMENT_KEY | signers of checkpoints and title statements (`file:` or `env:`) |
| BOL_RETIRED_LOG_KEYS | a file with the log's former keys and the last size each has signed |
| BOL_KEY_PASSPHRASE or BOL_KEY_PASSPHRASE_FILE | opens both keys |
| BOL_REGISTRAR_KIDS | comma-separated kids that may sign the log's first entry |
| BOL_CLOCK_FILE | a settable clock, under `demo.` origins only |
| BOL_WITNESSES | a C2SP tlog-policy file: the witnesses we ask, their addresses, the quorum |
| BOL_WITNESS_CERTIFICATES | PEM certificates that witnesses show, or that vouch for theirs |
| BOL_WITNESS_KEY | our own key as a witness of others, used for nothing else |
| BOL_WITNESS_NAME | our name as a witness; `<BOL_ORIGIN>/witness` if it is not set |
| BOL_WITNESSED_LOGS | a C2SP tlog-policy file whose `log` lines name the logs we witness |
| BOL_PEERS | `peers.json`: the platforms with which originals are exchanged (docs/formats.md) |
| BOL_PINT_KEY | our ES256 key towards other platforms, registered for the exchange desk |
| BOL_PEER_LISTEN | HOST:PORT of the TLS door for peers; they are served at no other then |
| BOL_PINT_CERTIFICATE, BOL_PINT_CERTIFICATE_KEY | PEM files for connections with peers |
| BOL_RELEASE_EVIDENCE_SECONDS | how old evidence may be for a release check here; 60 if not set |
| BOL_WEBHOOK_KEY | signer of the messages to webhooks, for nothing else; without it none are sent |
| BOL_PERSONAL_DATA | `warn` (default) or `refuse`: personal data in a document's free text |
| BOL_PROXIES | how many proxies stand in front, each adding to X-Forwarded-For; 0 if not set |
| BOL_TRUST_FILE | the trust file you publish; the portal hands it out |
| BOL_VERIFY_ADDRESS | printed on copies: where readers verify them; the portal if not set |
| BOL_WEBHOOK_LOOPBACK | `1`: webhooks may go to this machine, under `demo.` origins only |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bol_service.domain.identifiers import check_origin

DEMO_PREFIX = "demo."
MAX_BODY_BYTES = 1_000_000


class SettingsError(RuntimeError):
    """A setting is missing or impossible; the message names the variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    origin: str
    platform_code: str
    database_url: str
    state_dir: Path
    base_url: str
    log_key: str
    statement_key: str
    passphrase: bytes
    registrar_kids: frozenset[str]
    clock_file: Path | None = None
    retired_log_keys: Path | None = None
    witnesses: Path | None = None
    witness_certificates: Path | None = None
    witness_key: str | None = None
    witness_name: str | None = None
    witnessed_logs: Path | None = None
    webhook_key: str | None = None
    webhook_loopback: bool = False
    refuse_personal_data: bool = False
    proxies: int = 0
    trust_file: Path | None = None
    verify_address: str | None = None
    peers: Path | None = None
    pint_key: str | None = None
    pint_certificate: Path | None = None
    pint_certificate_key: Path | None = None
    peer_listen: str | None = None
    release_evidence_seconds: int = 60

    @property
    def is_demo(self) -> bool:
        return self.origin.startswith(DEMO_PREFIX)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError naming the variable that is missing or wrong."""
    settings = Settings(
        origin=_checked_origin(_required(environment, "BOL_ORIGIN")),
        platform_code=_checked_code(_required(environment, "BOL_PLATFORM_CODE")),
        database_url=_required(environment, "BOL_DATABASE_URL"),
        state_dir=Path(_required(environment, "BOL_STATE_DIR")),
        base_url=_required(environment, "BOL_BASE_URL").rstrip("/"),
        log_key=_required(environment, "BOL_LOG_KEY"),
        statement_key=_required(environment, "BOL_STATEMENT_KEY"),
        passphrase=_passphrase(environment),
        registrar_kids=frozenset(_required(environment, "BOL_REGISTRAR_KIDS").split(",")),
        clock_file=_optional_path(environment, "BOL_CLOCK_FILE"),
        retired_log_keys=_optional_path(environment, "BOL_RETIRED_LOG_KEYS"),
        witnesses=_optional_path(environment, "BOL_WITNESSES"),
        witness_certificates=_optional_path(environment, "BOL_WITNESS_CERTIFICATES"),
        witness_key=environment.get("BOL_WITNESS_KEY", "").strip() or None,
        witness_name=environment.get("BOL_WITNESS_NAME", "").strip() or None,
        witnessed_logs=_optional_path(environment, "BOL_WITNESSED_LOGS"),
        webhook_key=environment.get("BOL_WEBHOOK_KEY", "").strip() or None,
        webhook_loopback=_switch(environment, "BOL_WEBHOOK_LOOPBACK"),
        refuse_personal_data=_refuses_personal_data(environment),
        proxies=_proxies(environment),
        trust_file=_optional_path(environment, "BOL_TRUST_FILE"),
        verify_address=_verify_address(environment),
        peers=_optional_path(environment, "BOL_PEERS"),
        pint_key=environment.get("BOL_PINT_KEY", "").strip() or None,
        pint_certificate=_optional_path(environment, "BOL_PINT_CERTIFICATE"),
        pint_certificate_key=_optional_path(environment, "BOL_PINT_CERTIFICATE_KEY"),
        peer_listen=_listen(environment),
        release_evidence_seconds=_evidence_seconds(environment),
    )
    if (settings.peers is None) != (settings.pint_key is None):
        raise SettingsError(
            "exchange needs both BOL_PEERS and BOL_PINT_KEY; one of them is not set"
        )
    if (settings.witness_key is None) != (settings.witnessed_logs is None):
        raise SettingsError(
            "a witness needs both BOL_WITNESS_KEY and BOL_WITNESSED_LOGS; one of them is not set"
        )
    if settings.clock_file is not None and not settings.is_demo:
        raise SettingsError(
            f"BOL_CLOCK_FILE is for origins that begin with {DEMO_PREFIX!r}, not {settings.origin}"
        )
    if settings.webhook_loopback and not settings.is_demo:
        raise SettingsError(
            f"BOL_WEBHOOK_LOOPBACK is for origins that begin with {DEMO_PREFIX!r}, not "
            f"{settings.origin}"
        )
    return settings


def database_only(environment: Mapping[str, str]) -> tuple[str, str]:
    """(origin, database URL) for commands that need no key."""
    origin = _checked_origin(_required(environment, "BOL_ORIGIN"))
    return origin, _required(environment, "BOL_DATABASE_URL")


def witnesses_only(environment: Mapping[str, str]) -> Path | None:
    """BOL_WITNESSES, for commands that need no key."""
    return _optional_path(environment, "BOL_WITNESSES")


def clock_file_only(environment: Mapping[str, str]) -> Path | None:
    """BOL_CLOCK_FILE, for commands that need no key."""
    return _optional_path(environment, "BOL_CLOCK_FILE")


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set; see docs/operations.md")
    return value


def _optional_path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name, "").strip()
    return Path(value) if value else None


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").strip()
    if value not in ("", "0", "1"):
        raise SettingsError(f"{name} is {value!r}; set it to 1 or leave it out")
    return value == "1"


def _proxies(environment: Mapping[str, str]) -> int:
    value = environment.get("BOL_PROXIES", "").strip() or "0"
    if not re.fullmatch(r"[0-9]", value):
        raise SettingsError(f"BOL_PROXIES is {value!r}; set it to the number of proxies, 0 to 9")
    return int(value)


def _verify_address(environment: Mapping[str, str]) -> str | None:
    value = environment.get("BOL_VERIFY_ADDRESS", "").strip()
    if not value:
        return None
    if not re.fullmatch(r"https?://[!-~]{1,200}", value):
        raise SettingsError(
            f"BOL_VERIFY_ADDRESS is {value!r}; give an http or https address without spaces, "
            "at most 200 characters"
        )
    return value


def _refuses_personal_data(environment: Mapping[str, str]) -> bool:
    value = environment.get("BOL_PERSONAL_DATA", "").strip() or "warn"
    if value not in ("warn", "refuse"):
        raise SettingsError(f"BOL_PERSONAL_DATA is {value!r}; set it to warn or refuse")
    return value == "refuse"


def _evidence_seconds(environment: Mapping[str, str]) -> int:
    value = environment.get("BOL_RELEASE_EVIDENCE_SECONDS", "").strip() or "60"
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 5 <= int(value) <= 600:
        raise SettingsError(
            f"BOL_RELEASE_EVIDENCE_SECONDS is {value!r}; set it to seconds, 5 to 600"
        )
    return int(value)


def _listen(environment: Mapping[str, str]) -> str | None:
    value = environment.get("BOL_PEER_LISTEN", "").strip()
    if value and not re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}", value):
        raise SettingsError(f"BOL_PEER_LISTEN {value!r} is not HOST:PORT")
    return value or None


def _checked_origin(origin: str) -> str:
    try:
        check_origin(origin)
    except ValueError as error:
        raise SettingsError(f"BOL_ORIGIN: {error}") from None
    return origin


def _checked_code(code: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]{2,4}", code):
        raise SettingsError(f"BOL_PLATFORM_CODE {code!r} is not 2 to 4 capitals and digits")
    return code


def _passphrase(environment: Mapping[str, str]) -> bytes:
    path = environment.get("BOL_KEY_PASSPHRASE_FILE", "").strip()
    if path:
        try:
            return Path(path).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise SettingsError(f"BOL_KEY_PASSPHRASE_FILE {path}: {error.strerror}") from None
    return _required(environment, "BOL_KEY_PASSPHRASE").encode()
