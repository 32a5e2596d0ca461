"""What the API's description says beside the serializers: credentials, keys, versions, problems, stable names."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from config.api.problems import MEDIA_TYPE
from config.roles import SCOPES

#: Operation names where the router's action has a name that HTTP gave it.
_ACTIONS = {"retrieve": "read", "bring_back": "return"}

_PROBLEMS = {
    "400": "Not acceptable as it was sent; `fields` says what to mend.",
    "401": "No credentials, or none that are accepted.",
    "403": "The credentials do not allow this; `permission` names what is missing.",
    "404": "There is nothing here, or it is not yours to see.",
    "405": "This address does not know that method.",
    "429": "Too many requests; Retry-After says when there will be one.",
    "503": "Others hold what this needs, or the database is away; nothing was changed. Retry-After.",
}
_PROBLEMS_OF_WRITING = {
    "409": "Refused as things stand, for example a transition (`current`, `allowed`); nothing was changed.",
    "412": "It has changed since it was read; `version` is the present one.",
    "413": "The body is larger than is taken.",
    "415": "Only application/json is read.",
    "422": "The Idempotency-Key was used for another call; of an inbox: the body cannot be cut into messages.",
}

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. Decide by `code`; it is stable. More members depend on it.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request's id, as in X-Request-ID and in our log."},
        "code": {"type": "string"},
        "fields": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "By path, such as `lines.2.quantity`.",
        },
        "current": {"type": "string", "description": "The present status."},
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "The statuses one step away."},
        "version": {"type": "integer"},
        "permission": {"type": "string"},
    },
    "additionalProperties": True,
}

_EXAMPLES = {
    "400": {
        "type": "urn:backline:problem:invalid",
        "title": "What was sent is not acceptable",
        "status": 400,
        "detail": "lines.0.quantity: A valid number is required.",
        "instance": "5f0c3c1a9e1d4a0f8c55d2a6f6a3f9d1",
        "code": "invalid",
        "fields": {"lines.0.quantity": ["A valid number is required."]},
    },
    "409": {
        "type": "urn:backline:problem:transition_refused",
        "title": "The status cannot be reached from here",
        "status": 409,
        "detail": "SO-000012 cannot go from new to completed; allowed from here: in progress, scheduled, cancelled.",
        "instance": "5f0c3c1a9e1d4a0f8c55d2a6f6a3f9d1",
        "code": "transition_refused",
        "current": "new",
        "requested": "completed",
        "allowed": ["in_progress", "scheduled", "cancelled"],
    },
}


class Schema(AutoSchema):
    """Names operations by resource and action, and knows the headers that the roof takes for every resource."""

    def get_operation_id(self) -> str:
        """Return a name that stays: `parts_orders_cancel`."""
        basename = getattr(self.view, "basename", None)
        if basename is None:
            return super().get_operation_id()
        action = getattr(self.view, "action", "") or self.method.lower()
        return f"{basename}_{_ACTIONS.get(action, action)}".replace("-", "_")

    def get_tags(self) -> list[str]:
        """Group by resource."""
        return [getattr(self.view, "basename", None) or "api"]

    def get_override_parameters(self) -> list[Any]:
        """Add the headers of keys and versions where they are looked at."""
        action = getattr(self.view, "action", "")
        headers: list[Any] = []
        if self.method == "POST":
            headers.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
                    OpenApiParameter.HEADER,
                    required=action in getattr(self.view, "key_required", ()),
                    description="Of your own making, new for each call. A repeat gets the same answer for 48 h.",
                )
            )
        if action in getattr(self.view, "versioned", ()):
            headers.append(
                OpenApiParameter(
                    "If-Match",
                    {"type": "string", "pattern": '^(\\*|"[0-9]{1,9}(-[0-9a-f]{16})?")$'},
                    OpenApiParameter.HEADER,
                    description="The ETag as it was read; refused with 412 where somebody else was quicker.",
                )
            )
        if action == "retrieve":
            headers.append(
                OpenApiParameter(
                    "If-None-Match",
                    str,
                    OpenApiParameter.HEADER,
                    description="The ETag as it was read; answered with 304 where it still is so.",
                )
            )
        return headers


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes tokens of OAuth2 client credentials and their scopes."""

    target_class = "config.api.authentication.TokenAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        scopes = {scope: ", ".join(rights) for scope, rights in sorted(SCOPES.items())}
        flow = {"tokenUrl": "/oauth/token/", "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class SessionScheme(OpenApiAuthenticationExtension):
    """Describes the session of the pages."""

    target_class = "config.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def close_bodies(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say of every body that is sent that it has no other members: they are refused."""
    for name, schema in result.get("components", {}).get("schemas", {}).items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return result


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problems that any call may end in, and what a read answers with 304."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["responses"] = {
        f"Problem{status}": _response(status, text) for status, text in (_PROBLEMS | _PROBLEMS_OF_WRITING).items()
    }
    for methods in result["paths"].values():
        for method, operation in methods.items():
            wanted = _PROBLEMS if method == "get" else _PROBLEMS | _PROBLEMS_OF_WRITING
            for status in wanted:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
            if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", ())):
                operation["responses"]["304"] = {"description": "You have exactly this."}
    return result


def _response(status: str, text: str) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if status in _EXAMPLES:
        content["example"] = _EXAMPLES[status]
    return {"description": text, "content": {MEDIA_TYPE: content}}
