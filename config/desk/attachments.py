"""Serves the files of jobs: to whom may see them, and so that nothing in them can act in the reader's browser."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from config.desk.orders import for_staff
from orders.models import Attachment, ServiceOrder
from orders.serving import file_response


def response_for(attachment: Attachment, *, is_shown: bool) -> FileResponse:
    """Return a file of a job as it may be sent. Raises Http404 where it is gone."""
    return file_response(attachment.file, attachment.name, attachment.content_type, is_shown=is_shown)


@for_staff("orders.view_attachment")
@require_safe
def file(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Send a file of a job that the reader may see; `?save` never shows it in the window."""
    row = get_object_or_404(Attachment.objects.select_related("service_order"), pk=key, removed_at__isnull=True)
    if not ServiceOrder.objects.visible_to(request.user).filter(pk=row.service_order_id).exists():
        raise Http404
    return response_for(row, is_shown="save" not in request.GET)
