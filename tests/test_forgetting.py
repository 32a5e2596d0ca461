"""What nobody can come in by any more is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from config.tasks import forget_expired


@pytest.mark.django_db
def test_expired_tokens_and_sessions_go_and_live_ones_stay() -> None:
    person = User.objects.create_user("partner")
    client = Application.objects.create(
        name="partner",
        user=person,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret="s" * 40,
    )
    for name, hours in (("gone", -1), ("alive", 1)):
        expires = timezone.now() + timedelta(hours=hours)
        AccessToken.objects.create(application=client, user=person, token=name, expires=expires, scope="")
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    forget_expired()
    forget_expired()
    assert AccessToken.objects.count() == 1
    assert AccessToken.objects.get().expires > timezone.now()
    assert [row.session_key for row in Session.objects.all()] == ["alive"]
