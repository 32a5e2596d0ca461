"""A region and a customer live in a time zone that exists."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tests.factories.orders import CustomerFactory
from tests.factories.parts import RegionFactory


@pytest.mark.django_db
def test_a_zone_that_nobody_knows_is_refused() -> None:
    for row in (RegionFactory.create(), CustomerFactory.create()):
        row.time_zone = "Europe/Berlin"
        row.full_clean()
        row.time_zone = "Europe/Atlantis"
        with pytest.raises(ValidationError) as refused:
            row.full_clean()
        assert list(refused.value.message_dict) == ["time_zone"]
