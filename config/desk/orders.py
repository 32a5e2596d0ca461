"""The pages of a service order and of a parts order: read it, do the next thing, be told in place why not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.desk.orders_deeds import Deed, told
from config.desk.orders_forms import DeskForm
from config.desk.orders_page import JobPage, OrderPage, PartsOrderPage, address_of
from config.faces.htmx import is_quick
from orders.models import PartsOrder, ServiceOrder
from parts.errors import Refused

View = Callable[..., HttpResponseBase]


def for_staff(permission: str) -> Callable[[View], View]:
    """Let in the people of the house who hold a permission: 403 for others, strangers sign in first."""

    def wrap(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not (request.user.is_staff and request.user.has_perm(permission)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return wrap


@for_staff("orders.view_serviceorder")
@require_http_methods(["GET", "HEAD", "POST"])
def service_order(request: HttpRequest, reference: str) -> HttpResponse:
    """A job: where it stands, what blocks it, what can be done, and everything that happened."""
    rows = ServiceOrder.objects.visible_to(request.user).select_related(
        "customer__region", "equipment", "contract", "technician", "region"
    )
    return _answer(request, JobPage, lambda: get_object_or_404(rows.all(), reference=reference))


@for_staff("orders.view_partsorder")
@require_http_methods(["GET", "HEAD", "POST"])
def parts_order(request: HttpRequest, reference: str) -> HttpResponse:
    """A parts order: its lines with four dates and why, what can be done, and everything that happened."""
    rows = PartsOrder.objects.visible_to(request.user).select_related(
        "customer__region", "service_order__equipment", "destination", "region"
    )
    return _answer(request, PartsOrderPage, lambda: get_object_or_404(rows.all(), reference=reference))


def _answer(request: HttpRequest, kind: type[OrderPage], read: Callable[[], Any]) -> HttpResponse:
    page = kind(request, read())
    if request.method == "POST":
        return _do(request, page, kind, read)
    if is_quick(request, "more"):
        return render(request, "desk/timeline_items.html", page.timeline_only())
    return _show(request, page, **_opened(request, page))


def _opened(request: HttpRequest, page: OrderPage) -> dict[str, Any]:
    """Return the form that the address asks for, where this person is offered it."""
    return _panel(page, request.GET.get("do", ""), request.GET.get("about", ""))


def _panel(page: OrderPage, slug: str, key: str) -> dict[str, Any]:
    """Return a form in its panel; nothing where there is no such form, or this person is not offered it."""
    deed = page.deed(slug)
    about = page.about(deed, key) if deed else None
    if deed is None or deed.is_button or deed.is_on_page or about is None or not page.is_offered(deed, about):
        return {}
    return {"open": deed, "form": deed.form(subject=about), "about": about}


def _still_open(request: HttpRequest, page: OrderPage, done: Deed) -> dict[str, Any]:
    """Return the form that stood open beside the one that was sent: it stays, by what stands there now."""
    slug, key = request.POST.get("open", ""), request.POST.get("open_about", "")
    is_itself = slug == done.slug and key == request.POST.get("about", "")
    return {} if is_itself else _panel(page, slug, key)


def _do(request: HttpRequest, page: OrderPage, kind: type[OrderPage], read: Callable[[], Any]) -> HttpResponse:
    """Do one deed. What is refused, or not filled in right, is shown in place with all that was typed."""
    deed = page.deed(request.POST.get("deed", ""))
    about = page.about(deed, request.POST.get("about", "")) if deed else None
    if deed is None or about is None:
        raise Http404
    if deed.permission not in page.may:
        raise PermissionDenied
    form = deed.form(request.POST, request.FILES, subject=about)
    status = 422
    if form.is_valid():
        try:
            says = deed.act(about, form.cleaned_data, told(request.user, timezone.now()))
        except Refused as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            messages.success(request, says)
            if not is_quick(request):
                return redirect(address_of(page.subject))
            page = kind(request, read())
            return _show(request, page, **_still_open(request, page, deed))
    return _refused(request, kind(request, read()), deed, form, status)


def _refused(request: HttpRequest, page: OrderPage, deed: Deed, form: DeskForm, status: int) -> HttpResponse:
    quick = is_quick(request)
    if deed.is_button:
        shown = {"refusal": form, **_still_open(request, page, deed)}
    elif deed.is_on_page:
        shown = {f"{deed.slug}_form": form, **_still_open(request, page, deed)}
    else:
        shown = {"open": deed, "form": form, "about": form.subject}
    # What was typed stays; but what is decided next is decided on what stands there now.
    data = request.POST.copy()
    data["expected_version"] = str(getattr(page.about(deed, str(form.subject.pk)) or page.subject, "version", ""))
    form.data = data
    return _show(request, page, status=200 if quick else status, **shown)


def _show(request: HttpRequest, page: OrderPage, status: int = 200, **shown: Any) -> HttpResponse:
    quick = is_quick(request, "order")
    template = page.template.replace(".html", "_body.html") if quick else page.template
    context = {**page.context(), "quick": quick, "address": address_of(page.subject), **shown}
    return render(request, template, context, status=status)
