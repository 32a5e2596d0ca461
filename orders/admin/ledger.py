"""The ledger as it stands: looked at, never touched."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from orders.admin.chained import ByReference
from orders.admin.timeline import STATUS_WORDS
from orders.event_words import title_of
from orders.models import EventCursor, EventText, LedgerAnchor, OrderEvent
from parts.admin.offices import Shown
from parts.labels import mark, status_label


@admin.register(OrderEvent)
class OrderEventOffice(ByReference, Shown):
    list_display = ("occurred_at", "reference", "version", "what", "change", "by", "source", "marks")
    list_filter = (
        ("subject_kind", ChoicesDropdownFilter),
        "is_override",
        "passed_through",
        ("visibility", ChoicesDropdownFilter),
        ("occurred_at", RangeDateTimeFilter),
    )
    search_fields = ("reference", "kind", "actor", "message_id")
    search_help_text = _("Reference of the subject, kind of event, actor or external message")
    ordering = ("-id",)
    exclude = ("previous_hash", "hash", "note_commitment")
    readonly_fields = ("written", "hash_before", "hash_now", "committed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        """Read what was written along."""
        return super().get_queryset(request).select_related("text")

    @display(description=_("event"), ordering="kind")
    def what(self, event: OrderEvent) -> str:
        """The kind, in words."""
        return title_of(event.kind)

    @display(description=_("status"))
    def change(self, event: OrderEvent) -> SafeString | str:
        """From where to where."""
        if not event.to_status:
            return ""
        # Statuses of a back order are named on the floor above; their words are known to the translations alone.
        word = STATUS_WORDS.get(event.to_status) or _(event.to_status.replace("_", " ").capitalize())
        return status_label(event.to_status, word)

    @display(description=_("marks"))
    def marks(self, event: OrderEvent) -> SafeString | str:
        """Overrides and steps that were passed through."""
        if event.is_override:
            return mark("danger", "shield-alert", _("Override"))
        return mark("neutral", "arrow-right", _("Passed through")) if event.passed_through else ""

    @display(description=_("note"))
    def written(self, event: OrderEvent) -> str:
        """The text in the vault, unless it was erased."""
        text = getattr(event, "text", None)
        return text.text if text else ""

    @display(description=_("previous hash"))
    def hash_before(self, event: OrderEvent) -> str:
        """The hash of the event before, in hexadecimal."""
        return bytes(event.previous_hash).hex() or "–"

    @display(description=_("hash"))
    def hash_now(self, event: OrderEvent) -> str:
        """The hash of this event, in hexadecimal."""
        return bytes(event.hash).hex()

    @display(description=_("commitment to the note"))
    def committed(self, event: OrderEvent) -> str:
        """What the hash covers instead of the text."""
        return bytes(event.note_commitment).hex() if event.note_commitment else "–"


@admin.register(EventText)
class EventTextOffice(Shown):
    list_display = ("event", "text")
    list_select_related = ("event",)
    search_fields = ("event__reference", "text")
    ordering = ("-id",)
    fields = ("event", "text")


@admin.register(EventCursor)
class EventCursorOffice(Shown):
    list_display = ("name", "events_read", "transaction_id", "event_id", "updated_at")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(LedgerAnchor)
class LedgerAnchorOffice(Shown):
    list_display = ("day", "subjects", "events", "made_at")
    search_fields = ("day",)
    ordering = ("-day",)
    fields = ("day", "made_at", "subjects", "events", "digest", "before", "signed_by", "signature_text")
    readonly_fields = ("digest", "before", "signed_by", "signature_text")

    @display(description=_("digest over all heads"))
    def digest(self, anchor: Any) -> str:
        """In hexadecimal."""
        return bytes(anchor.head_digest).hex()

    @display(description=_("digest of the anchor before"))
    def before(self, anchor: Any) -> str:
        """In hexadecimal."""
        return bytes(anchor.previous_digest).hex()

    @display(description=_("public key"))
    def signed_by(self, anchor: Any) -> str:
        """In hexadecimal."""
        return bytes(anchor.public_key).hex()

    @display(description=_("Ed25519 signature"))
    def signature_text(self, anchor: Any) -> str:
        """In hexadecimal."""
        return bytes(anchor.signature).hex()
