"""Signed as Standard Webhooks says, by the vectors of its own libraries; secrets are sealed, and their key changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from integrations.actions import subscribing
from integrations.models import SigningSecret
from integrations.outbound import signing
from parts import sealing
from parts.sealing import NoSealingKey
from tests.integrations.listening import OURSELVES, account, listen, wish

#: https://github.com/standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py, test_sign_function.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_is_signed_as_published() -> None:
    assert signing.signature(SECRET, MESSAGE, AT, BODY) == SIGNATURE
    assert signing.signature(SECRET.removeprefix("whsec_"), MESSAGE, AT, BODY) == SIGNATURE
    assert signing.signature(SECRET, MESSAGE, AT + 1, BODY) != SIGNATURE


def test_each_secret_that_is_alive_signs() -> None:
    other = signing.new_secret()
    found = signing.headers([other, SECRET], MESSAGE, datetime.fromtimestamp(AT, UTC), BODY)
    assert (found["webhook-id"], found["webhook-timestamp"]) == (MESSAGE, str(AT))
    assert found["webhook-signature"].split(" ") == [signing.signature(other, MESSAGE, AT, BODY), SIGNATURE]


def test_the_published_verifier_takes_what_either_secret_signed_and_nothing_else() -> None:
    old, new, now = signing.new_secret(), signing.new_secret(), timezone.now()
    headers = signing.headers([new, old], "msg_1", now, BODY)
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, dict(headers)) == {"test": 2432232314}
    wrong = [
        (new, BODY + b" ", headers),
        (signing.new_secret(), BODY, headers),
        (new, BODY, {**headers, "webhook-id": "msg_2"}),
        (new, BODY, signing.headers([new], "msg_1", now - timedelta(minutes=6), BODY)),
    ]
    for secret, body, told in wrong:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, dict(told))


def test_a_secret_is_long_enough_and_of_its_own() -> None:
    first, second = signing.new_secret(), signing.new_secret()
    assert first != second
    assert 24 <= len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) <= 64


@pytest.mark.django_db
def test_a_secret_is_shown_once_and_kept_sealed() -> None:
    row, secret = subscribing.add(code="portal", account=account().pk, wish=wish(), by=OURSELVES, at=timezone.now())
    kept = bytes(SigningSecret.objects.get().sealed)
    assert secret.encode() not in kept
    assert base64.b64decode(secret.removeprefix("whsec_")) not in base64.urlsafe_b64decode(kept)
    assert subscribing.secrets_of([row.pk], timezone.now()) == {row.pk: [secret]}


@pytest.mark.django_db
def test_while_one_takes_the_place_of_the_other_two_are_alive_and_never_three() -> None:
    row = listen()
    now = timezone.now()
    [first] = subscribing.secrets_of([row.pk], now)[row.pk]
    second = subscribing.rotate_secret(subscriber=row.pk, by=OURSELVES, at=now)
    assert subscribing.secrets_of([row.pk], now)[row.pk] == [second, first]
    assert subscribing.secrets_of([row.pk], now + timedelta(hours=24))[row.pk] == [second]
    third = subscribing.rotate_secret(subscriber=row.pk, by=OURSELVES, at=now + timedelta(hours=1))
    assert subscribing.secrets_of([row.pk], now + timedelta(hours=1))[row.pk] == [third, second]


@pytest.mark.django_db
def test_the_key_that_seals_is_changed_without_a_gap(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SEALING_KEYS = [old]
    row = listen()
    [secret] = subscribing.secrets_of([row.pk], timezone.now())[row.pk]
    settings.SEALING_KEYS = [new, old]
    assert subscribing.secrets_of([row.pk], timezone.now())[row.pk] == [secret]
    said = StringIO()
    call_command("seal_anew", stdout=said)
    assert said.getvalue() == "1 secrets sealed anew.\n"
    settings.SEALING_KEYS = [new]
    assert subscribing.secrets_of([row.pk], timezone.now())[row.pk] == [secret]
    settings.SEALING_KEYS = [old]
    with pytest.raises(NoSealingKey):
        subscribing.secrets_of([row.pk], timezone.now())
    with pytest.raises(CommandError):
        call_command("seal_anew", stdout=StringIO())


def test_without_a_key_nothing_is_sealed(settings: Settings) -> None:
    settings.SEALING_KEYS = []
    with pytest.raises(NoSealingKey):
        sealing.seal("whsec_x")


def test_the_printed_key_is_one(settings: Settings) -> None:
    said = StringIO()
    call_command("make_sealing_key", stdout=said, stderr=StringIO())
    settings.SEALING_KEYS = [said.getvalue().strip().partition("=")[2]]
    assert sealing.open_sealed(sealing.seal("word")) == "word"


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a message as its reader does, apart from our own code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{mine}" in headers["webhook-signature"].split(" ")
