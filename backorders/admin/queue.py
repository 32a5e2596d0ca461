"""The queue: who waits for what, how long, and why."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backorders.actions import moving, pinning
from backorders.actions.allocating import allocate_parts
from backorders.admin import saying, ways
from backorders.admin.effects import effect_page
from backorders.explaining import Explanation, explain
from backorders.models import BackOrder, Peg
from backorders.overview import kept_overview
from backorders.querysets import IS_OVERDUE
from backorders.statuses import AGE_BUCKETS, BACK_ORDER_WAITING, BackOrderStatus
from backorders.whatif import effect
from orders.actions import lines
from orders.admin.chained import (
    ByReference,
    MoveForm,
    OverrideForm,
    move_deed,
    moves_panel,
    noting,
    override_deed,
    stepping,
)
from orders.admin.lines import CancelForm, PromiseForm
from orders.admin.timeline import timeline_panel
from orders.searching import customers_named, parts_numbered
from parts.admin.deeds import Deed, DeedForm, Done, ReasonForm
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Shown
from parts.labels import counted, status_label

_stepping = partial(stepping, key="back_order_id")

#: What can be chosen to look at besides an age.
VIEWS = (
    ("waiting", _("All that wait")),
    ("nearest", _("Nearest to restock first")),
    ("no-supply", _("Without supply")),
    ("overdue", _("Promise overdue")),
    ("held", _("On hold")),
)

#: What a term of the rank is called.
TERMS = {
    "kind": _("Kind of order"),
    "tier": _("Customer's tier"),
    "criticality": _("Criticality of the part"),
    "downtime": _("Cost of downtime"),
    "contract": _("Contract"),
    "ageing": _("Opened when"),
    "pin": _("Pinned"),
}

#: What the statuses and the ways of a back order are called in its timeline.
_WORDS = dict(BackOrderStatus.choices) | {kind: title for kind, (title, _icon) in saying.TITLES.items()}


class AgeFilter(admin.SimpleListFilter):
    """How many whole days a back order has waited."""

    title = _("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the buckets."""
        return [(name, _g("%(days)s days") % {"days": name}) for name, _low, _high in AGE_BUCKETS]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the bucket."""
        known = {name for name, _low, _high in AGE_BUCKETS}
        return queryset.aged(self.value(), timezone.now()) if self.value() in known else queryset


class ViewFilter(admin.SimpleListFilter):
    """The questions a parts manager asks of the queue."""

    title = _("view")
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, Any], ...]:
        """Offer the questions."""
        return VIEWS

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the answer. Its order is the list's to give."""
        match self.value():
            case "waiting" | "nearest":
                return queryset.waiting()
            case "no-supply":
                return queryset.without_supply()
            case "overdue":
                return queryset.promise_overdue(timezone.now().date())
            case "held":
                return queryset.waiting().filter(on_hold=True)
        return queryset


class SupplyForm(MoveForm):
    """How the supply goes; nobody outside reads the note."""

    def shape(self) -> None:
        """Have no note for the customer."""
        super().shape()
        del self.fields["public"]


class QueueOverrideForm(OverrideForm):
    """The statuses that an override of a back order reaches, with its line."""

    def statuses(self) -> list[tuple[Any, Any]]:
        """Leave out what only concerns the supply: that is moved by hand."""
        reached = ("open", "allocated", "fulfilled", "cancelled")
        return [choice for choice in super().statuses() if choice[0] in reached]


class QueuePromiseForm(PromiseForm):
    """A date for the line that waits, whose version it is that counts."""

    present = ()

    def shape(self) -> None:
        """Begin with the present promise, or with when supply is expected."""
        self.fields["promised_on"].initial = self.subject.line.promised_on or self.subject.expected_on
        self.fields["expected_version"].initial = self.subject.line.version


def _promise(subject: BackOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    lines.promise(line_id=subject.line_id, **cleaned, **told)
    return Done(_g("Promised for %(day)s.") % {"day": cleaned["promised_on"]})


def _allocate(subject: BackOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    given = allocate_parts(part_ids=[subject.part_id], **told).given
    if not given:
        return Done(_g("Nothing of this part is free; the queue stands as it was."))
    says = ngettext("%(count)s back order got something.", "%(count)s back orders got something.", len(given))
    return Done(says % {"count": len(given)})


class ShownReasonForm(ReasonForm):
    """Asks why, and carries what was shown when the person decided."""

    def clean(self) -> dict[str, Any]:
        """Keep the fingerprint of what was shown."""
        return {**(super().clean() or {}), "shown": self.data.get("shown", "")}


def _effect_of_pin(subject: BackOrder, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    return effect_page(effect(pin=[subject.pk], today=told["at"].date()))


def _effect_of_unpin(subject: BackOrder, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    return effect_page(effect(unpin=[subject.pk], today=told["at"].date()))


def _waits(back_order: BackOrder) -> bool:
    return back_order.status in BACK_ORDER_WAITING


@admin.register(BackOrder)
class BackOrderOffice(ByReference, Shown):
    list_display = (
        "reference",
        "part",
        "missing",
        "state",
        "customer",
        "age",
        "standing",
        "expected",
        "promised",
    )
    list_filter = (
        ViewFilter,
        AgeFilter,
        ("status", ChoicesDropdownFilter),
        ("part", ChosenFilter),
        ("customer", ChosenFilter),
        "on_hold",
    )
    list_select_related = ("part__unit", "customer", "line__order")
    search_fields = ("reference", "part__number", "customer__code", "customer__name")
    search_help_text = _("Reference, customer, or part of what waits")
    ordering = ("-id",)
    fields = ("version", "opened_at", "closed_at")
    overview_template = "admin/backorders/backorder/overview.html"
    panel_template = "admin/backorders/backorder/panel.html"
    deeds = (
        move_deed("backorders.move_backorder", _stepping(moving.move), form=SupplyForm),
        Deed(
            slug="promise",
            title=_("Promise a date"),
            permission="orders.promise_orderline",
            form=QueuePromiseForm,
            act=_promise,
            offered=_waits,
            icon="event_available",
            intro=_("When supply is expected is one date, what is promised another: this one a person answers for."),
        ),
        Deed(
            slug="hold",
            title=_("Hold"),
            permission="backorders.move_backorder",
            form=ReasonForm,
            act=noting(
                moving.hold,
                key="back_order_id",
                names=("reason",),
                says=_("Held: it keeps its place and gets nothing until it is let go."),
            ),
            offered=lambda row: _waits(row) and not row.on_hold,
            icon="pause",
        ),
        Deed(
            slug="let-go",
            title=_("Let go"),
            permission="backorders.move_backorder",
            act=_stepping(moving.let_go, names=()),
            offered=lambda row: _waits(row) and row.on_hold,
            icon="play_arrow",
            inline=True,
        ),
        Deed(
            slug="pin",
            title=_("Pin to the top"),
            permission="backorders.pin_backorder",
            form=ShownReasonForm,
            act=noting(
                pinning.pin,
                key="back_order_id",
                names=("reason", "shown"),
                says=_("Pinned: it is served before all of its part that are not pinned."),
            ),
            offered=lambda row: _waits(row) and row.pinned_at is None,
            icon="keep",
            intro=_(
                "It goes before all of its part that are not pinned, until it is unpinned. This is what that does."
            ),
            template="admin/backorders/backorder/pin.html",
            context=_effect_of_pin,
        ),
        Deed(
            slug="unpin",
            title=_("Unpin"),
            permission="backorders.pin_backorder",
            form=ShownReasonForm,
            act=noting(
                pinning.unpin,
                key="back_order_id",
                names=("reason", "shown"),
                says=_("Unpinned: it stands where its rank puts it."),
            ),
            offered=lambda row: _waits(row) and row.pinned_at is not None,
            icon="keep_off",
            intro=_("It goes back to where its rank puts it. This is what that does."),
            template="admin/backorders/backorder/pin.html",
            context=_effect_of_unpin,
        ),
        Deed(
            slug="allocate",
            title=_("Allocate this part now"),
            permission="backorders.allocate_backorder",
            act=_allocate,
            offered=_waits,
            icon="playlist_add_check",
            inline=True,
        ),
        Deed(
            slug="cancel",
            title=_("Cancel"),
            permission="orders.cancel_orderline",
            form=CancelForm,
            act=_stepping(moving.cancel, names=("quantity", "reason")),
            offered=_waits,
            icon="block",
            danger=True,
        ),
        override_deed("backorders.override_backorder", _stepping(moving.override), form=QueueOverrideForm),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BackOrder]:
        """Read part, customer, line and order along."""
        pegs = Peg.objects.filter(back_order=OuterRef("pk"))
        rows = super().get_queryset(request).annotate(covered=Exists(pegs), late=Exists(pegs.filter(IS_OVERDUE)))
        return rows.select_related("part__unit", "customer", "line__order", "line__warehouse", "excluded_warehouse")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the ways."""
        own = path(
            "<path:object_id>/ways/", self.admin_site.admin_view(self.ways_view), name="backorders_backorder_ways"
        )
        return [own, *super().get_urls()]

    def ways_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show what else could be done for a back order, and take one of the ways."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        subject = self.get_object(request, unquote(object_id))
        if subject is None:
            raise Http404
        return ways.show(request, self.admin_site, subject)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Stand as the queue does, or by when supply comes where that is asked for; all there ever were, by age."""
        if request.GET.get("view") == "nearest":
            return [F("expected_on").asc(nulls_last=True), "-rank", "id"]
        if request.GET.keys() & {ViewFilter.parameter_name, AgeFilter.parameter_name}:
            return ["-rank", "id"]
        return ["-id"]

    def meant_by(self, term: str) -> Q:
        """Find by the customer, or by the part of what waits: what indexes tell, however many were closed."""
        waits = Q(part__in=parts_numbered(term), status__in=BACK_ORDER_WAITING)
        return Q(customer__in=customers_named(term)) | waits

    def title_of(self, subject: Any) -> str:
        """Say reference and part."""
        return f"{subject.reference} · {subject.part}"

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Show how many wait, by age and by question."""
        now = timezone.now()
        found, as_of = kept_overview(now)
        here = reverse("admin:backorders_backorder_changelist")
        asked, aged = request.GET.get("view"), request.GET.get("age")
        ages = [
            (
                _g("%(days)s days") % {"days": name},
                found.ages[name].count,
                f"{here}?age={name.replace('>', '%3E')}",
                aged == name,
            )
            for name, _low, _high in AGE_BUCKETS
        ]
        questions = [
            (_("Waiting"), found.all.count, f"{here}?view=waiting", asked == "waiting"),
            (_("Without supply"), found.no_supply.count, f"{here}?view=no-supply", asked == "no-supply"),
            (_("Promise overdue"), found.broken.count, f"{here}?view=overdue", asked == "overdue"),
            (_("On hold"), found.held.count, f"{here}?view=held", asked == "held"),
        ]
        return {
            "buckets": [*questions[:1], *ages, *questions[1:]],
            "nearest_address": f"{here}?view=nearest",
            "nearest": asked == "nearest",
            "as_of": as_of if as_of != now else None,
        }

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show why it stands where it does, where it may go, and its timeline."""
        why = explain(subject.pk)
        return {
            **moves_panel(
                subject,
                moving.allowed_by_hand(subject.status),
                may_move=request.user.has_perm("backorders.move_backorder"),
                may_cancel=False,
                public_notes=False,
            ),
            "why": why,
            "may_choose": _waits(subject) and request.user.has_perm(ways.RIGHT),
            "terms": _terms(why),
            "rank_is_old": sum(why.rank_terms.values()) != why.rank,
            "today": timezone.now().date(),
            **timeline_panel([subject.pk, subject.line_id], words=_WORDS, of=subject.pk),
        }

    @display(description=_("missing"), ordering="quantity")
    def missing(self, row: BackOrder) -> str:
        """How much is missing."""
        return counted(row.quantity, row.part.unit)

    @display(description=_("status"), ordering="status")
    def state(self, row: BackOrder) -> SafeString:
        """The status, coloured."""
        word = row.get_status_display()
        return status_label(row.status, f"{word}, {_g('on hold')}" if row.on_hold and _waits(row) else word)

    @display(description=_("waits"), ordering="opened_at")
    def age(self, row: BackOrder) -> str:
        """How many whole days it waits, or waited."""
        days = ((row.closed_at or timezone.now()) - row.opened_at).days
        return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}

    @display(description=_("rank"), ordering="rank")
    def standing(self, row: BackOrder) -> str:
        """The rank, rounded: the higher comes first."""
        return number_format(row.rank, 1)

    @display(description=_("expected"), ordering="expected_on")
    def expected(self, row: Any) -> Any:
        """When supply is expected."""
        if row.expected_on or not _waits(row):
            return row.expected_on or ""
        if row.late:
            return _("supply overdue")
        return _("no date yet") if row.covered else _("no supply")

    @display(description=_("promised"), ordering="line__promised_on")
    def promised(self, row: BackOrder) -> Any:
        """What was promised."""
        return row.line.promised_on or ""


def _terms(why: Explanation) -> list[tuple[Any, Any]]:
    return [(TERMS.get(name, name), value) for name, value in why.rank_terms.items()]


@admin.register(Peg)
class PegOffice(Shown):
    list_display = ("back_order", "purchase_order", "quantity", "expected_on")
    list_filter = (("purchase_order_line__purchase_order__supplier", ChosenFilter),)
    list_select_related = ("back_order", "purchase_order_line__purchase_order")
    search_fields = ("back_order__reference", "purchase_order_line__purchase_order__number")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say who from which order."""
        return f"{subject.back_order} · {subject.purchase_order_line.purchase_order}"

    @display(description=_("purchase order"))
    def purchase_order(self, peg: Peg) -> str:
        """Number and position."""
        return f"{peg.purchase_order_line.purchase_order.number} / {peg.purchase_order_line.position}"
