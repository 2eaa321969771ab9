"""A PostgreSQL database as an operator keeps it: one role owns and migrates, another one serves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from bol_service.storage import roles
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests.desk import ORIGIN
from tests.fresh_database import migrate


@dataclass(frozen=True, kw_only=True)
class Parted:
    """A migrated database with an owner and a service role."""

    admin: Engine
    owner_url: URL
    service_url: URL
    as_owner: Engine
    as_service: Engine

    @property
    def owner(self) -> str:
        assert self.owner_url.username
        return self.owner_url.username

    @property
    def service(self) -> str:
        assert self.service_url.username
        return self.service_url.username

    def as_admin(self, statement: str) -> None:
        with self.admin.begin() as connection:
            connection.execute(text(statement.format(owner=self.owner, service=self.service)))


def plain(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def divided(url: str) -> Iterator[Parted]:
    """Two roles in the database of `url`, one of them its owner; both are dropped at the end."""
    admin, given = create_engine(url), make_url(url)
    password = secrets.token_urlsafe(16)
    owner, service = (f"bol_{part}_{secrets.token_hex(4)}" for part in ("owner", "service"))
    owner_url, service_url = (
        given.set(username=role, password=password) for role in (owner, service)
    )
    made = Parted(
        admin=admin,
        owner_url=owner_url,
        service_url=service_url,
        as_owner=open_engine(plain(owner_url)),
        as_service=open_engine(plain(service_url)),
    )
    for role in (owner, service):
        made.as_admin(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    made.as_admin(f'ALTER DATABASE "{given.database}" OWNER TO {owner}')
    migrate(made.as_owner)
    SqlStore(made.as_owner).create_log(ORIGIN)
    roles.grant(made.as_owner, service)
    try:
        yield made
    finally:
        made.as_owner.dispose()
        made.as_service.dispose()
        made.as_admin("REASSIGN OWNED BY {owner}, {service} TO CURRENT_USER")
        made.as_admin("DROP OWNED BY {owner}, {service}")
        made.as_admin("DROP ROLE {owner}, {service}")
        admin.dispose()
