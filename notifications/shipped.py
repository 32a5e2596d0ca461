"""What is shipped: the wordings, the rules and the channels that a new installation begins with.

`wordings/<code>.<language>.txt` holds a wording: its subject, its SMS, its text and its HTML, each under a line that
names it. What people changed since stays as they left it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_noop as _

from notifications.models import ChannelSetting, EscalationLevel, RootCause, Rule, Template, TemplateVersion
from notifications.statuses import Audience, Channel, Timing, Trigger, WhenStale

LANGUAGES = ("en", "de", "es")
_FOLDER = Path(__file__).parent / "wordings"
_WHY = "shipped"


@dataclass(frozen=True, slots=True)
class Words:
    """A wording as it is shipped. Without HTML, its text is shown."""

    subject: str
    sms: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class ShippedTemplate:
    """A wording's purpose."""

    code: str
    name: str
    for_customers: bool = False


TEMPLATES = (
    ShippedTemplate("customer_news", _("News of an order, for its customer"), for_customers=True),
    ShippedTemplate("staff_news", _("News of an order, for people of the house")),
    ShippedTemplate("staff_alert", _("A time ran out, for people of the house")),
    ShippedTemplate("digest", _("A day's news together")),
    ShippedTemplate("stuck_orders", _("Orders that stand still, for people of the house")),
    ShippedTemplate("confirm_address", _("May we write to this address?"), for_customers=True),
    ShippedTemplate("address_off", _("An address was switched off")),
    ShippedTemplate("allow_address", _("Is a new address right?"), for_customers=True),
    ShippedTemplate("word_proposal", _("A proposal for a status was answered")),
    ShippedTemplate("wishes_changed", _("How a customer is told was changed"), for_customers=True),
)


@dataclass(frozen=True, slots=True)
class ShippedRule:
    """A rule that a new installation begins with."""

    code: str
    name: str
    template: str
    audience: Audience
    channel: Channel
    fields: dict[str, Any] = field(default_factory=dict)
    levels: tuple[tuple[int, Audience, Channel], ...] = ()


#: No provider limits the inbox. An SMS that comes twice cannot be told from a second one: when in doubt, its news go by
#: another channel.
_CHANNELS: dict[Channel, dict[str, Any]] = {
    Channel.INBOX: {"gap_seconds": 0, "per_second": 1_000},
    Channel.SMS: {"resend_in_doubt": False},
}
_STEPS = {"kinds": ["service_order.status_changed", "service_order.status_overridden"]}
_ARRIVED = {"kinds": ["back_order.status_changed"], "to_statuses": ["allocated"]}
_SHIPPED = {"kinds": ["line.status_changed"], "to_statuses": ["shipped"]}
_SHORT = {"kinds": ["back_order.opened"]}
_PROMISED = {"kinds": ["line.promise_changed"]}
_WAITED = {"importance": 40, "timing": Timing.DELAYED, "delay_minutes": 1, "when_stale": WhenStale.DROP}
_AT_ONCE = {"importance": 80, "is_urgent": True, "fallbacks": ["email"], "target_seconds": 60}

RULES = (
    ShippedRule(
        "customer-status",
        _("Customer: each new status of the job"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {**_STEPS, **_WAITED, "fallbacks": ["sms"], "target_seconds": 180},
    ),
    ShippedRule(
        "customer-note",
        _("Customer: each public note"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {"kinds": ["note.added"], "public_only": True, "importance": 45, "fallbacks": ["sms"]},
    ),
    ShippedRule(
        "customer-short-a",
        _("Customer: an A-critical part is missing, by SMS"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.SMS,
        {**_SHORT, **_AT_ONCE, "criticalities": ["A"]},
    ),
    ShippedRule(
        "customer-promise-a",
        _("Customer: a new promise for an A-critical part, by SMS"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.SMS,
        {**_PROMISED, **_AT_ONCE, "criticalities": ["A"]},
    ),
    ShippedRule(
        "customer-short",
        _("Customer: a part is missing"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {**_SHORT, **_WAITED, "importance": 60},
    ),
    ShippedRule(
        "customer-promise",
        _("Customer: a new promise"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {**_PROMISED, **_WAITED, "importance": 65},
    ),
    ShippedRule(
        "customer-arrived-a",
        _("Customer: an A-critical part has come in, by SMS"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.SMS,
        {**_ARRIVED, **_AT_ONCE, "criticalities": ["A"]},
    ),
    ShippedRule(
        "customer-arrived",
        _("Customer: what was missing has come in"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {**_ARRIVED, "importance": 70},
    ),
    ShippedRule(
        "customer-shipped",
        _("Customer: parts are on their way"),
        "customer_news",
        Audience.CUSTOMER,
        Channel.EMAIL,
        {**_SHIPPED, "importance": 70},
    ),
    ShippedRule(
        "technician-arrived",
        _("Technician: what the job waited for has come in"),
        "staff_news",
        Audience.TECHNICIAN,
        Channel.PUSH,
        {**_ARRIVED, "importance": 70, "fallbacks": ["inbox"]},
    ),
    ShippedRule(
        "technician-assigned",
        _("Technician: a job was assigned"),
        "staff_news",
        Audience.TECHNICIAN,
        Channel.PUSH,
        {"kinds": ["service_order.assigned", "service_order.rescheduled"], "fallbacks": ["inbox"]},
    ),
    ShippedRule(
        "requester-arrived",
        _("Who asked for it: it has come in"),
        "staff_news",
        Audience.REQUESTER,
        Channel.INBOX,
        {**_ARRIVED, "importance": 60},
    ),
    ShippedRule(
        "dispatchers-customer-wrote",
        _("Dispatchers: a customer wrote"),
        "staff_news",
        Audience.DISPATCHERS,
        Channel.INBOX,
        {"kinds": ["message.received"], "importance": 80},
    ),
    ShippedRule(
        "watchers-news",
        _("Who watches: each step and public note"),
        "staff_news",
        Audience.WATCHERS,
        Channel.INBOX,
        {"kinds": [*_STEPS["kinds"], "note.added", "line.promise_changed", "back_order.status_changed"]},
    ),
    ShippedRule(
        "managers-short-a",
        _("Parts managers: an A-critical part is missing"),
        "staff_news",
        Audience.PARTS_MANAGERS,
        Channel.INBOX,
        {"kinds": ["back_order.opened"], "criticalities": ["A"], "importance": 70},
    ),
    *(
        ShippedRule(
            f"waits-{letter.lower()}",
            name,
            "staff_alert",
            Audience.PARTS_MANAGERS,
            Channel.INBOX,
            {"trigger": Trigger.LINE_WAITS, "threshold_hours": hours, "criticalities": [letter], "importance": 75},
            levels=((240, Audience.PARTS_MANAGERS, Channel.EMAIL), (1440, Audience.ADMINISTRATORS, Channel.EMAIL)),
        )
        for letter, hours, name in (
            ("A", 24, _("Parts managers: an A-critical line waits longer than a day")),
            ("B", 72, _("Parts managers: a B-critical line waits longer than three days")),
            ("C", 240, _("Parts managers: a C-critical line waits longer than ten days")),
        )
    ),
    ShippedRule(
        "promise-near",
        _("Parts managers: a promise is about to break"),
        "staff_alert",
        Audience.PARTS_MANAGERS,
        Channel.INBOX,
        {"trigger": Trigger.PROMISE_NEAR, "threshold_hours": 48, "importance": 80},
    ),
    ShippedRule(
        "promise-broken",
        _("Parts managers: a promise has broken"),
        "staff_alert",
        Audience.PARTS_MANAGERS,
        Channel.INBOX,
        {"trigger": Trigger.PROMISE_BROKEN, "threshold_hours": 0, "importance": 90},
        levels=((480, Audience.PARTS_MANAGERS, Channel.EMAIL),),
    ),
    ShippedRule(
        "sla-near-technician",
        _("Technician: a contract's time is nearly over"),
        "staff_alert",
        Audience.TECHNICIAN,
        Channel.PUSH,
        {"trigger": Trigger.SLA_NEAR, "threshold_hours": 4, "importance": 90, "fallbacks": ["inbox"]},
    ),
    ShippedRule(
        "sla-near",
        _("Dispatchers: a contract's time is nearly over"),
        "staff_alert",
        Audience.DISPATCHERS,
        Channel.INBOX,
        {"trigger": Trigger.SLA_NEAR, "threshold_hours": 4, "importance": 90},
    ),
    ShippedRule(
        "sla-broken",
        _("Dispatchers: a contract's time is over"),
        "staff_alert",
        Audience.DISPATCHERS,
        Channel.INBOX,
        {"trigger": Trigger.SLA_BROKEN, "threshold_hours": 0, "importance": 95, "is_urgent": True},
        levels=((60, Audience.PARTS_MANAGERS, Channel.EMAIL), (240, Audience.ADMINISTRATORS, Channel.EMAIL)),
    ),
    ShippedRule(
        "untold-machine-down",
        _("Dispatchers: a message about a machine that is down could not be delivered"),
        "staff_alert",
        Audience.DISPATCHERS,
        Channel.INBOX,
        {"trigger": Trigger.UNTOLD, "threshold_hours": 0, "importance": 95, "is_urgent": True},
        levels=((30, Audience.PARTS_MANAGERS, Channel.INBOX),),
    ),
)


#: What a list of root causes begins with.
ROOT_CAUSES = (
    _("The word is unclear"),
    _("The status is late or wrong"),
    _("A status is missing"),
    _("The customer expected something else"),
    _("Something else"),
)


def has_words(code: str) -> bool:
    """Tell whether a wording of this purpose is shipped."""
    return any(template.code == code for template in TEMPLATES)


@cache
def words_of(code: str, language: str) -> Words:
    """Return a shipped wording. Raises FileNotFoundError, KeyError."""
    source = (_FOLDER / f"{code}.{language}.txt").read_text(encoding="utf-8")
    pieces = re.split(r"^=== (\w+) ===\n", source, flags=re.MULTILINE)
    named = {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    return Words(named["subject"], named["sms"], named["text"], named.get("html", ""))


def write_shipped(at: datetime) -> None:
    """Add what is shipped and not there yet. A repeat changes nothing, nor does it touch what people edited."""
    with transaction.atomic():
        with connection.cursor() as cursor:  # two migrations at once would write it twice
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('backline messages', 0))")
        templates = _write_templates(at)
        _write_rules(templates, at)
        if not RootCause.objects.exists():
            RootCause.objects.bulk_create([RootCause(name=name) for name in ROOT_CAUSES])
        ChannelSetting.objects.bulk_create(
            [ChannelSetting(channel=channel, **_CHANNELS.get(channel, {})) for channel in Channel],
            ignore_conflicts=True,
        )


def _write_templates(at: datetime) -> dict[str, Template]:
    found = {template.code: template for template in Template.objects.all()}
    missing = [
        Template(code=shipped.code, name=shipped.name, for_customers=shipped.for_customers)
        for shipped in TEMPLATES
        if shipped.code not in found
    ]
    Template.objects.bulk_create(missing)
    found.update({template.code: template for template in missing})
    versions = set(TemplateVersion.objects.values_list("template__code", "language"))
    TemplateVersion.objects.bulk_create(
        TemplateVersion(
            template=found[shipped.code],
            language=language,
            number=1,
            subject=words_of(shipped.code, language).subject,
            text=words_of(shipped.code, language).text,
            html=words_of(shipped.code, language).html,
            sms=words_of(shipped.code, language).sms,
            written_at=at,
            published_at=at,
            why=_WHY,
        )
        for shipped in TEMPLATES
        for language in LANGUAGES
        if (shipped.code, language) not in versions
    )
    return found


def _write_rules(templates: dict[str, Template], at: datetime) -> None:
    found = set(Rule.objects.values_list("code", flat=True))
    missing = [shipped for shipped in RULES if shipped.code not in found]
    rules = {
        shipped.code: Rule(
            code=shipped.code,
            name=shipped.name,
            template=templates[shipped.template],
            audience=shipped.audience,
            channel=shipped.channel,
            is_active=True,
            active_since=at,
            **shipped.fields,
        )
        for shipped in missing
    }
    Rule.objects.bulk_create(rules.values())
    EscalationLevel.objects.bulk_create(
        EscalationLevel(
            rule=rules[shipped.code], level=number, after_minutes=minutes, audience=audience, channel=channel
        )
        for shipped in missing
        for number, (minutes, audience, channel) in enumerate(shipped.levels, start=1)
    )
