"""Why somebody got a notice: the events that caused it, the rules that chose it, and how it went out.

A digest of stuck orders is caused by its hour and chosen by what its reader asked for; each of its days keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from notifications.digest_letters import STUCK, days_said
from notifications.models import Attempt, DigestIssue, Message, Notice, Rule
from notifications.statuses import Channel, Timing
from orders import event_words
from orders.statuses import LineStatus, ServiceOrderStatus, Tier
from parts.models import Region
from parts.statuses import Criticality, Purpose

#: More events than this are counted, not listed.
MOST_CAUSES = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a rule asks or says: what about, and what it says of it."""

    about: str
    says: str


@dataclass(frozen=True, slots=True)
class Cause:
    """An event of which the reader was to hear, and the rule that chose it as it was then."""

    message: Message
    what: str
    from_word: str
    to_word: str
    rule_name: str
    rule_says: Sequence[Asked]
    is_rule_known: bool
    #: Of an alert that was told further: which level of its escalation this is.
    level_says: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a digest of stuck orders, and what its reader asked for then."""

    issue: DigestIssue
    name: str
    asks: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer. `left_out` counts the causes that are not listed."""

    causes: Sequence[Cause]
    left_out: int
    attempts: Sequence[Attempt]
    days: Sequence[Day] = ()


def why(notice: Notice) -> Why:
    """Return why a notice was sent and how it went. Five statements at most."""
    rows = Message.objects.filter(notice=notice).select_related("event", "rule", "alert")
    messages = list(rows.order_by("-event__occurred_at", "-id")[:MOST_CAUSES])
    rules = _as_they_were(messages)
    regions = _regions(rules.values())
    causes = [_cause(message, rules.get((message.rule_id, message.rule_revision)), regions) for message in messages]
    left_out = max(notice.messages_count - len(causes), 0) if len(causes) == MOST_CAUSES else 0
    attempts = list(Attempt.objects.filter(notice=notice).order_by("number"))
    return Why(causes, left_out, attempts, _days(notice) if notice.thread_kind == STUCK else ())


def _days(notice: Notice) -> list[Day]:
    """Return the days of a digest that a notice says; of one that could not be sent, those that went another way."""
    issues = DigestIssue.objects.filter(Q(notice=notice) | Q(subscription=notice.thread_id, due_at=notice.caused_at))
    issues = issues.select_related("subscription__reader").order_by("-local_date")
    return [Day(issue, issue.asked.get("name", ""), _asked_for(issue.asked)) for issue in issues[:MOST_CAUSES]]


def _asked_for(asked: Mapping[str, Any]) -> list[Asked]:
    query = QueryDict(asked.get("filters", ""))
    found = [
        Asked(_("Asked for"), days_said(asked["days"])),
        Asked(_("Filters"), ", ".join(f"{name}: {', '.join(query.getlist(name))}" for name in query)),
        Asked(_("When"), f"{asked['hour']:02}:00 ({asked['time_zone']})"),
    ]
    return [one for one in found if one.says]


def _as_they_were(messages: Iterable[Message]) -> dict[tuple[UUID, int], Any]:
    """Return each message's rule as it was when it chose: the present one, or that of its history."""
    found: dict[tuple[UUID, int], Any] = {}
    earlier: set[tuple[UUID, int]] = set()
    for message in messages:
        if message.rule.revision == message.rule_revision:
            found[message.rule_id, message.rule_revision] = message.rule
        else:
            earlier.add((message.rule_id, message.rule_revision))
    if earlier:
        history = Rule.history.filter(
            id__in={key for key, _ in earlier}, revision__in={number for _, number in earlier}
        )
        for row in history.order_by("history_date", "history_id"):
            if (row.id, row.revision) in earlier:
                found[row.id, row.revision] = row
    return found


def _regions(rules: Iterable[Any]) -> dict[UUID, str]:
    wanted = {key for rule in rules for key in rule.regions}
    return dict(Region.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _cause(message: Message, rule: Any, regions: dict[UUID, str]) -> Cause:
    event = message.event
    what = message.alert.rule.get_trigger_display() if message.alert else event_words.title_of(event.kind)
    return Cause(
        message=message,
        what=str(what),
        from_word=_word(event.from_status) if not message.alert else "",
        to_word=_word(event.to_status) if not message.alert else "",
        rule_name=_(rule.name if rule else message.rule.name),
        rule_says=in_words(rule, regions) if rule else (),
        is_rule_known=rule is not None,
        level_says=_level(message),
    )


def _level(message: Message) -> str:
    if message.alert_level < 2:
        return ""
    return _("Nobody had acknowledged the alert in time: this is level %(level)s of its escalation.") % {
        "level": message.alert_level - 1
    }


def _word(status: str) -> str:
    labels = {**dict(LineStatus.choices), **dict(ServiceOrderStatus.choices)}
    return str(labels.get(status, status))


def in_words(rule: Any, regions: dict[UUID, str]) -> list[Asked]:
    """Return what a rule asks and says, in the reader's words; `regions` names those that it speaks of."""
    asks = [
        Asked(_("Events"), ", ".join(str(event_words.title_of(kind)) for kind in dict.fromkeys(rule.kinds))),
        Asked(_("A time that ran out"), _trigger(rule)),
        Asked(_("New status"), ", ".join(_word(status) for status in rule.to_statuses)),
        Asked(_("Criticality of the part"), _labels(Criticality, rule.criticalities)),
        Asked(_("Kind of order"), _labels(Purpose, rule.order_kinds)),
        Asked(_("Customer's tier"), _labels(Tier, rule.tiers)),
        Asked(_("Regions"), ", ".join(regions.get(key, str(key)) for key in rule.regions)),
        Asked(_("Only"), _("what the customer may see") if rule.public_only else ""),
        Asked(_("Who is told"), str(rule.get_audience_display())),
        Asked(pgettext("channel", "By"), _labels(Channel, [rule.channel, *rule.fallbacks])),
        Asked(_("When"), _when(rule)),
        Asked(
            _("Muting"),
            _("This cannot be muted: it is for safety, or the law asks for it.") if rule.cannot_be_muted else "",
        ),
    ]
    return [one for one in asks if one.says]


def _labels(choices: Any, values: Iterable[str]) -> str:
    words = dict(choices.choices)
    return ", ".join(str(words.get(value, value)) for value in values)


def _trigger(rule: Any) -> str:
    if not rule.trigger:
        return ""
    hours = rule.threshold_hours or 0
    return f"{rule.get_trigger_display()} ({ngettext('%(count)s hour', '%(count)s hours', hours) % {'count': hours}})"


def _when(rule: Any) -> str:
    if rule.timing != Timing.DELAYED:
        return str(rule.get_timing_display())
    minutes = rule.delay_minutes
    after = ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    return f"{rule.get_timing_display()} ({after})"
