"""Who does something: a person, a partner's system, or one of our own rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parts.errors import Forbidden
from parts.sentences import sentence

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, as the ledger records it.

    `reference` is what is written down for ever (`user:17`, `system:allocation`, `client:erp`); it carries no name,
    so that erasing a person does not touch the ledger. `permissions` are Django permission names
    (`orders.move_serviceorder`); None means one of our own rules, which may do anything.
    """

    reference: str
    permissions: frozenset[str] | None = None
    user_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def system(cls, name: str) -> Actor:
        """Return the actor for one of our own rules or jobs."""
        return cls(reference=f"system:{name}")

    @classmethod
    def user(cls, user: User | AnonymousUser) -> Actor:
        """Return the actor for a logged-in person, with the permissions they hold now (may query)."""
        permissions = frozenset(user.get_all_permissions()) if user.is_active else frozenset()
        return cls(reference=f"user:{user.pk}", permissions=permissions, user_id=user.pk)

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds the permission."""
        return self.permissions is None or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Forbidden, naming the permission, unless the actor holds it."""
        if not self.may(permission):
            raise Forbidden(sentence("You are not allowed to do this."), permission=permission)
