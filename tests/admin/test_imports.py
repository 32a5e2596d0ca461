"""Files at the desk: looked at first, then imported, by the same person, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from parts.models import Part
from tests.admin.desk import deed, desk_of, said, text
from tests.admin.world import World

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
