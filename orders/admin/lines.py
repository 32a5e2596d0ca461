"""Order lines: where each stands, and what can be done with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from orders.actions import lines, overriding
from orders.actions.service_orders import Moved
from orders.admin.chained import OVERRIDE_INTRO, ByReference, MoveForm, OverrideForm, moves_panel
from orders.admin.timeline import MOST_SHOWN, timeline
from orders.models import OrderLine
from orders.statuses import LINE_CLOSED, LINE_STEPS, LineStatus
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Shown
from parts.labels import plain, status_label

#: What can be chosen on the page; shipping, returning and cancelling have forms of their own.
FORMS_OF_THEIR_OWN = ("shipped", "returned", "cancelled")


def _stands(moved: Moved) -> Done:
    says = _g("%(reference)s is %(status)s now.")
    return Done(says % {"reference": moved.reference, "status": LineStatus(moved.status).label})


def _move(subject: OrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(lines.move(line_id=subject.pk, **cleaned, **told))


class CancelForm(DeedForm):
    """All of it, or a part; and why."""

    quantity = forms.DecimalField(label=_("Quantity"), required=False, help_text=_("Left empty: all that is left."))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea)


def _cancel(subject: OrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(lines.cancel(line_id=subject.pk, **cleaned, **told))


class PromiseForm(DeedForm):
    """A date, and why it changes."""

    promised_on = forms.DateField(label=_("Promise for"))
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea,
        help_text=_("Needed where a promise was made before."),
    )

    def shape(self) -> None:
        """Begin with the present promise."""
        self.fields["promised_on"].initial = self.subject.promised_on


def _promise(subject: OrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    lines.promise(line_id=subject.pk, **cleaned, **told)
    return Done(_g("Promised for %(day)s.") % {"day": cleaned["promised_on"]})


class ReturnForm(DeedForm):
    """How much came back, and in which state."""

    quantity = forms.DecimalField(label=_("Came back"), min_value=Decimal(0))
    unfit = forms.DecimalField(label=_("Of it unfit"), min_value=Decimal(0), initial=0, required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with all of it."""
        self.fields["quantity"].initial = plain(self.subject.quantity)


def _return(subject: OrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    facts = {"quantity": cleaned["quantity"], "unfit": cleaned["unfit"] or Decimal(0), "note": cleaned["note"]}
    return _stands(lines.return_to_stock(line_id=subject.pk, **facts, **told))


def _override(subject: OrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(overriding.override(line_id=subject.pk, **cleaned, **told))


def _is_open(line: OrderLine) -> bool:
    return line.status not in LINE_CLOSED


@admin.register(OrderLine)
class OrderLineOffice(ByReference, Shown):
    list_display = (
        "reference",
        "part",
        "amount",
        "state",
        "warehouse",
        "order",
        "requested_on",
        "promised_on",
        "expected_on",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        "is_split",
        ("part", AutocompleteSelectFilter),
        ("warehouse", AutocompleteSelectFilter),
        ("promised_on", RangeDateFilter),
    )
    list_select_related = ("part", "order", "warehouse")
    search_fields = ("reference", "part__number")
    ordering = ("-id",)
    readonly_fields = ("reference", "state")
    fields = ("order", "part", "quantity", "status", "warehouse", "version", "created_at")
    panel_template = "admin/orders/orderline/panel.html"
    deeds = (
        Deed(
            slug="move",
            title=_("Move"),
            permission="orders.move_orderline",
            form=MoveForm,
            act=_move,
            inline=True,
            hidden=True,
        ),
        Deed(
            slug="promise",
            title=_("Promise a date"),
            permission="orders.promise_orderline",
            form=PromiseForm,
            act=_promise,
            offered=_is_open,
            icon="event_available",
            intro=_("The first promise is kept for ever beside the present one."),
        ),
        Deed(
            slug="return",
            title=_("Book a return"),
            permission="orders.move_orderline",
            form=ReturnForm,
            act=_return,
            offered=lambda line: "returned" in LINE_STEPS[line.status] and not line.is_split,
            icon="undo",
        ),
        Deed(
            slug="cancel",
            title=_("Cancel"),
            permission="orders.cancel_orderline",
            form=CancelForm,
            act=_cancel,
            offered=lambda line: "cancelled" in LINE_STEPS[line.status],
            icon="block",
            danger=True,
        ),
        Deed(
            slug="override",
            title=_("Override"),
            permission="orders.override_orderline",
            form=OverrideForm,
            act=_override,
            offered=lambda line: not line.is_split,
            icon="warning",
            intro=OVERRIDE_INTRO,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        """Read the names along, and the fourth date from the back order."""
        rows = super().get_queryset(request).select_related("part", "order", "warehouse", "parent")
        return rows.annotate(
            expected=F("back_order__expected_on"),
            back_order_key=F("back_order__pk"),
            back_order_reference=F("back_order__reference"),
        )

    def title_of(self, subject: Any) -> str:
        """Say reference and part."""
        return f"{subject.reference} · {subject.part}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it stands, where it may go, its dates and its timeline."""
        allowed = [] if subject.is_split or subject.order.on_hold else lines.allowed_by_hand(subject.status)
        children = OrderLine.objects.filter(parent=subject).select_related("warehouse").order_by("child_number", "id")
        happenings = timeline([subject.pk], of=subject.pk)
        return {
            **moves_panel(
                subject,
                [to for to in allowed if to not in FORMS_OF_THEIR_OWN],
                may_move=request.user.has_perm("orders.move_orderline"),
                may_cancel=False,
                public_notes=True,
            ),
            "children": list(children) if subject.is_split else [],
            "today": timezone.now().date(),
            "timeline": happenings,
            "timeline_cut": len(happenings) == MOST_SHOWN,
        }

    @display(description=_("status"), ordering="status")
    def state(self, line: OrderLine) -> SafeString:
        """The status, coloured."""
        return status_label(line.status, line.get_status_display())

    @display(description=_("quantity"), ordering="quantity")
    def amount(self, line: OrderLine) -> str:
        """How much, without superfluous zeros."""
        return plain(line.quantity)

    @display(description=_("expected"))
    def expected_on(self, line: Any) -> Any:
        """When supply is expected; a promise is another date."""
        return line.expected
