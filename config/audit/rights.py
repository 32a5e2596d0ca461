"""Who could do what when: roles and rights at a chosen moment, and every change that led there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from config.audit.forms import MomentField
from config.desk.orders import for_staff
from config.roles import declared_permissions
from parts.labels import names_of, role_word
from reports.audit import rights as reading
from reports.audit.searching import people_named
from reports.models.access import AccessKind

#: How many people a page names.
MOST_SHOWN = 200
SWITCHES = {
    "is_active": _("Account is open"),
    "is_staff": _("Works in the back office"),
    "is_superuser": _("Stands above all rights"),
}


class RightsForm(forms.Form):
    """When, who, and what."""

    at = MomentField(label=_("At"), required=False)
    person = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name")}),
    )
    right = forms.ChoiceField(label=_("Who could"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")
        right = self.fields["right"]
        assert isinstance(right, forms.ChoiceField)
        right.choices = [("", _("Anything")), *((name, name) for name in sorted(declared_permissions()))]


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person as the page shows them; `through` says by what they could do what was asked for."""

    id: int
    name: str
    roles: list[str]
    switches: set[str]
    own_rights: list[str]
    through: list[str]

    @property
    def reference(self) -> str:
        """The reference of what they did, in the history."""
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change in words."""

    change: reading.Change
    whose: str
    what: str
    by: str
    rights: list[str]


@for_staff("auth.view_permission")
@require_safe
def rights(request: HttpRequest) -> HttpResponse:
    """Show who could do what at the moment that the address names (now where it names none). Six statements."""
    form = RightsForm(request.GET)
    said = form.cleaned_data if form.is_valid() else {}
    at: datetime = said.get("at") or timezone.now()
    people = people_named(said["person"]) if said.get("person") else None
    person_id = people[0].pk if people and len(people) == 1 else None
    standing = reading.standing(at)
    wanted = None if people is None else {person.pk for person in people}
    before = request.GET.get("before", "")
    changes, older = reading.changes(
        at=at,
        person_id=person_id,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    names = names_of(
        [
            *(f"user:{key}" for key in standing.people if wanted is None or key in wanted),
            *(f"user:{change.person_id}" for change in changes if change.person_id is not None),
            *(change.actor for change in changes),
        ]
    )
    right = said.get("right", "")
    shown = _people(standing, wanted, right, names)
    began = reading.recorded_since()
    context = {
        "form": form,
        "at": at,
        "is_now": not said.get("at"),
        "right": right,
        "people": shown[:MOST_SHOWN],
        "is_cut": len(shown) > MOST_SHOWN,
        "nobody_called_so": people == [],
        "roles": [(role_word(role.name), _by_app(role.rights), len(role.rights)) for role in _sorted(standing)],
        "changes": [_in_words(change, names) for change in changes],
        "older": older,
        "is_first": not before,
        "began": began,
        "is_unknown": began is None or at < began,
        "tab": "rights",
    }
    return render(request, "audit/rights.html", context)


def _sorted(standing: reading.Standing) -> list[reading.Role]:
    return sorted(standing.roles.values(), key=lambda role: role.name)


def _people(
    standing: reading.Standing, wanted: set[int] | None, right: str, names: dict[str, str]
) -> list[ShownPerson]:
    found = []
    for key, person in standing.people.items():
        through = person.through(right) if right else []
        if (wanted is not None and key not in wanted) or (right and not through):
            continue
        found.append(
            ShownPerson(
                id=key,
                name=names[f"user:{key}"],
                roles=[role_word(role.name) for role in person.roles],
                switches=person.switches,
                own_rights=sorted(person.own_rights),
                through=[role_word(name) or _g("themselves alone") for name in through],
            )
        )
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _by_app(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    return [
        (app, [name.partition(".")[2] for name in found])
        for app, found in groupby(sorted(names), key=lambda name: name.partition(".")[0])
    ]


def _in_words(change: reading.Change, names: dict[str, str]) -> ShownChange:
    by = _g("at the database (%(account)s)") % {"account": names[change.actor]}
    whose = role_word(change.role) if change.person_id is None else names[f"user:{change.person_id}"]
    rights = [name for name in change.permissions if name]
    what = str(AccessKind(change.what).label)
    if change.what == AccessKind.ROLE:
        what, rights = _g("Role: %(role)s") % {"role": role_word(change.role)}, []
    elif change.what == AccessKind.ACCOUNT:
        what, rights = " · ".join(str(SWITCHES.get(name, name)) for name in rights), []
    elif change.what == AccessKind.ROLE_NAME:
        what = _g("The role itself")
    else:
        what = _g("Rights: %(count)s") % {"count": len(rights)}
    return ShownChange(change, whose, what, by if change.actor.startswith("database:") else names[change.actor], rights)
