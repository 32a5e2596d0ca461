"""Whom we tell, how it goes, and what each was told and answered."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from integrations.actions import publishing, subscribing
from integrations.actions.subscribing import WISHES, Wish
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound.kinds import KINDS
from integrations.outbound.listing import MOST_COUNTED, waiting_count, with_waiting
from integrations.statuses import DeliveryState, SubscriberState
from orders.event_words import title_of
from parts.admin.deeds import Chosen, Deed, DeedForm, Done
from parts.admin.offices import Shown


class WishForm(DeedForm):
    """Where somebody is told, of what and how fast."""

    name = forms.CharField(label=_("Name"), max_length=120)
    address = forms.CharField(label=_("Address"), max_length=500)
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=[(kind, kind) for kind in KINDS],
        help_text=_("Empty: all that the account may see."),
    )
    newest_only = forms.BooleanField(label=_("Only the newest, where several wait about one order"), required=False)
    per_second = forms.IntegerField(label=_("At most each second"), min_value=1, max_value=10_000, initial=50)
    burst = forms.IntegerField(label=_("At once at most"), min_value=1, max_value=10_000, initial=100)
    contact = forms.EmailField(label=_("Whom to write to"), required=False)

    def shape(self) -> None:
        """Begin with what it is now."""
        if self.subject is not None:
            for name in WISHES:
                if name in self.fields:
                    self.fields[name].initial = getattr(self.subject, name)


class NewForm(WishForm):
    """Who is to be told, and where."""

    code = forms.CharField(label=_("Code"), max_length=40)
    account = Chosen(
        Subscriber._meta.get_field("account"),
        label=_("Account"),
        help_text=_("It is told what this account may see. It needs the role of a partner or a system."),
    )
    field_order = ("code", "account", "name", "address")


class SinceForm(DeedForm):
    """A moment that has passed."""

    since = forms.DateTimeField(label=_("Everything since"), widget=forms.DateTimeInput)


class WhyForm(DeedForm):
    """Asks why."""

    reason = forms.CharField(label=_("Reason"), max_length=100)


def _told(subject: Subscriber, told: dict[str, Any]) -> dict[str, Any]:
    return {"subscriber": subject.pk, "by": told["by"], "at": told["at"]}


def _wish(cleaned: dict[str, Any]) -> Wish:
    data = {name: cleaned[name] for name in WISHES if name in cleaned}
    return Wish(**{**data, "event_types": tuple(data["event_types"])})


def _add(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    account = cast(User, cleaned["account"])
    row, _secret = subscribing.add(
        code=cleaned["code"], account=account.pk, wish=_wish(cleaned), by=told["by"], at=told["at"]
    )
    return Done(_g("It is told from now on. Its owner gets a secret by replacing the one that nobody has seen."), row)


def _change(subject: Subscriber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    subscribing.change(wish=_wish(cleaned), **_told(subject, told))
    return Done(_g("It is changed."))


def _off(subject: Subscriber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    subscribing.switch_off(reason=cleaned["reason"], **_told(subject, told))
    return Done(_g("It is switched off. What waits, waits on."))


def _on(subject: Subscriber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    subscribing.switch_on(**_told(subject, told))
    return Done(_g("It is switched on; what waited is told now."))


def _test(subject: Subscriber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return Done(_g("A test is on its way."), publishing.send_test(**_told(subject, told)))


def _since(subject: Subscriber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    count = publishing.replay_since(since=cleaned["since"], **_told(subject, told))
    return Done(_g("%(count)d messages are told now.") % {"count": count})


def _again(subject: OutboundDelivery, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    publishing.replay(deliveries=[subject.pk], by=told["by"], at=told["at"])
    return Done(_g("It is told again."))


def _is_on(subject: Subscriber) -> bool:
    return subject.state == SubscriberState.ACTIVE


def _is_off(subject: Subscriber) -> bool:
    return not _is_on(subject)


_CHANGES, _REPLAYS = subscribing.CHANGES, subscribing.REPLAYS


@admin.register(Subscriber)
class SubscriberOffice(Shown):
    """Who is told, where, how fast, and how it goes."""

    list_display = ("code", "name", "account", "road", "state", "failing_since", "last_taken_at", "waiting")
    list_filter = (("state", ChoicesDropdownFilter), ("road", ChoicesDropdownFilter))
    list_select_related = ("account",)
    search_fields = ("code", "name", "address")
    ordering = ("code", "id")
    panel_template = "admin/integrations/subscriber/panel.html"
    fields = (
        "code",
        "name",
        "account",
        "system",
        "road",
        "address",
        "newest_only",
        "per_second",
        "burst",
        "contact",
        "schema_version",
        "state",
        "off_because",
        "off_since",
        "failures",
        "failing_since",
        "failing_because",
        "paused_until",
        "pace_ms",
        "last_taken_at",
        "created_at",
    )
    deeds = (
        Deed(
            slug="listen",
            title=_("Tell somebody"),
            permission=subscribing.ADDS,
            form=NewForm,
            act=_add,
            icon="add",
            on_list=True,
        ),
        Deed(slug="change-wish", title=_("Change"), permission=_CHANGES, form=WishForm, act=_change, icon="edit"),
        Deed(
            slug="test",
            title=_("Send a test"),
            permission=_REPLAYS,
            act=_test,
            offered=_is_on,
            icon="send",
            inline=True,
        ),
        Deed(
            slug="since",
            title=_("Tell again"),
            permission=_REPLAYS,
            form=SinceForm,
            act=_since,
            offered=_is_on,
            icon="replay",
            intro=_("Everything that it may see since this moment, whether it was told or not."),
        ),
        Deed(
            slug="off",
            title=_("Switch off"),
            permission=_CHANGES,
            form=WhyForm,
            act=_off,
            offered=_is_on,
            icon="power_settings_new",
            danger=True,
        ),
        Deed(
            slug="on",
            title=_("Switch on"),
            permission=_CHANGES,
            act=_on,
            offered=_is_off,
            icon="play_arrow",
            inline=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        """Know how old the oldest is that waits."""
        return with_waiting(super().get_queryset(request))

    @display(description=_("Oldest waiting"))
    def waiting(self, row: Any) -> Any:
        """Return since when the oldest waits."""
        return row.waiting_since

    def panel(self, request: HttpRequest, subject: Subscriber) -> dict[str, Any]:
        """Return what it wants, what waits, and who changed it."""
        waiting = waiting_count(subject.pk)
        return {
            "kinds": [(kind, title_of(kind)) for kind in subject.event_types],
            "waiting": min(waiting, MOST_COUNTED),
            "is_more_waiting": waiting > MOST_COUNTED,
            "waiting_since": getattr(subject, "waiting_since", None),
            "history": list(subject.history.select_related("history_user").order_by("-history_id")[:20]),
        }


@admin.register(OutboundDelivery)
class OutboundDeliveryOffice(Shown):
    """What subscribers were told, with what was asked and answered."""

    list_display = ("created_at", "subscriber", "kind", "reference", "state", "attempts", "error", "due_at")
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", RangeDateTimeFilter))
    list_select_related = ("subscriber",)
    search_fields = ("reference",)
    ordering = ("-id",)
    panel_template = "admin/integrations/outbounddelivery/panel.html"
    fields = (
        "subscriber",
        "kind",
        "reference",
        "version",
        "state",
        "error",
        "attempts",
        "due_at",
        "caused_at",
        "created_at",
        "ended_at",
    )
    deeds = (
        Deed(
            slug="again",
            title=_("Tell it again"),
            permission=_REPLAYS,
            act=_again,
            offered=lambda delivery: delivery.state != DeliveryState.WAITING,
            icon="replay",
            inline=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboundDelivery]:
        """Leave the bodies where they are: a list shows none."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        return rows.defer("body") if match and (match.url_name or "").endswith("_changelist") else rows

    def panel(self, request: HttpRequest, subject: OutboundDelivery) -> dict[str, Any]:
        """Return what was told, and each attempt."""
        return {
            "body": bytes(subject.body or b"").decode(),
            "tries": list(subject.tries.order_by("-number")[:50]),
        }
