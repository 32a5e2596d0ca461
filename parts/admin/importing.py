"""Import of a file in two steps: see the difference and what is wrong, then apply it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, BinaryIO, cast

from django import forms
from django.core import signing
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from parts.actions import imports
from parts.actors import Actor
from parts.admin.deeds import Deed, DeedForm, Done
from parts.errors import Refused
from parts.importing import ImportPlan, ImportRefused

#: Where a file waits between the two steps, and for how long.
FOLDER = "imports"
KEPT = timedelta(hours=6)
#: How many rows of each kind of change are shown.
MOST_SHOWN = 100


class ImportForm(DeedForm):
    """A file to look at, or the one that was looked at before (by the ticket that was given for it)."""

    kind = ""
    file = forms.FileField(label=_("File (CSV or XLSX)"), required=False)
    ticket = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Want the one or the other."""
        cleaned = super().clean() or {}
        if not cleaned.get("file") and not cleaned.get("ticket"):
            self.add_error("file", _g("Choose a file."))
        return cleaned

    @property
    def is_preview(self) -> bool:
        """A new file is looked at first, whatever was looked at before."""
        return bool(self.cleaned_data["file"])


def _planned(kind: str, name: str, stored: str, by: Actor) -> ImportPlan:
    with default_storage.open(stored, "rb") as file:
        return imports.plan_import(kind=kind, file=cast(BinaryIO, file), name=name, by=by)


def _look(form: ImportForm, told: dict[str, Any]) -> dict[str, Any]:
    """Look at a new file; at one that was looked at before and could not be applied, as it stands now."""
    if form.is_preview:
        _forget_old()
        name = form.cleaned_data["file"].name
        stored = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}", form.cleaned_data["file"])
    else:
        _kind, stored, name, _digest = _redeem(form.cleaned_data["ticket"], told["by"])
    plan = _planned(form.kind, name, stored, told["by"])
    difference = plan.difference
    ticket = signing.dumps([form.kind, stored, name, told["by"].reference, difference.digest], salt=FOLDER)
    return {
        "plan": plan,
        "difference": difference,
        "shown": {name: getattr(difference, name)[:MOST_SHOWN] for name in ("created", "changed", "errors", "along")},
        "most_shown": MOST_SHOWN,
        "ticket": "" if difference.errors or not (difference.created or difference.changed) else ticket,
    }


def _forget_old() -> None:
    """Remove the files that were looked at and never applied."""
    if not default_storage.exists(FOLDER):
        return
    before = timezone.now() - KEPT
    for name in default_storage.listdir(FOLDER)[1]:
        if default_storage.get_created_time(f"{FOLDER}/{name}") < before:
            default_storage.delete(f"{FOLDER}/{name}")


def _apply(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    kind, stored, name, shown = _redeem(cleaned["ticket"], told["by"])
    plan = _planned(kind, name, stored, told["by"])
    result = imports.apply_import(plan=plan, shown=shown, **told)
    default_storage.delete(stored)
    says = _g("%(name)s imported: %(created)s new, %(changed)s changed, %(unchanged)s as they were.")
    figures = {"created": result.created, "changed": result.changed, "unchanged": result.unchanged}
    said = says % {"name": name, **figures}
    if result.asked_for:
        waits = _g("%(count)s changes of controlled parts wait for the approval of another person.")
        said += " " + waits % {"count": result.asked_for}
    return Done(said)


def _redeem(ticket: str, by: Actor) -> tuple[str, str, str, str]:
    """Return kind, place and name of the file of a ticket, and the digest of what was shown of it.

    Raises ImportRefused for a ticket that is not this person's, or old.
    """
    again = _g("The file is not kept any more: choose it once more.")
    try:
        kind, stored, name, whose, shown = signing.loads(ticket, salt=FOLDER, max_age=KEPT)
    except (signing.BadSignature, ValueError) as error:
        raise ImportRefused(again) from error
    if whose != by.reference or not default_storage.exists(stored):
        raise ImportRefused(again)
    return kind, stored, name, shown


def import_deed(kind: str, title: Any, permission: str) -> Deed:
    """Return the deed by which files of this kind are imported."""

    def look(subject: None, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
        assert isinstance(form, ImportForm)
        if not form.is_bound or not (form.cleaned_data.get("file") or form.cleaned_data.get("ticket")):
            return {}
        try:
            return _look(form, told)
        except Refused as refusal:  # no file of this kind at all, or one that is not kept any more
            if form.is_preview:
                form.refuse(refusal)
            return {}

    return Deed(
        slug="import",
        title=title,
        permission=permission,
        form=type(f"{kind.title().replace('-', '')}ImportForm", (ImportForm,), {"kind": kind}),
        act=_apply,
        icon="upload_file",
        intro=_("The file is looked at first: what it would add, change and what is wrong with it. Then you decide."),
        on_list=True,
        template="admin/desk/import.html",
        context=look,
    )
