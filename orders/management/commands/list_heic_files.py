"""manage.py list_heic_files"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orders.located import Located, located_files

_WHAT_TO_DO = """
These photos tell where they were taken, and by which telephone. Nothing here can write them anew (docs/adr/0010), and
their bytes are what the ledger has the digest of: they are not changed under it. For each file of a job: download it,
save it as JPEG, add that to the job, and remove the HEIC file with the reason "kept the place where it was taken". The
row and its event stay, the file goes. Begin with what the customer sees. Evidence of an override stays, since the
override rests on it; only who may see the override can download it."""


class Command(BaseCommand):
    help = "List the photos as HEIC that were taken before these were refused, and say what to do with them."

    def handle(self, **_options: Any) -> None:
        count = 0
        for file in located_files():
            count += 1
            self.stdout.write(f"{file.belongs_to}  {file.key}  {file.name}{_marks(file)}")
        if count:
            self.stdout.write(f"{count} in all.\n{_WHAT_TO_DO}")
        else:
            self.stdout.write("No photo is kept as HEIC.")


def _marks(file: Located) -> str:
    if file.is_evidence:
        return "  (evidence of an override)"
    return "  (the customer sees it)" if file.is_public else ""
