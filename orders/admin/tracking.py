"""Customers' links, and the words in which customers read a status."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from orders import wording
from orders.actions import tracking
from orders.models import CustomerWord, TrackingLink
from orders.statuses import LineStatus, ServiceOrderStatus
from orders.tracking import state_of
from parts.admin.deeds import Deed, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited, Shown

_STATES = {"working": _("Works"), "expired": _("Expired"), "revoked": _("Revoked")}
_STATUSES = {
    wording.SERVICE_ORDER: dict(ServiceOrderStatus.choices),
    wording.LINE: dict(LineStatus.choices),
}


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
class CustomerWordOffice(Edited):
    list_display = ("status_word", "subject", "tongue", "reads", "is_changed", "next_step_read")
    list_filter = (("subject", ChoicesDropdownFilter), "language")
    search_fields = ("word", "next_step", "status")
    search_help_text = _("Word or status")
    ordering = ("subject", "status", "language", "id")
    readonly_fields = ("subject", "status_word", "tongue", "own_word", "own_next_step")
    fields = ("subject", "status_word", "tongue", "own_word", "word", "own_next_step", "next_step")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: every status has its rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an empty word is Backline's own."""
        return False

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
        return str(_STATUSES[row.subject].get(row.status, row.status))

    @display(description=_("Backline's own word"))
    def own_word(self, row: CustomerWord) -> str:
        """What is read where the word is empty."""
        return wording.own_words(row.subject, row.language).get(row.status, row.status)

    @display(description=_("Backline's own sentence"))
    def own_next_step(self, row: CustomerWord) -> str:
        """What is read where the sentence is empty."""
        return wording.own_next_steps(row.subject, row.language).get(row.status, "")

    @display(description=_("customers read"))
    def reads(self, row: CustomerWord) -> str:
        """The word in effect."""
        return row.word or self.own_word(row)

    @display(description=_("what happens next"))
    def next_step_read(self, row: CustomerWord) -> str:
        """The sentence in effect."""
        return row.next_step or self.own_next_step(row)

    @display(description=_("changed"), boolean=True)
    def is_changed(self, row: CustomerWord) -> bool:
        """Whether somebody chose other words."""
        return bool(row.word or row.next_step)
