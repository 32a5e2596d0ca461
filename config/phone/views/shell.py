"""What makes the phone's pages an app: the manifest, the service worker, the queue's page and a fresh token."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.phone.door import for_technicians, shown

#: What runs in the page and, the first two, in the worker as well.
SCRIPTS = tuple(f"backline/js/phone/{name}.js" for name in ("store", "queue", "photo", "camera", "page", "push"))
WORKER = "backline/js/phone/worker.js"
#: What every page of the phone is drawn with; kept on the phone as soon as the worker is there.
SHELL = (
    "backline/css/tokens.css",
    "backline/css/base.css",
    "backline/css/components.css",
    "backline/css/phone.css",
    "backline/fonts/inter-latin.woff2",
    "backline/fonts/inter-latin-ext.woff2",
    "backline/js/page.js",
    "backline/mark.svg",
    *SCRIPTS,
)
ICONS = (("192", "any"), ("512", "any"), ("maskable-512", "maskable"))


@for_technicians
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Show what waits on this phone for a network or for a decision; the browser fills it in."""
    return shown(request, "phone/waiting.html", {"here": "waiting"})


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show what the worker answers with when there is no network and the page was never seen. It holds no data."""
    return render(request, "phone/offline.html", {"here": "", "search_address": ""})


@require_safe
def token(request: HttpRequest) -> JsonResponse:
    """Tell the queue who is signed in, with a fresh CSRF token; 401 where nobody is."""
    if not request.user.is_authenticated:
        answer = JsonResponse({"code": "not_authenticated"}, status=401)
    else:
        answer = JsonResponse({"person": str(request.user.pk), "token": get_token(request)})
    answer["Cache-Control"] = "no-store, private"
    return answer


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """Tell the browser how the phone's pages are installed."""
    home = reverse("phone:day")
    icons: list[dict[str, Any]] = [
        {
            "src": static(f"backline/phone/icon-{size}.png"),
            "sizes": "x".join([size[-3:]] * 2),
            "type": "image/png",
            "purpose": purpose,
        }
        for size, purpose in ICONS
    ]
    icons.append({"src": static("backline/phone/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    document = {
        "id": home,
        "name": _("Backline, the technician's phone"),
        "short_name": "Backline",
        "description": _("Jobs, parts and the van; also where there is no network."),
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#0f1115",
        "theme_color": "#171a20",
        "icons": icons,
        "shortcuts": [
            {"name": _("Parts on their way"), "url": reverse("phone:deliveries")},
            {"name": _("My van"), "url": reverse("phone:van")},
        ],
    }
    answer = JsonResponse(document, content_type="application/manifest+json")
    answer["Cache-Control"] = "no-cache"
    return answer


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Give the service worker: what it is to keep, and then the script itself."""
    home = reverse("phone:day")
    told = {
        "base": home,
        "offline": reverse("phone:offline"),
        "shell": [static(name) for name in SHELL],
        "icon": static("backline/phone/icon-192.png"),
        "scripts": [static(name) for name in SCRIPTS[:2]],
        "version": _version(),
    }
    body = f"self.TOLD = {json.dumps(told)};\n{_source(WORKER).decode()}"
    answer = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    answer["Service-Worker-Allowed"] = home
    answer["Cache-Control"] = "no-cache"
    return answer


def _source(name: str) -> bytes:
    path = finders.find(name)
    assert isinstance(path, str), f"{name} is missing"
    return Path(path).read_bytes()


@cache
def _version() -> str:
    """Return what changes whenever anything in the shell does."""
    digest = hashlib.sha256()
    for name in (*SHELL, WORKER):
        digest.update(_source(name))
    return digest.hexdigest()[:16]
