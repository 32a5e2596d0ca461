"""The phone says what the customer reads, from the table of the customer's link and the API (tests/tracking)."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from orders import wording
from orders.actions import service_orders
from orders.statuses import ServiceOrderStatus
from tests.admin.desk import desk_of, text
from tests.admin.world import cause
from tests.tracking.test_one_table import force
from tests.tracking.words import say
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [status for status in ServiceOrderStatus.values if status != "draft"])
def test_the_phone_reads_the_same_table_in_every_language(technician: User, status: str) -> None:
    tracked = Tracked()
    service_orders.assign(service_order_id=tracked.job.pk, technician_id=technician.pk, **cause())
    force(tracked.job, status)
    say("service_order", status, "de", f"{status} <&>")
    phone = desk_of(technician)
    for language, _name in settings.LANGUAGES:
        phone.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        found = re.search(r"data-customer-reads>(.*?)</span>", text(phone.get(f"/t/jobs/{tracked.job.pk}/")))
        assert found
        assert unescape(found[1]) == wording.read(language).word("service_order", status)
