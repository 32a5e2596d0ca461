"""Files at the desk: looked at first, then imported, by the same person, all or nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from parts.actions.imports import apply_import, plan_import
from parts.actors import Actor
from parts.importing import ImportRefused
from parts.models import Part
from tests.admin.desk import deed, desk_of, said, text
from tests.admin.world import World
from tests.factories.parts import PartFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_file_is_looked_at_first_and_then_imported(world: World, manager: User) -> None:
    part = world.part_in_stock()
    content = f"part_number,description\n{part.number},Another name\nNEW-1,A new part\n".encode()
    client = desk_of(manager)
    shown = client.post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert shown.status_code == 200
    assert "Another name" in text(shown)
    assert not Part.objects.filter(number="NEW-1").exists()
    answer = client.post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert "1 new, 1 changed" in said(answer)
    assert Part.objects.filter(number="NEW-1").exists()
    assert client.post(deed(Part, "import"), {"ticket": shown.context["ticket"]}).status_code == 422


def test_an_import_does_what_was_shown_or_nothing_and_then_shows_what_it_would_do_now(
    world: World, manager: User
) -> None:
    part = world.part_in_stock()
    Part.objects.filter(pk=part.pk).update(unit_cost=10)
    content = f"part_number,unit_cost\n{part.number},12\n".encode()
    client = desk_of(manager)
    shown = client.post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert "10.00" in text(shown)
    Part.objects.filter(pk=part.pk).update(unit_cost=15)  # somebody else, meanwhile
    again = client.post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert again.status_code == 422
    assert "not what was shown" in text(again)
    assert "15.00" in text(again)
    assert Part.objects.get(pk=part.pk).unit_cost == 15
    client.post(deed(Part, "import"), {"ticket": again.context["ticket"]})
    assert Part.objects.get(pk=part.pk).unit_cost == 12


def test_an_import_that_was_shown_is_compared_under_the_locks_that_it_writes_under(manager: User) -> None:
    part = PartFactory.create(unit_cost=10)
    file = io.BytesIO(f"part_number,unit_cost\n{part.number},12\n".encode())
    by = Actor.user(manager)
    plan = plan_import(kind="catalogue", file=file, name="f.csv", by=by)
    Part.objects.filter(pk=part.pk).update(unit_cost=15)  # after it was planned, before it is applied
    told: dict[str, Any] = {"by": by, "source": "test", "at": timezone.now()}
    with pytest.raises(ImportRefused, match="not what was shown"):
        apply_import(plan=plan, shown=plan.difference.digest, **told)
    assert Part.objects.get(pk=part.pk).unit_cost == 15
    assert apply_import(plan=plan, **told).changed == 1  # for who was shown nothing, as the command


def test_a_file_with_a_bad_row_names_it_and_gives_no_ticket(world: World, manager: User) -> None:
    content = b"part_number,description,unit_cost\nNEW-1,A new part,cheap\n"
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert not shown.context["ticket"]
    assert "cheap" in text(shown)


def test_the_ticket_of_one_person_is_nothing_to_another(world: World, manager: User, above_all: User) -> None:
    content = b"part_number,description\nNEW-1,A new part\n"
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    answer = desk_of(above_all).post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert answer.status_code == 422
    assert not Part.objects.filter(number="NEW-1").exists()


def test_what_is_no_table_at_all_is_refused_in_words(world: World, manager: User) -> None:
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("x.csv", b"\x00\x01\x02")})
    assert "ticket" not in shown.context
    assert shown.context["form"].non_field_errors()
