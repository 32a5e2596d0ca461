"""Serves files that people handed in, so that nothing in them can act in the reader's browser."""

from __future__ import annotations

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404

from orders.files import SHOWN_INLINE


def file_response(file: FieldFile, name: str, content_type: str, *, is_shown: bool) -> FileResponse:
    """Return a file as it may be sent: pictures that were written anew may be shown, all else is only downloaded.

    Every page that sends such a file sends it so. Raises Http404 where the file is gone.
    """
    inline = is_shown and content_type in SHOWN_INLINE
    try:
        content = file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error
    response = FileResponse(content, as_attachment=not inline, filename=name, content_type=content_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
