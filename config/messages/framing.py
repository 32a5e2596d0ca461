"""Emails in a frame of our pages: with the styles that they carry, as in a mail program, and nothing that runs."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.http import HttpResponse

_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}
#: For the view whose answer is the email itself, and for that of the page around it.
in_a_frame: Any = csp(_POLICY)
with_frames: Any = csp_update({"frame-src": [SELF]})

#: Its links open beside the page.
_HEAD, _BESIDE = "<head>", '<head><base target="_blank">'


def email_page(html: str) -> HttpResponse:
    """Return the HTML of an email as the answer that stands in a frame."""
    return HttpResponse(html.replace(_HEAD, _BESIDE, 1))
