"""What the doors to orders share: nobody acts on what they may not see, and everybody sees what has happened to it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers

from orders.models import CustomerAccess, OrderEvent
from orders.querysets import sees_all
from parts.doors import Door
from parts.errors import Invalid, NotFound
from parts.masking import masked
from parts.sentences import sentence


class EventSerializer(serializers.Serializer[Any]):
    """One fact of a timeline. Who did it and the data of it are for staff; others read null and an empty object."""

    id = serializers.UUIDField()
    reference = serializers.CharField(help_text="What it is about.")
    version = serializers.IntegerField()
    kind = serializers.CharField(help_text="For example `line.status_changed`.")
    from_status = serializers.CharField(allow_blank=True)
    to_status = serializers.CharField(allow_blank=True)
    occurred_at = serializers.DateTimeField(help_text="By the clock of its source.")
    recorded_at = serializers.DateTimeField(help_text="By ours.")
    passed_through = serializers.BooleanField(help_text="A step on the way to another, not counted as time spent.")
    is_override = serializers.BooleanField()
    visibility = serializers.ChoiceField(choices=["internal", "public"])
    note = serializers.CharField(source="text.text", allow_blank=True)
    actor = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a field, taken off the class by DRF
    data = serializers.DictField(child=serializers.JSONField())  # type: ignore[assignment]  # the same

    def to_representation(self, instance: OrderEvent) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        shown["note"] = shown["note"] or ""  # there was none, or it has been erased
        return masked("event", shown, for_staff=bool(self.context.get("sees_all")))


class OrdersDoor(Door):
    """A resource of which a caller sees only what belongs to their customers (staff see all)."""

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "sees_all": sees_all(self.user)}

    def check_visible(self, visible: QuerySet[Any]) -> None:
        """Raise NotFound unless the caller may see the row of the address. No query for those who see all."""
        if not sees_all(self.user) and not visible.filter(pk=self.key).exists():
            raise NotFound(sentence("There is nothing here, or it is not yours to see."), id=str(self.key))

    def check_customer(self, customer_id: Any) -> None:
        """Raise Invalid unless the caller may order for the customer, as for one that does not exist."""
        if customer_id is None or sees_all(self.user):
            return
        if not CustomerAccess.objects.filter(user=self.user.pk, customer_id=customer_id).exists():
            raise Invalid(
                sentence("The order cannot be placed as it is."), {"customer": [sentence("There is no such customer.")]}
            )

    def timeline_of(self, events: QuerySet[Any]) -> HttpResponseBase:
        """Answer with a page of events as they happened; for those who do not see all, the public ones."""
        self.keyset = ("occurred_at", "recorded_at", "id")
        if not sees_all(self.user):
            events = events.filter(visibility="public")
        return self.page(events.select_related("text"))


class NoteSerializer(serializers.Serializer[Any]):
    """What is said with a step."""

    note = serializers.CharField(
        max_length=2000, default="", allow_blank=True, help_text="Kept with the event; a reason where one is asked for."
    )
    public = serializers.BooleanField(default=False, help_text="Whether the customer reads the note.")


class OverrideSerializer(serializers.Serializer[Any]):
    """A status against the flow. It is marked as an override for ever."""

    to = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=2000, allow_blank=True)
    reference = serializers.CharField(max_length=120, allow_blank=True, help_text="Who allowed it: a ticket, a mail.")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000, allow_blank=True)
