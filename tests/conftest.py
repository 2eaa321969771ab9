"""Fixtures that tests of every folder may ask for."""

from tests.postgres import database_url, new_postgres_database, postgres_server, postgres_url

__all__ = ["database_url", "new_postgres_database", "postgres_server", "postgres_url"]
