"""A customer with a job and a link to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from config.tracking.limits import sent_forms, wrong_links
from tests.tracking.world import Tracked


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> Iterator[None]:
    wrong_links.empty_all()
    sent_forms.empty_all()
    cache.clear()
    yield
    wrong_links.empty_all()
    sent_forms.empty_all()


@pytest.fixture
def tracked(db: None) -> Tracked:
    """A job that is planned, and a link to it."""
    return Tracked()
