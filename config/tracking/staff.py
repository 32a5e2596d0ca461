"""Where staff makes, sees and revokes the customer's links to an order."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from config.faces.htmx import is_quick
from orders.actions import tracking as deeds
from orders.models import PartsOrder, ServiceOrder, TrackingLink
from parts.actors import Actor
from parts.errors import Forbidden, NotFound, Refused

SOURCE = "desk"
MODELS: dict[str, type[ServiceOrder] | type[PartsOrder]] = {"service_order": ServiceOrder, "parts_order": PartsOrder}


class IssueForm(forms.Form):
    """For whom a link is."""

    requester = forms.CharField(required=False, max_length=deeds.LONGEST_REQUESTER)
    next = forms.CharField(required=False, max_length=500)


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "source": SOURCE, "at": timezone.now()}


@login_required
@permission_required("orders.view_trackinglink", raise_exception=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def links(request: HttpRequest, kind: str, order_id: UUID) -> HttpResponse:
    """Show the links to an order; a POST makes a new one and shows it, this once."""
    model = cast(Any, MODELS[kind])
    order = get_object_or_404(model.objects.visible_to(request.user).select_related("customer"), pk=order_id)
    context: dict[str, Any] = {"order": order, "back_from_links": _back(request, "")}
    status = 200
    if request.method == "POST":
        form = IssueForm(request.POST)
        try:
            requester = form.cleaned_data["requester"] if form.is_valid() else request.POST.get("requester", "")
            issued = deeds.issue(**{f"{kind}_id": order.pk}, requester=requester, **_told(request))
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        except Refused as refusal:
            status, context["link_refused"] = refusal.status, refusal.detail
        else:
            address = reverse("tracking:page", args=[issued.token])
            context |= {"new_link": issued.link, "new_link_address": request.build_absolute_uri(address)}
            context["back_from_links"] = _back(request, form.cleaned_data.get("next", ""))
    template = "components/tracking.html" if is_quick(request) else "tracking/links.html"
    return render(request, template, context, status=status)


@login_required
@permission_required("orders.revoke_trackinglink", raise_exception=True)
@require_POST
def revoke(request: HttpRequest, link_id: UUID) -> HttpResponse:
    """Revoke a link and lead back to where it was done."""
    link = get_object_or_404(TrackingLink.objects.select_related("service_order", "parts_order"), pk=link_id)
    if not MODELS[link.order.subject_kind].objects.visible_to(request.user).filter(pk=link.order.pk).exists():
        raise Http404
    try:
        deeds.revoke(link_id=link.pk, **_told(request))
    except NotFound as refusal:
        raise Http404 from refusal
    if is_quick(request):
        return render(request, "components/tracking.html", {"order": link.order})
    messages.success(request, _("The link does not work any more."))
    return redirect(_back(request, request.POST.get("next", "")) or page_of(link.order))


def page_of(order: ServiceOrder | PartsOrder) -> str:
    """Return the address of the links of an order."""
    return reverse(f"links:of_{order.subject_kind}", args=[order.pk])


def _back(request: HttpRequest, given: str) -> str:
    """Return an address of ours that was given to lead back to, empty for any other."""
    known = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    return given if given and known else ""
