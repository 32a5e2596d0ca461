"""Serves the files of jobs: to whom may see them, and so that nothing in them can act in the reader's browser."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from config.desk.orders import for_staff
from orders.files import SHOWN_INLINE
from orders.models import Attachment, ServiceOrder


def response_for(attachment: Attachment, *, is_shown: bool) -> FileResponse:
    """Return a file as it may be sent: pictures that were written anew may be shown, all else is only downloaded.

    Every page that sends such a file sends it so. Raises Http404 where the file is gone.
    """
    inline = is_shown and attachment.content_type in SHOWN_INLINE
    try:
        content = attachment.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error
    response = FileResponse(
        content, as_attachment=not inline, filename=attachment.name, content_type=attachment.content_type
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@for_staff("orders.view_attachment")
@require_safe
def file(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Send a file of a job that the reader may see; `?save` never shows it in the window."""
    row = get_object_or_404(Attachment.objects.select_related("service_order"), pk=key, removed_at__isnull=True)
    if not ServiceOrder.objects.visible_to(request.user).filter(pk=row.service_order_id).exists():
        raise Http404
    return response_for(row, is_shown="save" not in request.GET)
