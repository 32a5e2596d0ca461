"""What people of the house say of the words for a status: that they do not say what is happening, and better ones."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from notifications.statuses import ProposalState
from orders.models import PartsOrder, ServiceOrder
from orders.models.words import WORDED
from orders.statuses import SubjectKind
from parts.keys import new_key


class RootCause(models.Model):
    """Why a status does not say what is happening: a small list that people edit."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("root cause")
        verbose_name_plural = _("root causes")
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="root_cause_has_a_name")]

    def __str__(self) -> str:
        return self.name


class WordProposal(models.Model):
    """That a status did not say what was happening to an order, why, and maybe better words; answered once.

    `form_key` is of the form it was written in: sent twice, it is one proposal.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    form_key = models.CharField(max_length=60, unique=True, editable=False)
    subject = models.CharField(
        _("of a"), max_length=16, choices=[(kind, SubjectKind(kind).label) for kind in WORDED], editable=False
    )
    status = models.CharField(_("status"), max_length=20, editable=False)
    service_order = models.ForeignKey(
        ServiceOrder, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("service order")
    )
    parts_order = models.ForeignKey(
        PartsOrder, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("parts order")
    )
    cause = models.ForeignKey(RootCause, models.PROTECT, related_name="proposals", verbose_name=_("root cause"))
    said = models.CharField(_("what is happening"), max_length=1000)
    language = models.CharField(_("language"), max_length=10)
    word = models.CharField(_("better word"), max_length=60, blank=True)
    next_step = models.CharField(_("what happens next, better said"), max_length=200, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposed by"), editable=False
    )
    proposed_at = models.DateTimeField(_("proposed at"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ProposalState, default=ProposalState.OPEN, editable=False
    )
    answer = models.CharField(_("answer"), max_length=300, blank=True, editable=False)
    answered_by = models.CharField(_("answered by"), max_length=80, blank=True, editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-proposed_at", "-id")
        verbose_name = _("proposal for a status")
        verbose_name_plural = _("proposals for statuses")
        permissions = [("review_wordproposal", "Can accept and decline proposals for statuses")]
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=WORDED), name="word_proposal_subject_known"),
            models.CheckConstraint(condition=~Q(said=""), name="word_proposal_says_something"),
            models.CheckConstraint(
                condition=Q(service_order__isnull=False, parts_order__isnull=True)
                | Q(service_order__isnull=True, parts_order__isnull=False),
                name="word_proposal_of_one_order",
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True, answered_by="")
                | (Q(state="accepted", answered_at__isnull=False) & ~Q(answered_by=""))
                | (Q(state="declined", answered_at__isnull=False) & ~Q(answered_by="") & ~Q(answer="")),
                name="word_proposal_answered_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="word_proposal_by_state"),
            models.Index(fields=["subject", "status", "-id"], name="word_proposal_by_status"),
            models.Index(fields=["proposed_at"], name="word_proposal_by_time"),
            models.Index(fields=["proposed_by", "proposed_at"], name="word_proposal_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.order.reference} {self.status}"

    @property
    def order(self) -> ServiceOrder | PartsOrder:
        """The order to which it happened."""
        order = self.service_order or self.parts_order
        assert order is not None
        return order

    @property
    def code(self) -> str:
        """What names the status in addresses."""
        return f"{self.subject}-{self.status}"
