"""Customers' links, and the words in which customers read a status."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from orders import wording
from orders.actions import tracking
from orders.models import CustomerWord, TrackingLink
from orders.tracking import state_of
from parts.admin.deeds import Deed, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Shown
from parts.labels import names_of

_STATES = {"working": _("Works"), "expired": _("Expired"), "revoked": _("Revoked")}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the states."""
        return list(_STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the links in the chosen state."""
        now = timezone.now()
        kept = {
            "working": Q(revoked_at=None, expires_at__gt=now),
            "expired": Q(revoked_at=None, expires_at__lte=now),
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(kept[self.value() or ""]) if self.value() in kept else queryset


def _revoke(subject: TrackingLink, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    tracking.revoke(link_id=subject.pk, **told)
    return Done(_g("The link does not work any more."))


@admin.register(TrackingLink)
class TrackingLinkOffice(Shown):
    list_display = ("to", "customer", "requester", "state", "created_at", "expires_at", "last_seen_at")
    list_filter = (StateFilter, ("customer", ChosenFilter))
    list_select_related = ("service_order", "parts_order", "customer")
    search_fields = ("service_order__reference", "parts_order__reference", "requester", "customer__name")
    search_help_text = _("Order, customer or whom it was made for")
    ordering = ("-id",)
    deeds = (
        Deed(
            slug="revoke",
            title=_("Revoke"),
            permission="orders.revoke_trackinglink",
            act=_revoke,
            offered=lambda link: link.revoked_at is None,
            icon="link_off",
            danger=True,
            inline=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrackingLink]:
        """Read the orders along."""
        return super().get_queryset(request).select_related("service_order", "parts_order", "customer")

    def title_of(self, subject: Any) -> str:
        """Say where it leads."""
        return f"{subject.order.reference} · {subject.customer}"

    @display(description=_("leads to"))
    def to(self, link: TrackingLink) -> str:
        """The order's reference."""
        return link.order.reference

    @display(description=_("state"))
    def state(self, link: TrackingLink) -> str:
        """Whether it works."""
        return str(_STATES[state_of(link, timezone.now())])


@admin.register(CustomerWord)
class CustomerWordOffice(Shown):
    """All that was ever published; words are written on a page of their own, side by side (`messages:status-words`)."""

    list_display = ("status_word", "subject", "tongue", "word", "effective_from", "publisher", "why", "is_withdrawn")
    list_filter = (("subject", ChoicesDropdownFilter), "language", ("effective_from", RangeDateFilter))
    search_fields = ("word", "next_step", "status", "why")
    search_help_text = _("Word or status")
    ordering = ("subject", "status", "language", "-effective_from", "id")
    fields = (
        "subject",
        "status_word",
        "tongue",
        "word",
        "next_step",
        "effective_from",
        "why",
        "publisher",
        "published_at",
        "withdrawn_at",
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the names of who published for the whole list at once."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        names = names_of(row.published_by for row in changelist.result_list)
        for row in changelist.result_list:
            row.publisher_name = names[row.published_by]
        return changelist

    def title_of(self, subject: Any) -> str:
        """Say which status in which language."""
        return f"{self.status_word(subject)} · {subject.language_name}"

    @display(description=_("language"), ordering="language")
    def tongue(self, row: CustomerWord) -> str:
        """The language, in the reader's."""
        return row.language_name

    @display(description=_("status"), ordering="status")
    def status_word(self, row: CustomerWord) -> str:
        """The status in the words of the house."""
        return str(wording.label_of(row.subject, row.status))

    @display(description=_("published by"), ordering="published_by")
    def publisher(self, row: CustomerWord) -> str:
        """The name of who published it."""
        return getattr(row, "publisher_name", "") or names_of([row.published_by])[row.published_by]

    @display(description=_("withdrawn"), boolean=True)
    def is_withdrawn(self, row: CustomerWord) -> bool:
        """Whether it was taken back before it began."""
        return row.withdrawn_at is not None
