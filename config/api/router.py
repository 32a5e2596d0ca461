"""Which address leads to which resource, and what is put around each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
        """Give a resource its address; `key_required` names the actions that are refused without a key."""
        attributes: dict[str, Any] = {
            "key_required": frozenset(key_required),
            "__doc__": viewset.__doc__,
            "__module__": viewset.__module__,
        }
        wrapped = type(viewset.__name__, (Idempotent, viewset), attributes)
        super().register(prefix, wrapped, basename or prefix)
