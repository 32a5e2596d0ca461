"""Where stock lies, how much, who holds it and what moved it; with the forms to correct and to transfer it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from parts.actions import stock
from parts.admin.deeds import Chosen, Deed, DeedForm, Done
from parts.admin.filters import ChosenFilter
from parts.admin.importing import import_deed
from parts.admin.offices import Edited, Office, Shown
from parts.labels import counted, names_of, status_label, written
from parts.models import (
    Region,
    Reservation,
    StockCorrection,
    StockCount,
    StockCountLine,
    StockLevel,
    StockMovement,
    StockTransfer,
    Warehouse,
)
from parts.models.stock import OWN
from parts.statuses import Condition, CorrectionReason

ZERO = Decimal(0)


@admin.register(Region)
class RegionOffice(Office):
    list_display = ("code", "name", "time_zone", "currency")
    search_fields = ("code", "name")
    ordering = ("code",)


@admin.register(Warehouse)
class WarehouseOffice(Edited):
    list_display = ("code", "name", "region", "kind", "mode", "allocatable", "cut_off")
    list_filter = (
        ("region", ChosenFilter),
        ("kind", ChoicesDropdownFilter),
        ("mode", ChoicesDropdownFilter),
        "allocatable",
    )
    list_select_related = ("region",)
    search_fields = ("code", "name", "technician__username")
    autocomplete_fields = ("region",)
    ordering = ("code",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only people who may count a van as its technician."""
        if db_field.name == "technician":
            people = User.objects.filter(is_active=True, groups__permissions__codename="count_van")
            kwargs["queryset"] = people.order_by("username").distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class CorrectionForm(DeedForm):
    """One level, by how much, and why."""

    part = Chosen(StockLevel._meta.get_field("part"), label=_("Part"))
    warehouse = Chosen(StockLevel._meta.get_field("warehouse"), label=_("Warehouse"))
    condition = forms.ChoiceField(label=_("Condition"), choices=Condition.choices, initial=Condition.NEW)
    owner = forms.CharField(label=_("Owner"), initial=OWN, max_length=40)
    on_hand_change = forms.DecimalField(
        label=_("On hand, change"), initial=0, decimal_places=3, help_text=_("4 puts four in, -1 takes one out.")
    )
    unfit_change = forms.DecimalField(
        label=_("Of it unfit, change"), initial=0, decimal_places=3, help_text=_("Damaged stock is never promised.")
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=CorrectionReason.choices)
    note = forms.CharField(label=_("Note"), required=False, max_length=300)
    reference = forms.CharField(label=_("Reference"), required=False, max_length=80)

    def shape(self) -> None:
        """From the page of a level, the level is known."""
        if self.subject is not None:
            for name in ("part", "warehouse", "condition", "owner"):
                del self.fields[name]


def _correct(subject: StockLevel | None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    level: dict[str, Any] = {
        "part_id": subject.part_id if subject else cleaned["part"].pk,
        "warehouse_id": subject.warehouse_id if subject else cleaned["warehouse"].pk,
        "condition": subject.condition if subject else cleaned["condition"],
        "owner": subject.owner if subject else cleaned["owner"],
    }
    facts = {name: cleaned[name] for name in ("on_hand_change", "unfit_change", "reason", "note", "reference")}
    done = stock.correct_stock(**level, **facts, **told)
    says = _g("Corrected: %(on_hand)s on hand, %(reserved)s reserved, %(unfit)s unfit.")
    figures = {"on_hand": written(done.on_hand), "reserved": written(done.reserved), "unfit": written(done.unfit)}
    return Done(says % figures, StockLevel.objects.get(pk=done.level_id) if done.level_id else None)


class TransferForm(DeedForm):
    """How much of a part goes from where to where."""

    part = Chosen(StockLevel._meta.get_field("part"), label=_("Part"))
    from_warehouse = Chosen(StockLevel._meta.get_field("warehouse"), label=_("From"))
    to_warehouse = Chosen(StockLevel._meta.get_field("warehouse"), label=_("To"))
    quantity = forms.DecimalField(label=_("Quantity"), min_value=ZERO, decimal_places=3)
    condition = forms.ChoiceField(label=_("Condition"), choices=Condition.choices, initial=Condition.NEW)
    owner = forms.CharField(label=_("Owner"), initial=OWN, max_length=40)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)

    def shape(self) -> None:
        """From the page of a level, where it comes from is known."""
        if self.subject is not None:
            for name in ("part", "from_warehouse", "condition", "owner"):
                del self.fields[name]


def _transfer(subject: StockLevel | None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    done = stock.transfer(
        part_id=subject.part_id if subject else cleaned["part"].pk,
        from_warehouse_id=subject.warehouse_id if subject else cleaned["from_warehouse"].pk,
        to_warehouse_id=cleaned["to_warehouse"].pk,
        quantity=cleaned["quantity"],
        condition=subject.condition if subject else cleaned["condition"],
        owner=subject.owner if subject else cleaned["owner"],
        reason=cleaned["reason"],
        **told,
    )
    says = _g("%(quantity)s transferred.") % {"quantity": written(done.quantity)}
    return Done(says, StockLevel.objects.get(pk=done.destination_level_id))


_CORRECT: dict[str, Any] = {
    "title": _("Correct stock"),
    "permission": "parts.correct_stock",
    "form": CorrectionForm,
    "act": _correct,
    "icon": "edit_note",
    "intro": _("What becomes available is given to whoever waits for it at once."),
}
_TRANSFER: dict[str, Any] = {
    "title": _("Transfer stock"),
    "permission": "parts.transfer_stock",
    "form": TransferForm,
    "act": _transfer,
    "icon": "swap_horiz",
    "intro": _("Only what is available can be moved: on hand, neither reserved nor unfit."),
}


@admin.register(StockLevel)
class StockLevelOffice(Shown):
    list_display = ("part", "description", "warehouse", "condition", "whose", "on_hand", "reserved", "unfit", "free")
    list_filter = (
        ("part", ChosenFilter),
        ("warehouse", ChosenFilter),
        ("condition", ChoicesDropdownFilter),
    )
    list_select_related = ("part__unit", "warehouse")
    search_fields = ("part__number", "part__description", "warehouse__code")
    ordering = ("-id",)
    deeds = (
        Deed(slug="correct", **_CORRECT),
        Deed(slug="transfer", **_TRANSFER),
        Deed(slug="correct-any", on_list=True, **_CORRECT),
        Deed(slug="transfer-any", on_list=True, **_TRANSFER),
        import_deed("stock", _("Import counted stock"), "parts.correct_stock"),
    )
    panel_template = "admin/parts/stocklevel/panel.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockLevel]:
        """Read part and warehouse along, and what is available."""
        levels = super().get_queryset(request).shown_in_lists(request.user)
        return levels.select_related("part__unit", "warehouse").with_available()

    def title_of(self, subject: Any) -> str:
        """Say part and place, not their keys."""
        return f"{subject.part} · {subject.warehouse} · {subject.get_condition_display()}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show what moved it last and who holds it."""
        movements = list(StockMovement.objects.filter(level=subject).newest_first()[:20])
        names = names_of(movement.actor for movement in movements)
        return {
            "movements": [(movement, names[movement.actor]) for movement in movements],
            "reservations": list(Reservation.objects.filter(level=subject).live().order_by("-created_at", "id")[:20]),
        }

    @display(description=_("description"))
    def description(self, level: StockLevel) -> str:
        """The part's description."""
        return level.part.description

    @display(description=_("owner"), ordering="owner")
    def whose(self, level: StockLevel) -> str:
        """Whose it is: ours, or by code a supplier's or a customer's."""
        return _g("own") if level.owner == OWN else level.owner

    @display(description=_("available"))
    def free(self, level: Any) -> str:
        """On hand, neither reserved nor unfit."""
        return counted(level.available, level.part.unit)


class OfLevel(Shown):
    """What belongs to a level: shown by the part and the place, not by their keys."""

    level_path = "level"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the level's part and warehouse along."""
        path = self.level_path
        return super().get_queryset(request).select_related(f"{path}__part", f"{path}__warehouse")

    def title_of(self, subject: Any) -> str:
        """Say part, place and what it is."""
        level = getattr(subject, self.level_path)
        return f"{level.part} · {level.warehouse}"

    @display(description=_("part"))
    def part(self, row: Any) -> str:
        """The part's number."""
        return getattr(row, self.level_path).part.number

    @display(description=_("warehouse"))
    def warehouse(self, row: Any) -> str:
        """The warehouse's code."""
        return getattr(row, self.level_path).warehouse.code


@admin.register(StockMovement)
class StockMovementOffice(OfLevel):
    list_display = (
        "occurred_at",
        "kind",
        "part",
        "warehouse",
        "on_hand_change",
        "reserved_change",
        "unfit_change",
        "by",
        "source",
    )
    list_filter = (("kind", ChoicesDropdownFilter), ("occurred_at", RangeDateTimeFilter))
    search_fields = ("level__part__number", "actor")
    ordering = ("-id",)


@admin.register(Reservation)
class ReservationOffice(OfLevel):
    list_display = ("created_at", "part", "warehouse", "quantity", "state", "strength", "purpose", "expires_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("strength", ChoicesDropdownFilter),
        ("purpose", ChoicesDropdownFilter),
    )
    search_fields = ("level__part__number", "demand_id__exact")
    ordering = ("-id",)

    @display(description=_("status"), ordering="status")
    def state(self, reservation: Reservation) -> SafeString:
        """The status, coloured."""
        return status_label(reservation.status, reservation.get_status_display())


@admin.register(StockCorrection)
class StockCorrectionOffice(OfLevel):
    list_display = ("created_at", "reason", "part", "warehouse", "note", "reference", "by")
    list_filter = (("reason", ChoicesDropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("level__part__number", "note", "reference")
    ordering = ("-id",)


@admin.register(StockTransfer)
class StockTransferOffice(OfLevel):
    level_path = "source"
    list_display = ("created_at", "part", "warehouse", "goes_to", "quantity", "reason", "by")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("source__part__number", "reason")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read where it went along."""
        return super().get_queryset(request).select_related("destination__warehouse")

    @display(description=_("to"))
    def goes_to(self, transfer: StockTransfer) -> str:
        """The warehouse it went to."""
        return transfer.destination.warehouse.code


@admin.register(StockCount)
class StockCountOffice(Shown):
    list_display = ("counted_at", "warehouse", "note", "by", "source")
    list_filter = (("warehouse", ChosenFilter), ("counted_at", RangeDateTimeFilter))
    list_select_related = ("warehouse",)
    search_fields = ("warehouse__code", "note")
    ordering = ("-id",)
    panel_template = "admin/parts/stockcount/panel.html"

    def title_of(self, subject: Any) -> str:
        """Say where, not the key."""
        counted_at = date_format(timezone.localtime(subject.counted_at), "SHORT_DATETIME_FORMAT")
        return f"{subject.warehouse} · {counted_at}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the warehouse along."""
        return super().get_queryset(request).select_related("warehouse")

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show what was counted beside what the books said."""
        return {"lines": list(subject.lines.select_related("level__part__unit").order_by("level__part__number", "id"))}


@admin.register(StockCountLine)
class StockCountLineOffice(OfLevel):
    list_display = ("counted_at", "part", "warehouse", "expected", "counted", "gap", "settled", "by")
    list_filter = (("count__counted_at", RangeDateTimeFilter), ("correction", EmptyFieldListFilter))
    search_fields = ("level__part__number", "level__warehouse__code")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the count along; only what differed is of interest here."""
        rows = super().get_queryset(request).select_related("count")
        return rows.exclude(counted=F("expected")).annotate(actor=F("count__actor"))

    @display(description=_("counted at"), ordering="count__counted_at")
    def counted_at(self, line: StockCountLine) -> Any:
        """When it was counted."""
        return line.count.counted_at

    @display(description=_("difference"))
    def gap(self, line: StockCountLine) -> str:
        """Counted less expected."""
        return written(line.difference)

    @display(description=_("books follow"), boolean=True)
    def settled(self, line: StockCountLine) -> bool:
        """Whether the books were corrected; otherwise orders hold more than was found, and somebody has to decide."""
        return line.correction_id is not None
