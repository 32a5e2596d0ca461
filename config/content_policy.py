"""What a page of ours may load and run, and that nobody on the way keeps it.

Nothing comes from elsewhere, and nothing runs that stands in the page itself: a text that somebody slips into a page
stays a text, even where it was forgotten to write it as one. Our pages have their scripts and styles in files; none
needs a nonce. https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponse, HttpResponseBase

Policy = dict[str, list[str]]

#: For every page that none of the others is for; the setting CONTENT_SECURITY_POLICY.
STRICT: Policy = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "worker-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
#: The two style sheets that the back office's theme writes into its pages: our colours (the setting UNFOLD), and what
#: its htmx hides while it waits. Who changes one of them reads the new digest in the browser's console, and in
#: tests/browser/test_pages.py.
THEME = (
    "'sha256-p6N6SW2zlWjDrwtGseNiJSkFq1o9V5G6Wy5++pM81/w='",
    "'sha256-bsV5JivYxvGywDAZ22EZJKBFip65Ng9xoJVLbBg7bdo='",
)
#: The theme is driven by Alpine, which reads expressions out of attributes and sets styles there: it may do both, and
#: no more. Scripts and other style sheets in the page are refused there, too.
BACK_OFFICE: Policy = STRICT | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, *THEME],
    "style-src-attr": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}
#: The page to try calls on: its library writes styles into the page and draws its own pictures.
API_PAGE: Policy = STRICT | {"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]}
#: Answers that are no page.
NO_PAGE: Policy = {name: [NONE] for name in ("default-src", "base-uri", "frame-ancestors", "form-action")}

#: By the beginning of the address, the first that fits.
BY_ADDRESS = (("/admin/", BACK_OFFICE), ("/api/v1/docs/", API_PAGE), ("/api/", NO_PAGE), ("/oauth/", NO_PAGE))


def policy_of(address: str) -> Policy:
    """Return what the page at an address may load and run."""
    return next((policy for beginning, policy in BY_ADDRESS if address.startswith(beginning)), STRICT)


class ContentPolicyMiddleware(CSPMiddleware):
    """Writes the Content-Security-Policy of every answer that has none of its own."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy of the request's address."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            config: dict[str, Any] = dict(policy_of(request.path_info))
            parts.config = config
        return parts


class NotKeptMiddleware:
    """Keeps answers out of every cache, the browser's too, unless the view says otherwise: they are about people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and see to the header."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response
