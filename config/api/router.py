"""Which address leads to which resource, and what is put around each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import SAFE_METHODS
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from config.api.idempotency import Idempotent


class Router(SimpleRouter):
    """Registers resources, each of them wrapped so that it takes an Idempotency-Key."""

    def register(
        self,
        prefix: str,
        viewset: type[ViewSetMixin],
        basename: str | None = None,
        key_required: Iterable[str] = (),
    ) -> None:
        """Give a resource its address; `key_required` names the actions that are refused without a key.

        Raises ImproperlyConfigured for a resource with an action that changes something and does not say who may.
        """
        if open_to_all := _writing(viewset) - set(getattr(viewset, "writes", {})):
            raise ImproperlyConfigured(f"{viewset.__name__}.writes does not name {', '.join(sorted(open_to_all))}.")
        attributes: dict[str, Any] = {
            "key_required": frozenset(key_required),
            "__doc__": viewset.__doc__,
            "__module__": viewset.__module__,
        }
        wrapped = type(viewset.__name__, (Idempotent, viewset), attributes)
        super().register(prefix, wrapped, basename or prefix)


def _writing(viewset: type[ViewSetMixin]) -> set[str]:
    """Return the names of the actions that change something."""
    standard = {"create", "update", "partial_update", "destroy"}
    actions: list[Any] = viewset.get_extra_actions()
    own = {name for action in actions for method, name in action.mapping.items() if method.upper() not in SAFE_METHODS}
    return own | {name for name in standard if hasattr(viewset, name)}
