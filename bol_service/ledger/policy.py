"""Which logs are known, which witnesses, and how many of them are enough (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member>...
    quorum <name>|none

1. One item a line; spaces and tabs divide; lines that begin with # say nothing.
2. A name is defined once, before it is used, and is a member of one group at most.
3. No public key stands twice among the logs, or twice among the witnesses.
4. There is exactly one quorum line; `none` asks for no cosignature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from bol_service.ledger.note import KeyType, NoteError, VerifierKey, parse_vkey

NONE: Final = "none"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile(r"[1-9][0-9]{0,4}")


class PolicyError(ValueError):
    """The policy cannot be used; the message names the line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownLog:
    """The key's name is the log's origin."""

    key: VerifierKey
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownWitness:
    """`name` counts within the policy only; the key has the name that signs."""

    name: str
    key: VerifierKey
    url: str | None

    @property
    def id(self) -> str:
        return witness_id(self.key)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    least: int
    members: tuple[str, ...]


def witness_id(key: VerifierKey) -> str:
    """Name and key id, as a signature line tells them; the beginning of the vkey."""
    return f"{key.name}+{key.key_id.hex()}"


@dataclass(kw_only=True)
class Policy:
    """Made by `parse_policy` and never changed after it."""

    logs: list[KnownLog] = field(default_factory=list)
    witnesses: list[KnownWitness] = field(default_factory=list)
    quorum: str = NONE
    _groups: dict[str, _Group] = field(default_factory=dict)

    def is_met_by(self, signers: Collection[str]) -> bool:
        """Whether cosignatures of these witnesses (`witness_id`) reach the quorum."""
        if self.quorum == NONE:
            return True
        return self._has_witnessed(self.quorum, {w.name for w in self.witnesses if w.id in signers})

    def _has_witnessed(self, name: str, present: set[str]) -> bool:
        group = self._groups.get(name)
        if group is None:
            return name in present
        counted = sum(self._has_witnessed(member, present) for member in group.members)
        return counted >= group.least


def parse_policy(text: str) -> Policy:
    """Raises PolicyError."""
    return _Reader().read(text)


class _Reader:
    def __init__(self) -> None:
        self._policy = Policy()
        self._names: set[str] = {NONE}
        self._members: set[str] = set()
        self._quorums = 0
        self._kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }

    def read(self, text: str) -> Policy:
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                self._line(line)
            except (PolicyError, NoteError) as error:
                raise PolicyError(f"line {number}: {error}") from None
        if self._quorums != 1:
            raise PolicyError(
                f"a policy has one quorum line, not {self._quorums}; without any quorum write: "
                "quorum none"
            )
        return self._policy

    def _line(self, line: str) -> None:
        if _CONTROL.search(line):
            raise PolicyError("a control character other than tab")
        items = [item for item in re.split("[ \t]+", line) if item]
        if not items or items[0].startswith("#"):
            return
        kind = self._kinds.get(items[0])
        if kind is None:
            raise PolicyError(f"{items[0][:40]!r} is none of {', '.join(self._kinds)}")
        kind(items[1:])

    def _log(self, items: list[str]) -> None:
        vkey, url = _with_url(items, 1, "log <vkey> [<url>]")
        key = _key(vkey[0], KeyType.ED25519, "a log signs")
        if key.public in [known.key.public for known in self._policy.logs]:
            raise PolicyError(f"the key of {key.name} stands in two log lines")
        self._policy.logs.append(KnownLog(key=key, url=url))

    def _witness(self, items: list[str]) -> None:
        (name, vkey), url = _with_url(items, 2, "witness <name> <vkey> [<url>]")
        key = _key(vkey, KeyType.COSIGNATURE, "a witness cosigns")
        if key.public in [known.key.public for known in self._policy.witnesses]:
            raise PolicyError(f"the key of {key.name} stands in two witness lines")
        self._define(name)
        self._policy.witnesses.append(KnownWitness(name=name, key=key, url=url))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            raise PolicyError("a group is: group <name> all|any|<k> <member>...")
        name, least, members = items[0], items[1], items[2:]
        for member in members:
            self._require_defined(member)
            if member in self._members:
                raise PolicyError(f"{member!r} is a member of a group already")
            self._members.add(member)
        self._define(name)
        needed = _least(least, len(members))
        self._policy._groups[name] = _Group(least=needed, members=tuple(members))

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1:
            raise PolicyError("a quorum is: quorum <name>, or quorum none")
        if items[0] != NONE:
            self._require_defined(items[0])
        self._policy.quorum = items[0]
        self._quorums += 1

    def _define(self, name: str) -> None:
        if name in self._names:
            raise PolicyError(f"the name {name!r} is taken already")
        self._names.add(name)

    def _require_defined(self, name: str) -> None:
        if name == NONE or name not in self._names:
            raise PolicyError(f"{name!r} is no witness and no group of an earlier line")


def _with_url(items: list[str], count: int, form: str) -> tuple[list[str], str | None]:
    if len(items) not in (count, count + 1):
        raise PolicyError(f"this line is written: {form}")
    return items[:count], items[count] if len(items) > count else None


def _key(vkey: str, wanted: KeyType, who: str) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.type is not wanted:
        raise PolicyError(
            f"{who} with a key of type {wanted:#04x}, that of {key.name} is {key.type:#04x}"
        )
    return key


def _least(text: str, count: int) -> int:
    if text in ("any", "all"):
        return 1 if text == "any" else count
    if not _COUNT.fullmatch(text) or int(text) > count:
        raise PolicyError(f"all, any or 1 to {count} members make the group, not {text[:40]!r}")
    return int(text)
