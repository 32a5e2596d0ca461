"""The database of the tests: real PostgreSQL, embedded or the one that DATABASE_URL names."""

import os
import tempfile
from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import translation
from pytest_django import DjangoDbBlocker

from config import roles
from config.guessing import wrong_tries
from config.postgres.base import server
from tests import cleaning
from tests.template import ready_template

#: Folders of tests that come in by a door: pages and the API.
DOORS = {"admin", "api", "browser", "desk", "messages", "phone", "tracking"}
PASSWORD = "correct horse battery staple"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the embedded server running as long as the whole session, whichever of its workers ends first."""
    # Hashing a password slowly on purpose would be most of what a test with a log-in costs.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # What tests attach is thrown away with the rest of their files.
    settings.MEDIA_ROOT = tempfile.mkdtemp(prefix="media-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    # How hard laws are tried is set from outside; how long one try takes depends on who else uses the machine.
    examples = int(os.environ.get("BACKLINE_EXAMPLES", "100"))
    hypothesis.settings.register_profile("backline", deadline=None, max_examples=examples)
    hypothesis.settings.load_profile("backline")
    if settings.EMBEDDED_POSTGRESQL and not hasattr(config, "workerinput"):
        server().join()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what comes in by a door or asks no database: once is enough, whichever server is there."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        needs_database = item.get_closest_marker("django_db") or {"db", "transactional_db"} & fixtures
        if DOORS & set(item.path.relative_to(settings.BASE_DIR).parts) or not needs_database:
            item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Begin and end in English, whatever language a test was asked a page in."""
    translation.activate("en")
    yield
    translation.activate("en")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Copy a database that is migrated already."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = ready_template()


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
    with django_db_blocker.unblock():
        cleaning.learn()


@pytest.fixture(autouse=True)
def _nobody_has_guessed_yet() -> None:
    """What this process remembers of wrong passwords and tokens is of another test."""
    wrong_tries.empty_all()


def _person(name: str, role: roles.Role | None) -> User:
    person = User.objects.create_user(name, f"{name}@example.org", PASSWORD, first_name=name.capitalize())
    if role:
        roles.give_role(person, role)
    return person


@pytest.fixture
def manager(db: None) -> User:
    """The parts manager."""
    return _person("manager", roles.MANAGER)


@pytest.fixture
def dispatcher(db: None) -> User:
    """Places and moves orders."""
    return _person("dispatcher", roles.DISPATCHER)


@pytest.fixture
def technician(db: None) -> User:
    """Works on the machines."""
    return _person("technician", roles.TECHNICIAN)


@pytest.fixture
def auditor(db: None) -> User:
    """Reads all, writes nothing."""
    return _person("auditor", roles.AUDITOR)


@pytest.fixture
def partner(db: None) -> User:
    """Not of the house; whose orders they see is for the test to say (`CustomerAccess`)."""
    return _person("partner", roles.PARTNER)


@pytest.fixture
def administrator(db: None) -> User:
    """Sets up people and rights."""
    return _person("administrator", roles.ADMINISTRATOR)


@pytest.fixture
def nobody(db: None) -> User:
    """Can log in and belongs to nobody: no role, no customer."""
    return _person("nobody", None)


@pytest.fixture
def above_all(db: None) -> User:
    """Somebody above all rights: what even they cannot do, nobody can."""
    return User.objects.create_superuser("above-all", "above@example.org", "unused")
