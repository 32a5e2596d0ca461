"""Files kept from before they were refused (ADR 10): photos as HEIC, with the place where they were taken in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orders.models import Attachment, OverrideRequest

#: What such a file was stored as.
HEIC_TYPES = ("image/heic", "image/heif")


@dataclass(frozen=True, slots=True)
class Located:
    """A file that may tell where it was taken: what it belongs to, its name there, and whether the customer sees it."""

    belongs_to: str
    name: str
    key: str
    is_public: bool = False
    is_evidence: bool = False


def located_files() -> Iterator[Located]:
    """Yield what is kept as HEIC and was not removed, the files of jobs first. Two queries."""
    kept = Attachment.objects.filter(content_type__in=HEIC_TYPES).exclude(file="").select_related("service_order")
    for row in kept.order_by("id").iterator():
        yield Located(row.service_order.reference, row.name, str(row.pk), is_public=row.visibility == "public")
    asked = OverrideRequest.objects.filter(evidence_type__in=HEIC_TYPES).exclude(evidence="")
    for request in asked.select_related("line", "service_order").order_by("id").iterator():
        yield Located(request.subject.reference, request.evidence_name, str(request.pk), is_evidence=True)
