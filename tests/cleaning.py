"""Clean up after tests that really commit: take away what they wrote, and bring back what migrations had written.

Django empties every table and leaves the rows of migrations away: a second for each such test, and there are hundreds.
Here only tables with rows are emptied, by DELETE and without their triggers (some refuse it), and the rows of
migrations come back from copies. One function of the tests' own database does it, so that nobody has the right to
switch triggers off anywhere else. Where nobody may make it, tests are cleaned up after as Django does.
"""

from __future__ import annotations

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase

from config.postgres.server import SUPERUSER

#: Where the copies lie, and the function.
_SCHEMA = "before_tests"
_CLEAN_UP = f"""
CREATE FUNCTION {_SCHEMA}.clean_up(tables text[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET session_replication_role = 'replica' SET search_path = public AS $function$
DECLARE
    name text;
    is_copied boolean;
    is_as_it_was boolean;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        is_copied := to_regclass(format('{_SCHEMA}.%I', name)) IS NOT NULL;
        IF is_copied THEN
            EXECUTE format(
                'SELECT (SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM %1$I AS row)'
                ' = (SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM {_SCHEMA}.%1$I AS row)', name
            ) INTO is_as_it_was;
            CONTINUE WHEN is_as_it_was;
        END IF;
        EXECUTE format('DELETE FROM %I', name);
        IF is_copied THEN
            EXECUTE format('INSERT INTO %1$I OVERRIDING SYSTEM VALUE SELECT * FROM {_SCHEMA}.%1$I', name);
        END IF;
    END LOOP;
END
$function$
"""


def learn() -> None:
    """Copy what a database that was only migrated holds, and clean up by it from now on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_SCHEMA}")
        for table in _filled():
            cursor.execute(f'CREATE TABLE {_SCHEMA}."{table}" AS TABLE "{table}"')
    if settings.EMBEDDED_POSTGRESQL:
        place = connection.settings_dict
        with psycopg.connect(host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=SUPERUSER) as opened:
            opened.execute(_CLEAN_UP)
    elif _may_switch_triggers_off():
        with connection.cursor() as cursor:
            cursor.execute(_CLEAN_UP)
    else:
        return
    type.__setattr__(TransactionTestCase, "_fixture_teardown", lambda _case: clean_up())


def clean_up() -> None:
    """Leave the database as `learn` found it, but for the values of sequences."""
    tables = sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        filled = set(_filled())
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [_SCHEMA])
        filled |= {name for (name,) in cursor.fetchall()}
        touched = [table for table in tables if table in filled]
        cursor.execute(f"SELECT {_SCHEMA}.clean_up(%s::text[])", [touched])


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
