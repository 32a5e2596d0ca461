"""A rule in words: one sentence that says of what, to whom, over which channel and when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from backorders.statuses import BackOrderStatus
from notifications.models import Rule
from notifications.statuses import Audience, Channel, Timing, Trigger
from orders import event_words
from orders.statuses import LineStatus, ServiceOrderStatus, SubjectKind, Tier
from parts.statuses import Purpose

#: What the first word of a kind of event is about.
_ABOUT: Mapping[str, Any] = dict(SubjectKind.choices)


def kind_word(kind: str) -> str:
    """Return what a kind of event is called, with what it is about, where that is not clear from its title."""
    about = _ABOUT.get(kind.partition(".")[0])
    title = event_words.title_of(kind)
    return f"{about}: {title}" if about else title


def status_words() -> dict[str, str]:
    """Return what each status of jobs, lines and back orders is called; a name that several have is said once."""
    found: dict[str, str] = {}
    for choices in (ServiceOrderStatus.choices, LineStatus.choices, BackOrderStatus.choices):
        for value, label in choices:
            found.setdefault(value, str(label))
    return found


def sentence_of(rule: Rule, regions: Mapping[UUID, str]) -> str:
    """Say what a rule does. `regions` names the regions by key."""
    return " ".join(part for part in (_when(rule), _for_what(rule, regions), _who(rule)) if part)


def _listed(words: Iterable[Any]) -> str:
    said = [str(word) for word in words]
    return _("%(first)s or %(last)s") % {"first": ", ".join(said[:-1]), "last": said[-1]} if len(said) > 1 else said[0]


def _labels(values: Collection[str], choices: Iterable[tuple[Any, Any]]) -> str:
    words = dict(choices)
    return _listed(words.get(value, value) for value in values)


def _when(rule: Rule) -> str:
    if rule.trigger:
        facts = {"what": Trigger(rule.trigger).label, "hours": rule.threshold_hours}
        if rule.trigger in (Trigger.PROMISE_NEAR, Trigger.SLA_NEAR):
            return _("%(what)s (within %(hours)s hours)") % facts
        return _("%(what)s (after %(hours)s hours)") % facts if rule.threshold_hours else str(facts["what"])
    said = _listed(dict.fromkeys(kind_word(kind) for kind in rule.kinds))
    return _("%(what)s, to be seen by the customer") % {"what": said} if rule.public_only else said


def _for_what(rule: Rule, regions: Mapping[UUID, str]) -> str:
    conditions = []
    if rule.to_statuses:
        words = status_words()
        conditions.append(_("to %(status)s") % {"status": _listed(words.get(each, each) for each in rule.to_statuses)})
    if rule.criticalities:
        conditions.append(_("parts of criticality %(letters)s") % {"letters": _listed(rule.criticalities)})
    if rule.order_kinds:
        conditions.append(_("orders of kind %(kinds)s") % {"kinds": _labels(rule.order_kinds, Purpose.choices)})
    if rule.tiers:
        conditions.append(_("customers of tier %(tiers)s") % {"tiers": _labels(rule.tiers, Tier.choices)})
    if rule.regions:
        conditions.append(
            _("region %(regions)s") % {"regions": _listed(regions.get(each, "?") for each in rule.regions)}
        )
    return f"({'; '.join(conditions)})" if conditions else ""


def _who(rule: Rule) -> str:
    channel = str(Channel(rule.channel).label)
    if rule.fallbacks:
        other = _labels(rule.fallbacks, Channel.choices)
        channel = _("%(channel)s, else %(other)s") % {"channel": channel, "other": other}
    when = pgettext("rule", "at once")
    if rule.timing == Timing.DELAYED:
        when = _("after %(minutes)s minutes, with what came meanwhile") % {"minutes": rule.delay_minutes}
    elif rule.timing == Timing.DIGEST:
        when = _("with the daily digest")
    facts = {"audience": Audience(rule.audience).label, "channel": channel, "when": when}
    return _("→ %(audience)s: %(channel)s, %(when)s.") % facts
