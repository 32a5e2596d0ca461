"""Times as others send them: with their zone, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters as filters
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django_filters.fields import IsoDateTimeField
from rest_framework import serializers

NO_ZONE = "Say the zone as well, for example 2026-11-20T09:00:00Z."


class MomentField(serializers.DateTimeField):
    """A time that says its zone. One that does not is refused: nobody could say when it was."""

    default_error_messages = {"naive": NO_ZONE}

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return the time in ours; refuse one without a zone."""
        if value.utcoffset() is None:
            self.fail("naive")
        moment: datetime = super().enforce_timezone(value)
        return moment


class MomentFormField(IsoDateTimeField):
    """Takes a time that says its zone, and no other."""

    def to_python(self, value: Any) -> datetime | None:
        """Return the time. Raises ValidationError for what is none, and for one without a zone."""
        moment: datetime | None = super().to_python(value)
        said = parse_datetime(value.strip()) if isinstance(value, str) else value
        if moment is not None and (said is None or said.utcoffset() is None):
            raise ValidationError(NO_ZONE, code="naive")
        return moment


class MomentFilter(filters.IsoDateTimeFilter):
    """Narrows by a time that says its zone."""

    field_class = MomentFormField
