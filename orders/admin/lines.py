"""Order lines: where each stands, and what can be done with it."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from orders.actions import lines
from orders.admin.chained import ByReference, Standing, move_deed, moves_panel, noting, override_deed, stepping
from orders.admin.overriding import LineOverrideForm, wishing
from orders.admin.timeline import timeline_panel
from orders.models import OrderLine
from orders.searching import parts_numbered
from orders.statuses import LINE_CLOSED, LINE_STEPS
from parts.admin.deeds import Deed, DeedForm
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Shown
from parts.labels import counted, plain

#: What can be chosen on the page; shipping, returning and cancelling have forms of their own.
FORMS_OF_THEIR_OWN = ("shipped", "returned", "cancelled")

_stepping = partial(stepping, key="line_id")


class CancelForm(DeedForm):
    """All of it, or a part; and why."""

    quantity = forms.DecimalField(label=_("Quantity"), required=False, help_text=_("Left empty: all that is left."))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea)


class PromiseForm(DeedForm):
    """A date, and why it changes."""

    present: ClassVar[tuple[str, ...]] = ("promised_on",)
    promised_on = forms.DateField(label=_("Promise for"))
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea,
        help_text=_("Needed where a promise was made before."),
    )


class ReturnForm(DeedForm):
    """How much came back, and in which state."""

    quantity = forms.DecimalField(label=_("Came back"), min_value=Decimal(0))
    unfit = forms.DecimalField(label=_("Of it unfit"), min_value=Decimal(0), initial=0, required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with all of it."""
        self.fields["quantity"].initial = plain(self.subject.quantity)

    def clean_unfit(self) -> Decimal:
        """Take an empty field for none."""
        return self.cleaned_data["unfit"] or Decimal(0)


def _is_open(line: OrderLine) -> bool:
    return line.status not in LINE_CLOSED


@admin.register(OrderLine)
class OrderLineOffice(ByReference, Standing, Shown):
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
        ("part", ChosenFilter),
        ("warehouse", ChosenFilter),
        ("promised_on", RangeDateFilter),
    )
    list_select_related = ("part__unit", "order", "warehouse")
    search_fields = ("reference", "part__number")
    ordering = ("-id",)
    readonly_fields = ("reference", "state")
    fields = ("order", "part", "quantity", "status", "warehouse", "version", "created_at")
    panel_template = "admin/orders/orderline/panel.html"
    deeds = (
        move_deed("orders.move_orderline", _stepping(lines.move)),
        Deed(
            slug="promise",
            title=_("Promise a date"),
            permission="orders.promise_orderline",
            form=PromiseForm,
            act=noting(
                lines.promise,
                key="line_id",
                names=("promised_on", "reason", "expected_version"),
                says=_("Promised for %(promised_on)s."),
            ),
            offered=_is_open,
            icon="event_available",
            intro=_("The first promise is kept for ever beside the present one."),
        ),
        Deed(
            slug="let-go",
            title=_("Let go"),
            permission="orders.move_orderline",
            act=_stepping(lines.let_go, names=()),
            offered=lambda line: line.kept_back and not line.is_split,
            icon="play_arrow",
        ),
        Deed(
            slug="return",
            title=_("Book a return"),
            permission="orders.move_orderline",
            form=ReturnForm,
            act=_stepping(lines.return_to_stock, names=("quantity", "unfit", "note")),
            offered=lambda line: "returned" in LINE_STEPS[line.status] and not line.is_split,
            icon="undo",
        ),
        Deed(
            slug="cancel",
            title=_("Cancel"),
            permission="orders.cancel_orderline",
            form=CancelForm,
            act=_stepping(lines.cancel),
            offered=lambda line: "cancelled" in LINE_STEPS[line.status],
            icon="block",
            danger=True,
        ),
        override_deed(
            "orders.override_orderline",
            wishing("line"),
            form=LineOverrideForm,
            offered=lambda line: not line.is_split,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        """Read the names along, and the fourth date from the back order."""
        rows = super().get_queryset(request).select_related("part__unit", "order", "warehouse", "parent")
        return rows.annotate(
            expected=F("back_order__expected_on"),
            back_order_key=F("back_order__pk"),
            back_order_reference=F("back_order__reference"),
        )

    def called(self, rows: QuerySet[Any], reference: str) -> QuerySet[Any]:
        """Return the lines whose reference begins so: those of the order it names, by the order's index."""
        order, slash, _place = reference.partition("/")
        theirs = (
            Q(order__reference=order) if slash else Q(order__reference__gte=order, order__reference__lt=f"{order}￿")
        )
        return rows.filter(theirs, reference__startswith=reference)

    def meant_by(self, term: str) -> Q:
        """Find by the part."""
        return Q(part__in=parts_numbered(term))

    def title_of(self, subject: Any) -> str:
        """Say reference and part."""
        return f"{subject.reference} · {subject.part}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it stands, where it may go, its dates and its timeline."""
        allowed = [] if subject.is_split or subject.order.on_hold else lines.allowed_by_hand(subject.status)
        children = OrderLine.objects.filter(parent=subject).select_related("warehouse").order_by("child_number", "id")
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
            **timeline_panel([subject.pk], of=subject.pk),
        }

    @display(description=_("quantity"), ordering="quantity")
    def amount(self, line: OrderLine) -> str:
        """How much, with its unit."""
        return counted(line.quantity, line.part.unit)

    @display(description=_("expected"))
    def expected_on(self, line: Any) -> Any:
        """When supply is expected; a promise is another date."""
        return line.expected
