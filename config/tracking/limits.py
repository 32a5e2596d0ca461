"""How often somebody may try links, and how often a customer may send something.

Kept in the memory of each process (as for the API's clients): it slows bursts; that a token cannot be guessed rests on
its length. How much is done by one link in a day is counted in the ledger besides (`orders.actions.tracking`).
"""

from __future__ import annotations

import math

from django.conf import settings
from django.http import HttpRequest

from config.buckets import Buckets
from config.tracking.privacy import address_of
from config.tracking.visits import visit_of
from orders.models import TrackingLink

#: How many wrong links somebody may try at once.
WRONG_AT_ONCE = 10
#: How many forms a customer may send at once, and then in a minute.
FORMS_AT_ONCE, FORMS_PER_MINUTE = 8, 6

wrong_links = Buckets()
sent_forms = Buckets()


def seconds_to_wait(request: HttpRequest) -> int:
    """Return 0, or the seconds for which who asks has to wait, because of wrong links before."""
    return _whole(wrong_links.wait(_name(request), settings.TRACKING_WRONG_PER_MINUTE, WRONG_AT_ONCE))


def note_wrong_link(request: HttpRequest) -> None:
    """Count a wrong link."""
    wrong_links.take(_name(request), settings.TRACKING_WRONG_PER_MINUTE, WRONG_AT_ONCE)


def seconds_to_wait_with_form(link: TrackingLink) -> int:
    """Count a form that was sent by a link; return 0, or the seconds after which it may be sent."""
    return _whole(sent_forms.take(str(link.pk), FORMS_PER_MINUTE, FORMS_AT_ONCE))


def _name(request: HttpRequest) -> str:
    """Who asks: the link that this browser opened before, or an address.

    So nobody who has a link suffers from their neighbours.
    """
    visit = visit_of(request)
    return f"link:{visit.link_id}" if visit else f"address:{address_of(request)}"


def _whole(seconds: float) -> int:
    return math.ceil(seconds)
