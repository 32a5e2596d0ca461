"""The command that imports a file."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from parts.models import Part

pytestmark = pytest.mark.django_db

GOOD = "part_number,description,criticality\n" + "".join(f"HP-{number},Pump,A\n" for number in range(3))


def run(*arguments: str) -> tuple[str, str, str]:
    """Return what the command wrote, what it complained of, and why it failed."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_file", *arguments, stdout=out, stderr=err)
    except CommandError as failure:
        return out.getvalue(), err.getvalue(), str(failure)
    return out.getvalue(), err.getvalue(), ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "parts.csv"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("word", [[], ["--dry-run"]])
def test_without_commit_it_only_shows_what_would_change(file: Path, word: list[str]) -> None:
    out, _, failure = run("catalogue", str(file), "--show=2", *word)

    assert not failure
    assert "create: line 2, HP-0\ncreate: line 3, HP-1\ncreate: and 1 more\n" in out
    assert "parts.csv: 3 to create, 0 to change, 0 as they are, 0 errors.\nNothing was changed" in out
    assert not Part.objects.exists()


def test_with_commit_it_does_it_and_a_second_time_changes_nothing(file: Path) -> None:
    out, _, _ = run("catalogue", str(file), "--commit")
    again, _, _ = run("catalogue", str(file), "--commit")

    assert "Imported: 3 created, 0 changed, 0 as they were." in out
    assert "Imported: 0 created, 0 changed, 3 as they were." in again
    assert Part.objects.count() == 3


def test_a_change_is_shown_field_by_field(file: Path) -> None:
    run("catalogue", str(file), "--commit")
    file.write_text(GOOD.replace("HP-1,Pump,A", "HP-1,Big pump,B"))

    out, _, _ = run("catalogue", str(file))

    assert "change: line 3, HP-1: description 'Pump' → 'Big pump'; criticality 'A' → 'B'" in out


def test_errors_are_named_up_to_a_limit_and_nothing_is_imported(file: Path) -> None:
    file.write_text(GOOD.replace(",A", ",X"))

    out, _, failure = run("catalogue", str(file), "--commit", "--show=1")

    assert "error: line 2, criticality: must be one of A, B, C, not 'X'\nerror: and 2 more" in out
    assert failure == "3 errors; nothing was imported."
    assert not Part.objects.exists()


def test_a_file_that_is_none_is_refused(file: Path, tmp_path: Path) -> None:
    assert "cannot be opened" in run("catalogue", str(tmp_path / "missing.csv"))[2]
    assert "cannot be opened" in run("catalogue", str(tmp_path))[2]
    file.write_text("number\n1\n")
    assert "Unknown columns: 'number'" in run("catalogue", str(file))[2]


def test_one_cannot_ask_for_both(file: Path) -> None:
    assert "not allowed with" in run("catalogue", str(file), "--commit", "--dry-run")[2]
