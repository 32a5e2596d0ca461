"""The ledger: what happened, when, by whom. Append-only by trigger, chained per subject."""

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from orders.querysets import OrderEventQuerySet
from orders.statuses import SubjectKind, Visibility
from parts.keys import new_key
from parts.lookups import UtcDay

#: What happens to every order. A search for one of these finds enough among the newest events; the others have an index
#: of their own, which costs the hot path nothing.
COMMON_KINDS = (
    "back_order.opened",
    "back_order.status_changed",
    "line.placed",
    "line.status_changed",
    "line.status_derived",
    "note.added",
    "parts_order.placed",
    "parts_order.status_derived",
    "service_order.status_changed",
)


class OrderEvent(models.Model):
    """One fact about one subject. `orders.ledger` writes it and defines which fields its hash covers."""

    id = models.UUIDField(primary_key=True, editable=False)
    subject_kind = models.CharField(_("about"), max_length=16, choices=SubjectKind)
    subject_id = models.UUIDField(_("subject"))
    reference = models.CharField(_("reference"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("kind"), max_length=60)
    from_status = models.CharField(_("from"), max_length=20, blank=True)
    to_status = models.CharField(_("to"), max_length=20, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    dwell = models.DurationField(_("time since the last status"), null=True)
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)
    message_id = models.CharField(_("external message"), max_length=120, blank=True)
    note_commitment = models.BinaryField(_("commitment to the note"), max_length=32, null=True)
    visibility = models.CharField(_("visible to"), max_length=8, choices=Visibility, default=Visibility.INTERNAL)
    override_reference = models.CharField(_("override reference"), max_length=120, blank=True)
    is_override = models.BooleanField(_("override"), default=False)
    passed_through = models.BooleanField(_("passed through"), default=False)
    data = models.JSONField(_("data"), default=dict)
    previous_hash = models.BinaryField(_("previous hash"), max_length=32)
    hash = models.BinaryField(_("hash"), max_length=32)
    transaction_id = models.BigIntegerField(
        _("transaction"), db_default=RawSQL("(pg_current_xact_id()::text)::bigint", [])
    )

    objects = OrderEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("event")
        verbose_name_plural = _("events")
        permissions = [("export_orderevent", "Can export the ledger")]
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "version"], name="order_event_version_unique_per_subject"),
            models.UniqueConstraint(
                fields=["source", "message_id", "subject_id", "kind", "to_status"],
                condition=~Q(message_id=""),
                name="order_event_message_has_one_effect",
            ),
            models.CheckConstraint(condition=Q(subject_kind__in=SubjectKind.values), name="order_event_subject_known"),
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="order_event_visibility_known"),
        ]
        indexes = [
            models.Index(fields=["transaction_id", "id"], name="order_event_cursor"),
            models.Index(fields=["reference", "id"], condition=Q(is_override=True), name="order_event_overrides"),
            models.Index(
                fields=["actor", "id"],
                condition=Q(actor__startswith="user:") | Q(actor__startswith="link:"),
                name="order_event_by_person",
            ),
            models.Index(fields=["kind", "id"], condition=~Q(kind__in=COMMON_KINDS), name="order_event_rare_kinds"),
            models.Index(UtcDay("occurred_at"), "id", condition=~Q(to_status=""), name="order_event_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} v{self.version} {self.kind}"


class EventText(models.Model):
    """The vault: free text of an event under a salt of its own; the event's hash covers only SHA-256(salt + text).

    Deleting the row erases what a person wrote or what was written about them, and the chain still verifies.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    event = models.OneToOneField(OrderEvent, models.DO_NOTHING, related_name="text")
    salt = models.BinaryField(max_length=16)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("event text")
        verbose_name_plural = _("event texts")
        permissions = [("erase_eventtext", "Can erase what people wrote")]

    def __str__(self) -> str:
        return str(self.event_id)


class EventCursor(models.Model):
    """How far a consumer has read: the last (transaction, event) it has finished with."""

    name = models.CharField(_("consumer"), max_length=60, primary_key=True)
    transaction_id = models.BigIntegerField(_("transaction"), default=0)
    event_id = models.UUIDField(_("event"), default="00000000-0000-0000-0000-000000000000")
    events_read = models.BigIntegerField(_("events read"), default=0)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("event cursor")
        verbose_name_plural = _("event cursors")

    def __str__(self) -> str:
        return self.name


class LedgerAnchor(models.Model):
    """A day's signed digest over the heads of all chains: what was true then cannot be rewritten unseen.

    `day` is the last whole day (UTC) that it covers. `orders.verifier` defines what is hashed and signed.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    day = models.DateField(_("day"), unique=True)
    made_at = models.DateTimeField(_("made at"))
    horizon = models.BigIntegerField(
        _("horizon"), help_text=_("It covers the events of all transactions below this number.")
    )
    subjects = models.PositiveBigIntegerField(_("subjects"))
    events = models.PositiveBigIntegerField(_("events"))
    head_digest = models.BinaryField(_("digest over all heads"), max_length=32)
    previous_digest = models.BinaryField(_("digest of the anchor before"), max_length=32)
    public_key = models.BinaryField(_("public key"), max_length=32)
    signature = models.BinaryField(_("Ed25519 signature"), max_length=64)

    class Meta:
        ordering = ("-day", "id")
        verbose_name = _("ledger anchor")
        verbose_name_plural = _("ledger anchors")

    def __str__(self) -> str:
        return f"{self.day}"
