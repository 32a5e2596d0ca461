"""The database of the tests: real PostgreSQL, embedded or the one that DATABASE_URL names."""

import pytest
from django.conf import settings

from config.postgres.base import server


def pytest_configure(config: pytest.Config) -> None:
    """Keep the embedded server running as long as the whole session, whichever of its workers ends first."""
    # Hashing a password slowly on purpose would be most of what a test with a log-in costs.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if settings.EMBEDDED_POSTGRESQL and not hasattr(config, "workerinput"):
        server().join()
