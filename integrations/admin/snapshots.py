"""Inventory snapshots in the back office: what differs from the books, and who lets them say otherwise."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations.actions import snapshots
from integrations.actions.snapshots import Decided
from integrations.models import ExternalSystem, InventorySnapshot, SnapshotDifference
from integrations.statuses import DifferenceKind, DifferenceStatus, SnapshotStatus
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Shown
from parts.labels import names_of, written
from parts.models import Warehouse


class UploadForm(DeedForm):
    """A file, whose it is, and of when."""

    system = forms.ModelChoiceField(
        label=_("External system"), queryset=ExternalSystem.objects.filter(is_active=True).order_by("code")
    )
    as_of = forms.DateTimeField(label=_("As of"))
    is_complete = forms.BooleanField(
        label=_("Complete: what it does not list of its warehouses, they do not have"), required=False, initial=True
    )
    file = forms.FileField(label=_("File (CSV, may be packed with gzip)"))

    def shape(self) -> None:
        """Begin with this minute."""
        self.fields["as_of"].initial = timezone.now().replace(second=0, microsecond=0)


class WhyForm(DeedForm):
    """Asks why."""

    reason = forms.CharField(label=_("Reason"), max_length=snapshots.LONGEST_REASON)


class ApproveAllForm(WhyForm):
    """Which of the differences, and why."""

    which = forms.ChoiceField(
        label=_("Which"),
        choices=[("within", _("Those within the tolerance")), ("all", _("All that are open"))],
        initial="within",
    )
    warehouse = forms.ModelChoiceField(
        label=_("Only in the warehouse"),
        queryset=Warehouse.objects.order_by("code"),
        required=False,
        empty_label=_("All"),
    )

    def shape(self) -> None:
        """Offer the warehouses in which something is open."""
        self.order_fields(["which", "warehouse", "reason"])


def _upload(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    file = cleaned["file"]
    snapshot, is_new = snapshots.receive(
        system=cleaned["system"],
        file=file,
        name=file.name,
        as_of=cleaned["as_of"],
        by=told["by"],
        at=told["at"],
        is_complete=cleaned["is_complete"],
    )
    says = _g("Received. It is compared within a minute or two.") if is_new else _g("This file was here already.")
    return Done(says, snapshot)


def _in_words(decided: Decided) -> str:
    said = _g("Books corrected: %(corrected)s. Settled by itself: %(settled)s.") % {
        "corrected": decided.corrected,
        "settled": decided.settled,
    }
    if decided.held:
        said += " " + _g("Left open, because orders hold more than there is or the unit has no halves: %(held)s.") % {
            "held": decided.held
        }
    return said


def _approve(subject: SnapshotDifference, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return Done(_in_words(snapshots.approve(differences=[subject.pk], reason=cleaned["reason"], **told)))


def _dismiss(subject: SnapshotDifference, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    snapshots.dismiss(differences=[subject.pk], reason=cleaned["reason"], by=told["by"], at=told["at"])
    return Done(_g("The books stay as they are."))


def _approve_all(subject: InventorySnapshot, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    place = cleaned["warehouse"]
    decided = snapshots.approve_all(
        snapshot=subject,
        reason=cleaned["reason"],
        only_within=cleaned["which"] == "within",
        warehouse_id=place.pk if place else None,
        **told,
    )
    return Done(_in_words(decided), subject)


def _is_open(row: SnapshotDifference) -> bool:
    return row.status == DifferenceStatus.OPEN


def _can_be_approved(row: SnapshotDifference) -> bool:
    return _is_open(row) and row.kind in (DifferenceKind.QUANTITY, DifferenceKind.NOT_LISTED)


@admin.register(InventorySnapshot)
class InventorySnapshotOffice(Shown):
    """Files of stock, and how far they agreed with the books."""

    list_display = ("as_of", "system", "status", "stock", "different", "not_listed", "unknown", "beyond", "value")
    list_filter = (("status", ChoicesDropdownFilter),)
    list_select_related = ("system",)
    search_fields = ("key", "file_name", "system__code")
    ordering = ("-as_of", "-id")
    panel_template = "admin/integrations/inventorysnapshot/panel.html"
    fields = (
        ("system", "status"),
        ("as_of", "is_complete"),
        ("file_name", "size"),
        ("received_at", "compared_at"),
        ("by", "key"),
        ("rows", "unreadable"),
    )
    deeds = (
        Deed(
            slug="upload",
            title=_("Load a snapshot"),
            permission="integrations.load_inventorysnapshot",
            form=UploadForm,
            act=_upload,
            icon="upload_file",
            on_list=True,
            intro=_(
                "It is compared with the books beside all other work. Nothing is corrected before somebody says so."
            ),
        ),
        Deed(
            slug="approve",
            title=_("Correct the books"),
            permission="integrations.approve_snapshotdifference",
            form=ApproveAllForm,
            act=_approve_all,
            offered=lambda snapshot: snapshot.status == SnapshotStatus.COMPARED,
            icon="inventory",
            intro=_(
                "Each stock is changed by as much as it differed at that moment; what has happened since stays."
                " Up to 10,000 at once."
            ),
        ),
    )

    def panel(self, request: HttpRequest, subject: InventorySnapshot) -> dict[str, Any]:
        """Return how it agreed with the books, and where it did not."""
        is_open = Q(status=DifferenceStatus.OPEN)
        places = (
            subject.differences.filter(warehouse__isnull=False)
            .order_by("warehouse__code")
            .values("warehouse", "warehouse__code", "warehouse__name")
            .annotate(
                found=Count("id"),
                open=Count("id", filter=is_open),
                beyond=Count("id", filter=is_open & Q(is_beyond=True)),
                value=Sum("value", filter=is_open),
            )
        )
        rows = subject.differences.order_by("-value", "id").select_related("part", "warehouse")
        return {
            "places": list(places[:100]),
            "largest": list(rows.filter(is_open, part__isnull=False)[:10]),
            "strange": list(rows.filter(is_open, part__isnull=True)[:10]),
        }


@admin.register(SnapshotDifference)
class SnapshotDifferenceOffice(Shown):
    """Stocks of which a system says something else than the books."""

    list_display = ("what", "place", "kind", "in_books", "there", "change", "value", "is_beyond", "status", "snapshot")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        "is_beyond",
        ("warehouse", ChosenFilter),
    )
    list_select_related = ("part", "warehouse", "snapshot__system")
    search_fields = ("part__number", "named")
    ordering = ("-value", "id")
    deeds = (
        Deed(
            slug="approve",
            title=_("Correct the books"),
            permission="integrations.approve_snapshotdifference",
            form=WhyForm,
            act=_approve,
            offered=_can_be_approved,
            icon="inventory",
        ),
        Deed(
            slug="dismiss",
            title=_("Keep the books"),
            permission="integrations.approve_snapshotdifference",
            form=WhyForm,
            act=_dismiss,
            offered=_is_open,
            icon="block",
        ),
    )
    fields = (
        ("snapshot", "status"),
        ("what", "place"),
        ("condition", "owner"),
        ("in_books", "there"),
        ("ours_unfit", "theirs_unfit"),
        ("kind", "is_beyond"),
        "value",
        ("decider", "decided_at"),
        "reason",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SnapshotDifference]:
        """Leave out what is still being compared."""
        return super().get_queryset(request).exclude(status=DifferenceStatus.PENDING)

    @display(description=_("decided by"))
    def decider(self, row: SnapshotDifference) -> str:
        """Who decided, by name."""
        return names_of([row.decided_by])[row.decided_by] if row.decided_by else "–"

    @display(description=_("part"))
    def what(self, row: SnapshotDifference) -> str:
        """The part, or what the file calls it."""
        if row.kind == DifferenceKind.UNREADABLE:
            return _g("Line %(line)s: %(problem)s") % {"line": row.line, "problem": row.problem_said}
        return str(row.part.number) if row.part else row.named

    @display(description=_("warehouse"))
    def place(self, row: SnapshotDifference) -> str:
        """The warehouse, where it is known."""
        return str(row.warehouse or "–")

    @display(description=_("in the books"))
    def in_books(self, row: SnapshotDifference) -> str:
        """What our books said."""
        return written(row.ours) or "–"

    @display(description=_("there"))
    def there(self, row: SnapshotDifference) -> str:
        """What the system said."""
        return written(row.theirs) or "–"

    @display(description=_("difference"))
    def change(self, row: SnapshotDifference) -> str:
        """There less here."""
        return written(row.theirs - row.ours) if row.theirs is not None and row.ours is not None else "–"
