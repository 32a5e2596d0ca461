"""Who could do what at a moment, and how that came to be: read from the recorded changes, not from what stands now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Min

from reports.models import AccessChange
from reports.models.access import AccessKind

#: How many changes a page holds.
PAGE = 40

#: The last word on each thing that can be given, as of a moment; what was taken last is not there. Parameter: at.
_STANDING = """
SELECT what, person_id, role_id, role, permission FROM (
    SELECT DISTINCT ON (what, person_id, role_id, permission) what, is_given, person_id, role_id, role, permission
    FROM reports_accesschange
    WHERE at <= %(at)s
    ORDER BY what, person_id, role_id, permission, id DESC
) AS last
WHERE is_given
"""

#: Changes, the latest first; what one transaction gave to (or took from) the same one is one. Parameters: at, before,
#: size; person_id: only what concerns them, the roles they ever had with it (NULL: everything).
_CHANGES = """
SELECT max(id) AS id, min(at) AS at, actor, source, what, is_given, person_id, role_id, max(role) AS role,
    array_agg(permission ORDER BY permission) AS permissions
FROM reports_accesschange
WHERE at <= %(at)s AND (
    %(person_id)s::integer IS NULL OR person_id = %(person_id)s OR what = 'role_right' AND role_id IN (
        SELECT role_id FROM reports_accesschange WHERE what = 'role' AND person_id = %(person_id)s
    )
)
GROUP BY transaction_id, actor, source, what, is_given, person_id, role_id
HAVING max(id) < %(before)s
ORDER BY max(id) DESC
LIMIT %(size)s
"""


@dataclass(slots=True)
class Role:
    """A role as it was: its name and its rights."""

    id: int
    name: str = ""
    rights: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Person:
    """Somebody's account as it was: the switches that were on, their roles and the rights given to them alone."""

    id: int
    switches: set[str] = field(default_factory=set)
    roles: list[Role] = field(default_factory=list)
    own_rights: set[str] = field(default_factory=set)

    def through(self, right: str) -> list[str]:
        """Return by what they could do something: names of roles, "" for themselves; nothing where they could not."""
        if "is_active" not in self.switches:
            return []
        found = [role.name for role in self.roles if right in role.rights]
        alone = "is_superuser" in self.switches or right in self.own_rights
        return [*found, *([""] if alone else [])]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who could do what at a moment."""

    people: dict[int, Person]
    roles: dict[int, Role]


@dataclass(frozen=True, slots=True)
class Change:
    """Things that one person or role was given, or that were taken from it, at once."""

    id: int
    at: datetime
    actor: str
    source: str
    what: str
    is_given: bool
    person_id: int | None
    role_id: int | None
    role: str
    permissions: list[str]


def recorded_since() -> datetime | None:
    """Return when the recording began; of the time before nothing is known."""
    return AccessChange.objects.aggregate(began=Min("at"))["began"]


def standing(at: datetime) -> Standing:
    """Return who could do what at a moment. One statement."""
    people: dict[int, Person] = {}
    roles: dict[int, Role] = {}
    given: defaultdict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"at": at})
        for what, person_id, role_id, role, permission in cursor.fetchall():
            if what == AccessKind.ROLE:
                given[person_id].append(role_id)
            elif what == AccessKind.ROLE_RIGHT:
                roles.setdefault(role_id, Role(role_id)).rights.add(permission)
            elif what == AccessKind.ROLE_NAME:
                roles.setdefault(role_id, Role(role_id)).name = role
            else:
                person = people.setdefault(person_id, Person(person_id))
                (person.switches if what == AccessKind.ACCOUNT else person.own_rights).add(permission)
    for person_id, role_ids in given.items():
        found = [roles.setdefault(role_id, Role(role_id)) for role_id in role_ids]
        people.setdefault(person_id, Person(person_id)).roles = sorted(found, key=lambda role: role.name)
    return Standing(people, roles)


def changes(
    *, at: datetime, person_id: int | None = None, before: int | None = None, size: int = PAGE
) -> tuple[list[Change], int | None]:
    """Return a page of changes up to a moment, the latest first, and where the next begins (None: nowhere).

    One statement. With a person: what concerns them and the roles they ever had.
    """
    parameters = {"at": at, "person_id": person_id, "before": before or 2**62, "size": size + 1}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, parameters)
        found = [Change(*row) for row in cursor.fetchall()]
    return found[:size], found[size - 1].id if len(found) > size else None
