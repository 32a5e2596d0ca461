"""People at their desks in the back office, and the few words that tests of its pages need."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse


def desk_of(person: User) -> Client:
    """Return the browser of somebody who is signed in."""
    client = Client()
    client.force_login(person)
    return client


def page(row: Any) -> str:
    """Return the address of an object's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def deed(row: Any, slug: str) -> str:
    """Return the address of a deed; of a list's deed for a model."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}"
    return reverse(name, args=[] if isinstance(row, type) else [row.pk])


def said(answer: Any) -> str:
    """Return the messages that an answer carries."""
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def text(answer: Any) -> str:
    """Return a page."""
    return answer.content.decode()
