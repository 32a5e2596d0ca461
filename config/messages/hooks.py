"""Where providers call: what became of what they took, and what readers answered.

Nobody signs in here. Each call proves itself by a secret that the provider and this installation share; without one in
the settings there is nothing at these addresses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from xml.sax.saxutils import escape

from anymail.urls import urlpatterns as anymail_addresses
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications import sms_reports
from notifications.actions import texting
from notifications.actions.texting import Sms
from notifications.links import site
from parts.errors import Invalid

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


@csrf_exempt
@require_POST
def sms(request: HttpRequest) -> HttpResponse:
    """Take an SMS that came, as Twilio posts it and others do likewise, and answer in TwiML.

    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    if not settings.SMS_WEBHOOK_TOKEN:
        raise Http404
    given = request.POST
    signature = signature_of(site(request.get_full_path()), given, settings.SMS_WEBHOOK_TOKEN)
    if not constant_time_compare(request.headers.get("X-Twilio-Signature", ""), signature):
        raise PermissionDenied
    came = Sms(
        provider_id=given.get("MessageSid", ""),
        number=given.get("From", ""),
        text=given.get("Body", ""),
        is_answered="OptOutType" in given,  # Twilio's "Advanced Opt-Out" has answered it
    )
    try:
        said = texting.take(sms=came, at=timezone.now())
    except Invalid as refusal:
        raise BadRequest(str(refusal)) from refusal
    message = f"<Message>{escape(said)}</Message>" if said else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    return HttpResponse(body, content_type="text/xml; charset=utf-8")


@csrf_exempt
@require_POST
def sms_status(request: HttpRequest) -> HttpResponse:
    """Take what became of an SMS: signed as Twilio signs it, or plainly, by who bears the token.

    https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
    """
    token = settings.SMS_WEBHOOK_TOKEN
    if not token:
        raise Http404
    given = request.POST
    signature = request.headers.get("X-Twilio-Signature", "")
    if signature:
        is_known = constant_time_compare(signature, signature_of(site(request.get_full_path()), given, token))
    else:
        is_known = constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}")
    if not is_known:
        raise PermissionDenied
    try:
        report = sms_reports.of_twilio(given.dict()) if signature else sms_reports.plain(given.dict())
    except Invalid as refusal:
        raise BadRequest(str(refusal)) from refusal
    if report is not None:
        texting.settle(report=report, at=timezone.now())
    return HttpResponse(status=204)


def signature_of(address: str, form: QueryDict, token: str) -> str:
    """Return how a call is signed by who knows the token: over our address as it was called, and the form, sorted.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    given = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form.getlist(name))))
    return base64.b64encode(hmac.new(token.encode(), f"{address}{given}".encode(), hashlib.sha1).digest()).decode()
