"""The living page of the design: every token and component, with the templates and style sheets that the pages use."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from backorders.statuses import BackOrderStatus
from orders.statuses import LineStatus, ServiceOrderStatus

#: What the style guide shows of each flow: (heading, choices).
_FLOWS = (
    (_("Service order"), ServiceOrderStatus),
    (_("Order line"), LineStatus),
    (_("Back order"), BackOrderStatus),
)
_COLOURS = (
    *("ground", "paper", "raised", "sunken", "hover", "ink", "subtle", "line", "line-strong"),
    *("accent", "accent-strong", "accent-soft"),
    *("waiting", "waiting-soft", "late", "late-soft", "done", "done-soft", "moving", "moving-soft"),
)


#: The pages that are seen when something goes wrong, by the name of their template.
ERRORS = {
    "400": _("not understood"),
    "403": _("not for this account"),
    "403_csrf": _("open for too long"),
    "404": _("nothing there"),
    "500": _("our fault"),
}


@staff_member_required(login_url="login")
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every token and component with the templates and style sheets that the pages use; `error` names a page of
    ERRORS, which is then shown as it is seen when it counts."""
    if (error := request.GET.get("error")) in ERRORS:
        return render(request, f"{error}.html")
    now = timezone.now()
    happenings = [
        {"status": "in_progress", "word": ServiceOrderStatus.IN_PROGRESS.label, "at": now - timedelta(hours=2)},
        {"status": "awaiting_parts", "word": ServiceOrderStatus.AWAITING_PARTS.label, "at": now - timedelta(days=3)},
        {"status": "new", "word": ServiceOrderStatus.NEW.label, "at": now - timedelta(days=4)},
    ]
    icons = sorted(path.stem for path in (settings.BASE_DIR / "static/backline/icons").glob("*.svg"))
    flows = [(title, choices.choices) for title, choices in _FLOWS]
    form = _Sample({"quantity": "-1", "part": "4711"}) if "errors" in request.GET else _Sample()
    return render(
        request,
        "styleguide.html",
        {
            "flows": flows,
            "colours": _COLOURS,
            "icons": icons,
            "happenings": happenings,
            "form": form,
            "now": now,
            "error_pages": ERRORS,
        },
    )


class _Sample(forms.Form):
    part = forms.CharField(label=_("Part"), help_text=_("Number of any system, or a name."))
    quantity = forms.DecimalField(label=_("Quantity"), min_value=1)
    needed_on = forms.DateField(label=_("Needed on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    whole = forms.BooleanField(label=_("Complete delivery only"), required=False)
