"""Where providers call: what became of what they took, and what readers answered.

Nobody signs in here. Each call proves itself by a secret that the provider and this installation share; without one in
the settings there is nothing at these addresses.
"""

from __future__ import annotations

from anymail.urls import urlpatterns as anymail_addresses
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

#: django-anymail's views, by the provider and what it calls for. Each checks the secret before it reads anything.
_VIEWS = {pattern.name.removesuffix("_webhook"): pattern.callback for pattern in anymail_addresses}
_VIEWS["mandrill_inbound"] = _VIEWS["mandrill_tracking"]  # it calls one address for both


@csrf_exempt
def email(request: HttpRequest, provider: str, kind: str) -> HttpResponseBase:
    """Take a call of the provider of email that is set, if it knows the secret."""
    view = _VIEWS.get(f"{provider}_{kind}")
    if view is None or provider != settings.EMAIL_PROVIDER or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    return view(request)
