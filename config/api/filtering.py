"""Narrowing lists by their FilterSets."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

_OF_THE_PAGE = {"cursor", "page_size"}


class Filters(DjangoFilterBackend):
    """Builds a FilterSet where a list is narrowed; most calls do not, and building its form is dear."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the rows that the parameters leave. Raises ValidationError for one that means nothing."""
        if _OF_THE_PAGE.issuperset(request.query_params):
            return queryset
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found
