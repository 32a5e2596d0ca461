"""Who works on jobs."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet


def technicians() -> QuerySet[User]:
    """Return the active people of the house who may claim a job, by name."""
    roles = User.groups.through.objects.filter(user_id=OuterRef("pk"))
    may = roles.filter(
        group__permissions__codename="claim_serviceorder", group__permissions__content_type__app_label="orders"
    )
    return User.objects.filter(Exists(may), is_active=True, is_staff=True).order_by(
        "first_name", "last_name", "username", "pk"
    )
