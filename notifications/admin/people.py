"""Contacts of customers: how each is told, and where; entered and switched off by staff, with who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from notifications.actions import addresses, contacts
from notifications.models import Address, Recipient
from notifications.statuses import FOR_EVER, AddressState, Channel, Kind
from orders.admin.customers import CustomerOffice
from orders.models import Customer
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited, Guest, bring
from parts.labels import names_of

#: So many changes are shown.
_MOST = 30


class AddressForm(DeedForm):
    channel = forms.ChoiceField(label=_("Channel"), choices=[(one, Channel(one).label) for one in addresses.NAMED])
    value = forms.CharField(
        label=_("Address"), max_length=320, help_text=_("It is asked once whether we may write there.")
    )


class OffForm(DeedForm):
    address = forms.ChoiceField(label=_("Address"))

    def shape(self) -> None:
        """Offer what may be switched off."""
        rows = Address.objects.filter(recipient=self.subject).exclude(state=AddressState.OFF)
        field = self.fields["address"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(row.pk), f"{row.get_channel_display()}: {row.value}") for row in rows.order_by("channel")]


def _enter(subject: Recipient, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    row = contacts.enter_address(reader_id=subject.pk, channel=cleaned["channel"], value=cleaned["value"], **told)
    return Done(_g("%(address)s was asked; nothing else goes there before it is confirmed.") % {"address": row.value})


def _switch_off(subject: Recipient, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    row = contacts.switch_off(address_id=UUID(cleaned["address"]), **told)
    return Done(_g("Nothing goes to %(address)s any more.") % {"address": row.value})


def _changes(reader: Recipient) -> list[dict[str, Any]]:
    """Return who changed what of a contact's addresses, the latest first; a link is a customer. Two queries.

    No address is ever deleted: those of today have all of the history.
    """
    rows = list(
        Address.history.filter(id__in=Address.objects.filter(recipient=reader).values("pk"))  # found by index
        .select_related("history_user")
        .order_by("-history_date", "-history_id")[:_MOST]
    )
    names = names_of(row.history_change_reason or "" for row in rows)
    return [
        {
            "at": row.history_date,
            "address": row.value,
            "channel": Channel(row.channel).label,
            "state": AddressState(row.state).label,
            "is_wanted": row.is_wanted,
            "by": row.history_user or names.get(row.history_change_reason or "", ""),
        }
        for row in rows
    ]


@admin.register(Recipient)
class ContactOffice(Edited):
    """Contacts of customers. People of the house say themselves how they are told."""

    list_display = ("name", "customer", "is_main", "language", "muted", "is_active")
    list_filter = (("customer", ChosenFilter), "is_main", "is_active")
    list_select_related = ("customer",)
    search_fields = ("name", "customer__code", "customer__name")
    autocomplete_fields = ("customer",)
    ordering = ("-id",)
    fields = (
        "customer",
        "name",
        "language",
        "time_zone",
        "quiet_from",
        "quiet_until",
        "muted_until",
        "unwanted_kinds",
        "is_active",
    )
    panel_template = "admin/notifications/contact.html"
    deeds = (
        Deed(
            slug="enter-address",
            title=_("Enter an address"),
            permission="notifications.add_address",
            act=_enter,
            form=AddressForm,
            icon="add",
        ),
        Deed(
            slug="switch-off",
            title=_("Switch an address off"),
            permission="notifications.change_address",
            act=_switch_off,
            form=OffForm,
            icon="block",
            danger=True,
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the languages that we speak and the kinds of news, instead of raw values."""
        if db_field.name == "language":
            return forms.ChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=[("", _("The customer's")), *settings.LANGUAGES],
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
        if db_field.name == "unwanted_kinds":
            return forms.MultipleChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=Kind.choices,
                required=False,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recipient]:
        """Leave out people of the house."""
        return super().get_queryset(request).filter(customer__isnull=False).select_related("customer")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose contact it is, is said once."""
        shown: Sequence[Any] = super().get_readonly_fields(request, obj)
        return [*shown, "customer"] if obj is not None else shown

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A contact is somebody's."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "customer":
            field.required = True
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what was written to them stays. One who left is no longer active."""
        return False

    def title_of(self, subject: Any) -> str:
        """Say who, and of whom."""
        return f"{subject} · {subject.customer}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where the contact is reached, and who changed that."""
        rows = Address.objects.filter(recipient=subject).order_by("channel", "state", "-id")
        return {"contact_addresses": list(rows), "contact_changes": _changes(subject)}

    @display(description=_("muted until"))
    def muted(self, row: Recipient) -> str:
        """Until when nothing comes but what cannot be muted."""
        if not row.is_muted(timezone.now()):
            return ""
        until = row.muted_until
        return _g("for ever") if until is None or until >= FOR_EVER else f"{timezone.localtime(until):%Y-%m-%d}"


def _contacts_of(request: HttpRequest, customer: Any) -> list[Recipient]:
    """Return a customer's contacts with their addresses. Two queries."""
    rows = Recipient.objects.filter(customer=customer).prefetch_related("addresses")
    return list(rows.order_by("-is_main", "name", "id")[:_MOST])


assert admin.site.is_registered(Customer), CustomerOffice  # the page of customers stands first
bring(
    Customer,
    guests=(Guest("admin/notifications/contacts_of.html", _contacts_of, permission="notifications.view_recipient"),),
)
