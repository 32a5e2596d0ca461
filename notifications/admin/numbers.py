"""Numbers that stopped all SMS: since when, whose they are, what they wrote; and the stops that people lifted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from notifications.actions import lifting
from notifications.models import Address, LiftedStop, ReceivedSms, StoppedNumber
from notifications.statuses import Channel, LiftedBecause
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Shown
from parts.labels import names_of

#: So many readers, SMS and lifted stops of a number are shown.
_MOST = 30


class LiftForm(DeedForm):
    because = forms.ChoiceField(label=_("Because"), choices=LiftedBecause.choices)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea,
        help_text=_("How its owner let you know, such as by telephone or in which email. It stays on record."),
    )


def _lift(subject: StoppedNumber, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    asked = lifting.lift(number=subject.pk, because=cleaned["because"], reason=cleaned["reason"], **told)
    if not asked:
        return Done(_g("The stop is lifted. Nobody has this number, so nobody was asked."))
    said = ngettext(
        "The stop is lifted. %(count)s reader is asked there; other SMS go only after a yes.",
        "The stop is lifted. %(count)s readers are asked there; other SMS go only after a yes.",
        asked,
    )
    return Done(said % {"count": asked})


class WhoseFilter(admin.SimpleListFilter):
    """Whose the numbers are: those of customers, of people of the house, of nobody that we know."""

    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("customer", _("Of customers")), ("house", _("Of people of the house")), ("nobody", _("Of nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StoppedNumber]) -> QuerySet[StoppedNumber]:
        theirs = Address.objects.filter(channel=Channel.SMS, value=OuterRef("pk"))
        match self.value():
            case "customer":
                return queryset.filter(Exists(theirs.filter(recipient__customer__isnull=False)))
            case "house":
                return queryset.filter(Exists(theirs.filter(recipient__user__isnull=False)))
            case "nobody":
                return queryset.filter(~Exists(theirs))
        return queryset


@admin.register(StoppedNumber)
class StoppedNumberOffice(Shown):
    """Only START from the number itself, or its owner's wish on record, brings SMS back."""

    list_display = ("number", "whose", "stopped_at")
    list_filter = (WhoseFilter, ("stopped_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("number",)
    search_help_text = _("Number, or the name of its owner")
    ordering = ("-stopped_at", "number")
    panel_template = "admin/notifications/stopped.html"
    deeds = (
        Deed(
            slug="lift",
            title=_("Lift the stop"),
            permission=lifting.LIFT,
            act=_lift,
            form=LiftForm,
            icon="undo",
            intro=_(
                "Whoever wrote STOP gets SMS again by writing START to our number. Lift it here only where its owner "
                "asked for it in another way, or it is another's number now. Then one SMS asks there whether we may "
                "write, and nothing else goes before the answer is yes. Your provider may keep a stop of its own."
            ),
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoppedNumber]:
        """Bring the name of the first reader along, so that a page of the list is one statement."""
        theirs = Address.objects.filter(channel=Channel.SMS, value=OuterRef("pk")).order_by("recipient")
        found: QuerySet[StoppedNumber] = super().get_queryset(request)
        return found.annotate(
            reader=theirs.values("recipient__name")[:1], of_customer=theirs.values("recipient__customer__name")[:1]
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find them by their digits, however they are written, and by whose they are."""
        words = search_term.strip()
        if not words:
            return queryset, False
        digits = "".join(letter for letter in words if letter.isdigit())
        asked = Q(number__contains=digits) if digits else Q(pk__in=[])
        theirs = Address.objects.filter(channel=Channel.SMS, value=OuterRef("pk")).filter(
            Q(recipient__name__icontains=words) | Q(recipient__customer__name__icontains=words)
        )
        return queryset.filter(asked | Exists(theirs)), False

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show whose it is, what came from it, and who lifted a stop of it before."""
        theirs = Address.objects.filter(channel=Channel.SMS, value=subject.pk)
        lifted = list(LiftedStop.objects.filter(number=subject.pk)[:_MOST])
        names = names_of(row.actor for row in lifted)
        return {
            "stopped_readers": list(theirs.select_related("recipient__customer", "recipient__user")[:_MOST]),
            "stopped_sms": list(ReceivedSms.objects.filter(number=subject.pk)[:_MOST]),
            "stopped_lifted": [(row, names.get(row.actor, row.actor)) for row in lifted],
        }

    @display(description=_("whose"))
    def whose(self, row: Any) -> str:
        """Its reader, and the customer."""
        return " · ".join(dict.fromkeys(name for name in (row.reader, row.of_customer) if name)) or "–"


@admin.register(LiftedStop)
class LiftedStopOffice(Shown):
    """Who let SMS go to a number again, when and why."""

    list_display = ("number", "stopped_at", "lifted_at", "because", "reason", "by")
    list_filter = (("because", ChoicesDropdownFilter), ("lifted_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("number", "reason")
    fields = ("number", "stopped_at", "lifted_at", "because", "reason", "actor")
