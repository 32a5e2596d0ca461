"""Rules in the back office: said in words, edited with choices, switched and copied on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications import rule_words
from notifications.actions import rules
from notifications.models import EscalationLevel, Rule
from parts.actors import Actor
from parts.errors import Forbidden, Invalid
from tests.orders.desk import NOBODY, NOW, OURSELVES, statements

pytestmark = pytest.mark.django_db
LIST = "/admin/notifications/rule/"


def rule_of(code: str) -> Rule:
    return Rule.objects.get(code=code)


def page_of(rule: Rule, deed: str = "change") -> str:
    return f"{LIST}{rule.pk}/{deed}/"


def as_sent(rule: Rule, **changes: Any) -> dict[str, Any]:
    """Return what the form of a rule sends, changed."""
    names = [
        "name",
        "code",
        "kinds",
        "trigger",
        "threshold_hours",
        "to_statuses",
        "criticalities",
        "order_kinds",
        "tiers",
        "regions",
        "audience",
        "channel",
        "fallbacks",
        "timing",
        "delay_minutes",
        "importance",
        "target_seconds",
        "when_stale",
    ]
    sent = {name: getattr(rule, name) for name in names} | {"template": rule.template_id, **changes}
    levels = {"levels-TOTAL_FORMS": "0", "levels-INITIAL_FORMS": "0"}
    return {name: value for name, value in sent.items() if value is not None} | levels


def test_a_rule_says_in_words_what_it_does() -> None:
    said = rule_words.sentence_of(rule_of("customer-short-a"), {})
    assert said == (
        "Back order: Back order opened (parts of criticality A) → The customer's contacts: SMS, else Email, at once."
    )
    said = rule_words.sentence_of(rule_of("waits-a"), {})
    assert said.startswith("A line waits longer than allowed (after 24 hours)")


def test_the_list_says_what_each_rule_does_and_takes_no_query_for_each(client: Client, manager: User) -> None:
    client.force_login(manager)
    with statements() as sent:
        shown = client.get(LIST).content.decode()
    assert "Customer: a part is missing" in shown
    assert "parts of criticality A" in shown
    assert len(sent) < 25


def test_editing_makes_a_new_revision_with_who_and_why(client: Client, manager: User) -> None:
    client.force_login(manager)
    rule = rule_of("customer-short")
    answer = client.post(page_of(rule), as_sent(rule, tiers=["gold"], change_reason="Only gold"))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    rule.refresh_from_db()
    assert (rule.tiers, rule.revision, rule.is_active) == (["gold"], 2, True)
    last = rule.history.latest()
    assert (last.history_user, last.history_change_reason, last.revision) == (manager, "Only gold", 2)


def test_sending_it_unchanged_makes_no_new_revision(client: Client, manager: User) -> None:
    client.force_login(manager)
    rule = rule_of("customer-short")
    assert client.post(page_of(rule), as_sent(rule)).status_code == 302
    rule.refresh_from_db()
    assert rule.revision == 1


@pytest.mark.parametrize(
    ("code", "changes", "field"),
    [
        ("customer-short", {"trigger": "promise.broken", "threshold_hours": 1}, "kinds"),
        ("customer-short", {"kinds": []}, "kinds"),
        ("customer-short", {"kinds": ["nonsense"]}, "kinds"),
        ("customer-short", {"threshold_hours": 4}, "threshold_hours"),
        ("customer-short", {"fallbacks": ["email"]}, "fallbacks"),
        ("customer-short", {"channel": "inbox"}, "channel"),
        ("customer-arrived", {"delay_minutes": 5}, "delay_minutes"),
        ("waits-a", {"threshold_hours": ""}, "threshold_hours"),
        ("sla-near", {"criticalities": ["A"]}, "trigger"),
        ("waits-a", {"audience": "customer", "channel": "email"}, "template"),
    ],
)
def test_what_contradicts_itself_is_said_at_its_field_and_changes_nothing(
    client: Client, manager: User, code: str, changes: dict[str, Any], field: str
) -> None:
    client.force_login(manager)
    rule = rule_of(code)
    answer = client.post(page_of(rule), as_sent(rule, **changes))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert Rule.objects.get(pk=rule.pk).revision == 1


def test_switching_is_on_record_with_its_reason(client: Client, manager: User) -> None:
    client.force_login(manager)
    rule = rule_of("customer-short")
    assert client.post(page_of(rule, "off"), {"reason": "Too many"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.is_active, rule.revision) == (False, 2)
    last = rule.history.latest()
    assert (last.history_user, last.history_change_reason) == (manager, "Too many")
    before = rule.active_since
    assert client.post(page_of(rule, "on"), {"reason": "Wanted"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.is_active, rule.revision) == (True, 3)
    assert before is not None
    assert rule.active_since is not None
    assert rule.active_since > before


def test_switching_again_changes_nothing() -> None:
    rule = rule_of("customer-short")
    assert not rules.switch(rule_id=rule.pk, on=True, reason="Again", by=OURSELVES, at=NOW)
    assert rule_of("customer-short").revision == 1


def test_nobody_switches_without_the_right_or_a_reason(dispatcher: User) -> None:
    rule = rule_of("customer-short")
    for actor, reason, refusal in ((NOBODY, "Why", Forbidden), (Actor.user(dispatcher), "Why", Forbidden)):
        with pytest.raises(refusal):
            rules.switch(rule_id=rule.pk, on=False, reason=reason, by=actor, at=NOW)
    with pytest.raises(Invalid):
        rules.switch(rule_id=rule.pk, on=False, reason=" ", by=OURSELVES, at=NOW)
    assert rule_of("customer-short").is_active


def test_a_copy_has_all_of_it_and_its_levels_and_is_off(client: Client, manager: User) -> None:
    client.force_login(manager)
    rule = rule_of("waits-a")
    assert client.post(page_of(rule, "copy"), {"name": "Waits for gold"}).status_code == 302
    made = rule_of("waits-for-gold")
    assert (made.is_active, made.revision, made.criticalities, made.threshold_hours) == (False, 1, ["A"], 24)
    assert EscalationLevel.objects.filter(rule=made).count() == 2
    assert EscalationLevel.objects.filter(rule=rule).count() == 2
    assert client.post(page_of(rule, "copy"), {"name": "Waits for gold"}).status_code == 400


def test_a_changed_level_is_a_new_revision_too(client: Client, manager: User) -> None:
    client.force_login(manager)
    rule = rule_of("waits-a")
    first, second = rule.levels.all()
    levels = {"levels-TOTAL_FORMS": "2", "levels-INITIAL_FORMS": "2"}
    for place, level in enumerate((first, second)):
        given = {"id": level.pk, "rule": rule.pk, "level": level.level, "after_minutes": 30 * (place + 1)}
        given |= {"audience": level.audience, "channel": level.channel}
        levels |= {f"levels-{place}-{name}": str(value) for name, value in given.items()}
    assert client.post(page_of(rule), as_sent(rule) | levels).status_code == 302
    rule.refresh_from_db()
    assert (rule.revision, rule.levels.all()[0].after_minutes) == (2, 30)


def test_no_rule_is_deleted(client: Client, manager: User) -> None:
    client.force_login(manager)
    assert client.get(page_of(rule_of("customer-short"), "delete")).status_code == 403
