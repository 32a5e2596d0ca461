"""The declared forms of what others are told, for whoever reads it: JSON Schema, public."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

import integrations

_FOLDER = Path(integrations.__file__).parent / "event_schemas"


@cache
def _schemas() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.glob("*.json"))}


@require_safe
def event_schema(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a form by its name, such as event.v1.json."""
    if name not in _schemas():
        raise Http404
    return HttpResponse(_schemas()[name], content_type="application/schema+json")
