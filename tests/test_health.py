"""Probes and request ids."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.template import engines

from config.health import reasons_not_ready


def test_livez_answers_without_the_database(client):
    response = client.get("/livez")  # this test has no database: pytest-django would refuse a query
    assert response.status_code == 200
    assert response.json() == {"status": "alive"}


def test_readyz_answers_when_the_database_is_there_and_migrated(client, db):
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})
    assert "no-store" in response["Cache-Control"]


def test_readyz_names_the_migration_that_is_missing(client, db):
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "sessions.0001_initial" in response.json()["reasons"][0]


@pytest.mark.django_db(databases=[])
def test_a_database_that_is_away_is_a_reason_and_not_an_error(tmp_path, django_db_blocker):
    away = settings.DATABASES["default"] | {"ENGINE": "django.db.backends.postgresql", "HOST": str(tmp_path)}
    with django_db_blocker.unblock():
        reasons = reasons_not_ready(ConnectionHandler({"default": away})["default"])
    assert reasons == ["The database does not answer."]


def test_probes_are_read_only(client):
    assert client.post("/livez").status_code == 405


def test_a_well_formed_request_id_is_kept(client):
    assert client.get("/livez", headers={"X-Request-ID": "erp-2026.11_0042"})["X-Request-ID"] == "erp-2026.11_0042"


@pytest.mark.parametrize(
    "given", ["", "short", "two words here", "a" * 129, "line\tbreak-line", "<script>alert</script>"]
)
def test_any_other_request_id_is_replaced(client, given):
    assert re.fullmatch(r"[0-9a-f]{32}", client.get("/livez", headers={"X-Request-ID": given})["X-Request-ID"])


def test_each_answer_has_a_log_line_with_its_request_id_and_route(client, db, caplog):
    caplog.set_level("INFO", logger="backline.request")
    client.get("/accounts/login/?next=/secret", headers={"X-Request-ID": "request-0001"})
    (record,) = [record for record in caplog.records if record.name == "backline.request"]
    assert (record.method, record.route, record.status) == ("GET", "accounts/login/", 200)
    assert "secret" not in record.getMessage()


def test_every_template_compiles():
    engine = engines["django"]
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        engine.get_template(str(path.relative_to(settings.BASE_DIR / "templates")))
