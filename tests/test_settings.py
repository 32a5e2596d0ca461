"""Settings refuse nonsense, and production refuses what is unsafe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from config import environment

ROOT = Path(settings.BASE_DIR)
PRODUCTION = {
    "BACKLINE_ENV": "production",
    "SECRET_KEY": "0Qw3vX8kZr5Tn1Lb7Hd2Mj9Py4Gs6Fc0Ae3Uo8Ti5Rk1Wq7Nz2Bx",
    "LEDGER_SIGNING_KEY": "5b1f0c93a7d24e8866f1029bb3c57de04a98f2617c3e5d80b9a4c6f7120e3d5a",
    "ALLOWED_HOSTS": "backline.example",
    "CSRF_TRUSTED_ORIGINS": "https://backline.example",
    "BEHIND_PROXY": "true",
}
OURS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "EMAIL_URL", "LOG_LEVEL"}
OURS |= {"LEDGER_SIGNING_KEY", "LEDGER_FORMER_KEYS"}


def manage(*arguments, var, **variables):
    """Run manage.py in a process of its own, with nothing of our own environment but what is given."""
    clean = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("BACKLINE_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=clean | {"BACKLINE_VAR": str(var)} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKLINE_ENV", "staging"),
        ("REPLY_ADDRESS", "far-too-long-to-bear-a-token@backline.example"),
        ("EMAIL_PROVIDER", "pigeon"),
        ("VAPID_PRIVATE_KEY", "short"),
        ("SMS_WEBHOOK_TOKEN", "guessed"),
        ("ANYMAIL_WEBHOOK_SECRET", "short:secret"),
        ("ANYMAIL_SEND_DEFAULTS", "{track_opens}"),
        ("BACKLINE_DEMO", "perhaps"),
        ("DATABASE_URL", "mysql://root@localhost/backline"),
        ("DATABASE_URL", "postgres://localhost"),
        ("DATABASE_URL", "postgres://localhost:notaport/backline"),
        ("REDIS_URL", "http://localhost"),
        ("CSRF_TRUSTED_ORIGINS", "backline.example"),
        ("EMAIL_URL", "pigeon://loft"),
        ("LOG_LEVEL", "chatty"),
        ("LEDGER_FORMER_KEYS", "my key"),
        ("TASK_WORKERS", "many"),
        ("TASK_WORKERS", "0"),
        ("DATABASE_PREPARE_THRESHOLD", "-1"),
    ],
)
def test_nonsense_is_refused_and_the_variable_named(tmp_path, name, value):
    result = manage("check", var=tmp_path, **{name: value})
    assert result.returncode != 0
    assert f"ImproperlyConfigured: {name} " in result.stderr


def test_a_refused_database_url_does_not_show_its_password(tmp_path):
    result = manage("check", var=tmp_path, DATABASE_URL="postgres://me:hunter2@host:port/name")
    assert "ImproperlyConfigured: DATABASE_URL" in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"SECRET_KEY": ""},
        {"SECRET_KEY": "short"},
        {"SECRET_KEY": "a" * 60},
        {"LEDGER_SIGNING_KEY": ""},
        {"LEDGER_SIGNING_KEY": "5b1f"},
        {"LEDGER_SIGNING_KEY": "0" * 64},
        {"ALLOWED_HOSTS": ""},
        {"ALLOWED_HOSTS": "*"},
        {"BACKLINE_DEMO": "true"},
        {"BACKLINE_DEBUG": "true"},
    ],
)
def test_production_refuses_what_is_missing_or_unsafe(tmp_path, change):
    result = manage("check", var=tmp_path, **(PRODUCTION | change))
    assert result.returncode != 0
    assert f"ImproperlyConfigured: {next(iter(change))} " in result.stderr


def test_production_settings_pass_the_deployment_check_without_a_warning(tmp_path):
    result = manage("check", "--deploy", "--fail-level", "WARNING", var=tmp_path, **PRODUCTION)
    assert result.returncode == 0, result.stderr


def test_production_writes_one_json_object_per_log_line(tmp_path):
    code = "import logging; logging.getLogger('orders').warning('late', extra={'order': 7})"
    result = manage("shell", "--verbosity=0", "-c", code, var=tmp_path, **PRODUCTION)
    line = json.loads(result.stderr.splitlines()[-1])
    assert (line["level"], line["logger"], line["message"], line["order"]) == ("WARNING", "orders", "late", 7)
    assert {"time", "request_id"} <= line.keys()


def test_the_development_secret_is_made_once_and_read_by_its_owner_only(tmp_path):
    file = tmp_path / "new" / "secret_key"
    first = environment.generated_secret(file)
    assert len(first) >= 50
    assert environment.generated_secret(file) == first
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("ON", True), ("0", False), ("no", False), ("", True)])
def test_a_flag_is_a_yes_or_a_no(monkeypatch, word, meant):
    monkeypatch.setenv("BACKLINE_EXAMPLE", word)
    assert environment.flag("BACKLINE_EXAMPLE", default=True) is meant


def test_a_number_out_of_bounds_is_refused(monkeypatch):
    monkeypatch.setenv("BACKLINE_EXAMPLE", "65536")
    with pytest.raises(ImproperlyConfigured, match=r"BACKLINE_EXAMPLE .* from 1 to 65535"):
        environment.number("BACKLINE_EXAMPLE", 8000, minimum=1, maximum=65535)


def test_a_task_is_never_started_again_while_it_may_still_run():
    cluster = settings.Q_CLUSTER
    assert cluster["timeout"] < cluster["retry"]
    assert settings.Q_CLUSTER["save_limit"] == -1
    assert settings.Q_CLUSTER["catch_up"] is False


def test_statements_are_bound_by_the_server_and_prepared_after_some_uses(db):
    statement = "SELECT %s::integer + 41"
    with connection.cursor() as cursor:
        for _ in range(7):
            cursor.execute(statement, [1])
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        assert ("SELECT $1::integer + 41",) in cursor.fetchall()
