"""What is done to a rule beside editing it: switched on and off, copied. Each change is a new revision, on record."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import slugify

from notifications.models import EscalationLevel, Rule
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.keys import new_key
from parts.sentences import sentence


def _locked(rule_id: UUID) -> Rule:
    rule = Rule.objects.select_for_update(no_key=True).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound(sentence("There is no such rule."))
    return rule


def _sign(rule: Any, by: Actor, reason: str) -> None:
    """Let the history of a rule keep who changes it next, and why."""
    rule._history_user = User.objects.filter(pk=by.user_id).first() if by.user_id else None
    rule._change_reason = reason.strip()[:100] or None


def switch(*, rule_id: UUID, on: bool, reason: str, by: Actor, at: datetime) -> bool:
    """Switch a rule on or off; tell whether that changed anything. It speaks of what is recorded from now on.

    Raises Forbidden, NotFound, Invalid (without a reason).
    """
    by.require("notifications.switch_rule")
    if not reason.strip():
        raise Invalid(sentence("Say why."), {"reason": [sentence("Say why.")]})
    with transaction.atomic():
        rule = _locked(rule_id)
        if rule.is_active == on:
            return False
        rule.is_active = on
        if on:
            rule.active_since = at
        rule.revision += 1
        _sign(rule, by, reason)
        rule.save(update_fields=["is_active", "active_since", "revision"])
    return True


def revise(*, rule_id: UUID) -> None:
    """Count a change of a rule that its own form does not hold, such as of its levels. Raises NotFound."""
    with transaction.atomic():
        rule = _locked(rule_id)
        rule.revision += 1
        rule.save(update_fields=["revision"])


def copy(*, rule_id: UUID, name: str, by: Actor, at: datetime) -> Rule:
    """Make a copy of a rule with its levels, switched off; return it. Raises Forbidden, NotFound, Invalid."""
    by.require("notifications.add_rule")
    code = slugify(name)[:60]
    if not code:
        raise Invalid(sentence("Give it a name."), {"name": [sentence("Give it a name.")]})
    with transaction.atomic():
        rule = _locked(rule_id)
        if Rule.objects.filter(code=code).exists():
            taken = sentence("There is a rule of that name already.")
            raise Invalid(taken, {"name": [taken]})
        levels = list(rule.levels.all())
        rule.pk, rule._state.adding = new_key(), True
        rule.code, rule.name = code, name.strip()[:120]
        rule.is_active, rule.active_since, rule.revision = False, None, 1
        _sign(rule, by, "")
        rule.save(force_insert=True)
        EscalationLevel.objects.bulk_create(
            EscalationLevel(
                rule=rule,
                level=each.level,
                after_minutes=each.after_minutes,
                audience=each.audience,
                channel=each.channel,
            )
            for each in levels
        )
    return rule
