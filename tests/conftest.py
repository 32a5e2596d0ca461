"""The database of the tests: real PostgreSQL, embedded or the one that DATABASE_URL names."""

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from config.postgres.base import server


def pytest_configure(config: pytest.Config) -> None:
    """Keep the embedded server running as long as the whole session, whichever of its workers ends first."""
    # Hashing a password slowly on purpose would be most of what a test with a log-in costs.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if settings.EMBEDDED_POSTGRESQL and not hasattr(config, "workerinput"):
        server().join()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let a test that really commits be cleaned up after, which is done by TRUNCATE.

    Only here, in the tests' own database, are the triggers off that refuse to empty an append-only table; those that
    refuse UPDATE and DELETE stay on, and tests/parts/test_append_only.py switches this one on again to show it works.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname)"
            " FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 <> 0"  # 32: fires on TRUNCATE
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
