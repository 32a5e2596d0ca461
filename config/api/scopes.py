"""The scopes that a token can have: those of the table of roles."""

from __future__ import annotations

from typing import Any

from oauth2_provider.scopes import BaseScopes

from config.roles import SCOPES


class RoleScopes(BaseScopes):
    """Offers every scope to every client: what comes of it is bounded by the rights of the client's account."""

    def get_all_scopes(self) -> dict[str, str]:
        """Return each scope with what it allows."""
        return {scope: ", ".join(rights) for scope, rights in SCOPES.items()}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Return the scopes a client may ask for."""
        return list(SCOPES)

    def get_default_scopes(self, application: Any = None, request: Any = None, *_: Any, **__: Any) -> list[str]:
        """Return what a client gets that asks for nothing: nothing."""
        return []
