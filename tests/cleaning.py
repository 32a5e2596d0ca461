"""Clean up after tests that really commit: take away what they wrote, and bring back what migrations had written.

Django empties every table and then lets every app write its first rows again: a second for each such test, and there
are hundreds. Here only tables with rows are emptied, by DELETE and without their triggers (some refuse it), and the
rows of migrations come back from copies. Who may not switch triggers off (`session_replication_role`) cleans up as
Django does.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.test import TransactionTestCase

#: Where the copies lie.
_SCHEMA = "before_tests"


def learn() -> None:
    """Copy what a database that was only migrated holds, and clean up by it from now on."""
    if not _may_switch_triggers_off():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_SCHEMA}")
        for table in _filled():
            cursor.execute(f'CREATE TABLE {_SCHEMA}."{table}" AS TABLE "{table}"')
    type.__setattr__(TransactionTestCase, "_fixture_teardown", lambda _case: clean_up())


def clean_up() -> None:
    """Leave the database as `learn` found it, but for the values of sequences."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [_SCHEMA])
        copied = {name for (name,) in cursor.fetchall()}
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        for table in _filled():
            if table not in copied:
                cursor.execute(f'DELETE FROM "{table}"')
        for table in sorted(copied):
            cursor.execute(
                f'SELECT (SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM "{table}" AS row)'
                f' = (SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM {_SCHEMA}."{table}" AS row)'
            )
            if not cursor.fetchone()[0]:  # null where it is empty now
                cursor.execute(f'DELETE FROM "{table}"')
                cursor.execute(f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE SELECT * FROM {_SCHEMA}."{table}"')


def _filled() -> list[str]:
    """Return the tables of models that hold rows. One statement."""
    tables = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f'EXISTS (SELECT FROM "{table}")' for table in tables))
        return [table for table, holds in zip(tables, cursor.fetchone(), strict=True) if holds]


def _may_switch_triggers_off() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on', current_setting('server_version_num')::integer")
        is_superuser, version = cursor.fetchone()
        if is_superuser or version < 150_000:
            return bool(is_superuser)
        cursor.execute("SELECT has_parameter_privilege(current_user, 'session_replication_role', 'SET')")
        return bool(cursor.fetchone()[0])
