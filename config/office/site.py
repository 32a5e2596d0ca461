"""The back office as a whole: what is one for all of Backline, it takes from there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite


class OfficeSite(UnfoldAdminSite):
    """The theme's back office without a door of its own."""

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to where all people sign in, and from there to what was asked for; no password is looked at here.

        Who may not see the back office comes back to it, and is told so there.
        """
        office = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(office)
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or office
        return redirect_to_login(wanted, reverse("login"))
