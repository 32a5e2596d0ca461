"""What lies beside the demo's orders: files on its jobs, numbers of other systems, and parts that may stand in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from PIL import Image, ImageDraw
from simple_history.utils import bulk_create_with_history

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions import attachments
from orders.models import ServiceOrder
from parts.actions.stock import correct_stock
from parts.models import Part, PartNumber, PartRelation, Warehouse

MEASURED = "point;measured;allowed\ninlet;84;78\noutlet;101;88\nhousing;119;95\n"


def tell(cast: Cast, now: datetime, special_ids: Sequence[UUID]) -> None:
    """Add files to the job of the water pump, numbers to the parts that are only ordered when needed, and stand-ins."""
    job = ServiceOrder.objects.get(title__contains="Engine overheats")
    for name, content, note, public in (
        ("Water pump.jpg", _photo(), "The bearing has worn into the housing.", True),
        ("Temperatures.csv", MEASURED.encode(), "Measured at full load", False),
    ):
        attachments.attach(
            service_order_id=job.pk,
            name=name,
            content=content,
            note=note,
            public=public,
            by=cast.technician,
            source=SOURCE,
            at=now,
        )
    special = list(Part.objects.filter(pk__in=special_ids).order_by("number"))
    PartNumber.objects.bulk_create(
        [PartNumber(part=part, system="ERP", number=f"4711-{part.number[2:]}") for part in special]
    )
    _rebuild(cast, now, special[:3])


def _rebuild(cast: Cast, now: datetime, worn: Sequence[Part]) -> None:
    """Put rebuilt units of these parts on the shelf: each may stand in for the new one."""
    rebuilt = [
        Part(
            number=f"{part.number}X",
            description=f"{part.description}, rebuilt",
            criticality=part.criticality,
            unit_cost=part.unit_cost / 2,
            core_charge=part.unit_cost / 5,
        )
        for part in worn
    ]
    bulk_create_with_history(rebuilt, Part)
    relations = [
        PartRelation(kind="substitutes", part=stand_in, other=part)
        for part, stand_in in zip(worn, rebuilt, strict=True)
    ]
    bulk_create_with_history(relations, PartRelation)
    central = Warehouse.objects.get(kind="central")
    for number, part in enumerate(rebuilt, start=1):
        correct_stock(
            part_id=part.pk,
            warehouse_id=central.pk,
            on_hand_change=Decimal(number),
            reason="opening",
            by=cast.manager,
            source=SOURCE,
            at=now,
        )


def _photo() -> bytes:
    """Return a picture that could be of a pump, taken in bad light."""
    photo = Image.effect_noise((960, 720), 38).convert("RGB")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((180, 300, 780, 430), fill=(74, 78, 84))
    draw.ellipse((300, 160, 660, 560), fill=(112, 116, 122), outline=(40, 42, 46), width=12)
    draw.ellipse((400, 270, 560, 450), fill=(58, 44, 34), outline=(150, 92, 40), width=10)
    for x, y in ((340, 220), (590, 220), (340, 480), (590, 480)):
        draw.ellipse((x, y, x + 34, y + 34), fill=(38, 40, 44))
    target = io.BytesIO()
    photo.save(target, "JPEG", quality=80)
    return target.getvalue()
