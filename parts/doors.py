"""What every door of the API shares: who asks, which version they hold, and how an answer looks.

A door parses, calls one action and answers. How a caller is known, how pages are cut, how a refusal is written down and
how a repeated call is recognised is decided on the roof (`config.api`); no door knows of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Protocol, cast
from uuid import UUID

from django.db import models
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django_filters import Filter, MultipleChoiceFilter
from rest_framework import serializers, status, viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from parts.actors import Actor
from parts.documents import as_json
from parts.errors import Invalid, NotFound
from parts.sentences import Says, Sentence, sentence

#: What cuts a list into pages (config.api.pagination).
PAGE = frozenset({"cursor", "page_size"})
#: So many unknown members are named.
MOST_NAMED = 20
_ENTITY_TAG = re.compile(r'"(\d{1,9})(?:-[0-9a-f]{16})?"')
_TAGS = re.compile(r'(?:W/)?("[^"]*")')


class Grant(Protocol):
    """What the roof has found out about a caller; every authenticated request carries one as `auth`."""

    actor: Actor
    source: str


class Answered(Protocol):
    """Where a subject stands after an action."""

    @property
    def id(self) -> UUID: ...
    @property
    def reference(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def version(self) -> int: ...


class NothingSerializer(serializers.Serializer[Any]):
    """A body that says nothing."""


class ToldOnce(Response):
    """An answer with members that are told once: who repeats the call with its key is told null in their place."""

    def __init__(self, body: Mapping[str, Any], once: Sequence[str], **more: Any) -> None:
        super().__init__(body, **more)
        self.once = tuple(once)


class MovedSerializer(serializers.Serializer[Any]):
    """Where a subject stands after an action; `version` is what the next `If-Match` names."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    version = serializers.IntegerField()


class Door(viewsets.GenericViewSet[Any]):
    """A resource. `reads` is the permission that reading it needs, `writes` those of its other actions, any of them.

    Whoever has none of them learns nothing more: not what is wrong with the call, nor whether there is such a thing,
    nor what was answered to somebody else. The action itself asks again, for exactly what it does.
    `keyset` is the total order of its lists; `versioned` names the actions that take an `If-Match`; `parameters` those
    that the address of an action may have, beside the filters of a list.
    """

    reads: ClassVar[str] = ""
    writes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    keyset: tuple[str, ...] = ("-id",)
    versioned: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {}
    lookup_value_regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check what holds for every call before it is answered. Raises Forbidden, Invalid."""
        super().initial(request, *args, **kwargs)
        self._check_right(request)
        if request.query_params:
            self._check_parameters(request)
        if request.method not in SAFE_METHODS and "If-Match" in request.headers and self.action not in self.versioned:
            raise Invalid(
                sentence("This call does not look at a version; leave If-Match out."),
                {"If-Match": [sentence("Not here.")]},
            )

    def _check_right(self, request: Request) -> None:
        if request.method in SAFE_METHODS:
            self.actor.require(self.reads)
            return
        needed = self.writes.get(self.action or "", ())
        if needed and not any(map(self.actor.may, needed)):
            self.actor.require(needed[0])

    def _check_parameters(self, request: Request) -> None:
        """Refuse a parameter that there is not: a misspelt filter would leave all rows."""
        filters = getattr(self, "filterset_class", None) if self.action == "list" else None
        narrowing = filters.base_filters if filters else {}
        known = {*narrowing, *self.parameters.get(self.action or "", PAGE if filters else ())}
        fields: dict[str, list[Says]] = {}
        for name, values in request.query_params.lists():
            if name not in known:
                fields[name] = [_unknown_parameter(sorted(known))]
            elif len(values) > 1 and isinstance(narrowing.get(name), Filter) and not _is_repeatable(narrowing[name]):
                fields[name] = [sentence("Given more than once.")]
        if fields:
            raise Invalid(sentence("The address has a parameter that means nothing here."), fields)

    # --- What was asked ---------------------------------------------------------------------------------------------

    @property
    def grant(self) -> Grant:
        return cast(Grant, self.request.auth)

    @property
    def actor(self) -> Actor:
        return self.grant.actor

    @property
    def key(self) -> UUID:
        """The key in the address."""
        return UUID(self.kwargs["pk"])

    def cause(self) -> dict[str, Any]:
        """Return what every action is told: by whom, through what, when."""
        at: datetime = timezone.now()
        return {"by": self.actor, "source": self.grant.source, "at": at}

    def expected_version(self) -> int | None:
        """Return the version that If-Match names, None without one or for `*`. Raises Invalid for anything else."""
        text = self.request.headers.get("If-Match", "*").strip()
        if text == "*":
            return None
        if match := _ENTITY_TAG.fullmatch(text):
            return int(match[1])
        raise Invalid(
            sentence("If-Match must be one ETag as it was read here, in double quotes."),
            {"If-Match": [sentence("Not an ETag of ours.")]},
        )

    def given(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the body as the serializer reads it. Raises ValidationError, and Invalid for members it leaves out."""
        serializer = form(data=self.request.data, context={"request": self.request})
        refuse_unknown(serializer, self.request.data)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    # --- What is answered -------------------------------------------------------------------------------------------

    def moved(self, moved: Answered) -> Response:
        """Answer with where a subject stands now, its version as ETag."""
        body = {"id": moved.id, "reference": moved.reference, "status": moved.status, "version": moved.version}
        return Response(body, headers={"ETag": f'"{moved.version}"'})

    def created(self, body: Mapping[str, Any], key: UUID, version: int | None = None) -> Response:
        """Answer with what is new, and where it can be read."""
        headers = {"Location": f"{self.request.path}{key}/"}
        if version is not None:
            headers["ETag"] = f'"{version}"'
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)

    def shown(self, body: bytes, version: int | None = None) -> HttpResponse:
        """Answer with one resource, or with 304 where the caller has exactly this.

        The ETag is the version and a digest of the body: If-Match looks at the version alone, and a field that changes
        without an event (a corrected title, an expected date) still makes a new representation.
        """
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        tag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
        known = self.request.headers.get("If-None-Match", "")
        if known.strip() == "*" or tag in _TAGS.findall(known):
            return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        return HttpResponse(body, content_type="application/json", headers={"ETag": tag})

    def page(self, queryset: models.QuerySet[Any]) -> HttpResponseBase:
        """Answer with a page of rows as the view's serializer shows them."""
        rows = cast(list[Any], self.paginate_queryset(queryset))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def page_of_documents(self, queryset: models.QuerySet[Any, dict[str, Any]]) -> HttpResponse:
        """Answer with a page of rows whose `document` PostgreSQL has written; it is passed on as it is."""
        rows = cast(list[Any], self.paginate_queryset(queryset))
        addresses = cast(Any, self.paginator).addresses()
        return HttpResponse(
            b'{"next":%b,"previous":%b,"results":[%b]}'
            % (
                as_json(addresses["next"]),
                as_json(addresses["previous"]),
                ",".join(row["document"] for row in rows).encode(),
            ),
            content_type="application/json",
        )

    def row_or_404(self, queryset: models.QuerySet[Any]) -> Any:
        """Return the row of the address from what the caller may see. Raises NotFound."""
        row = queryset.filter(pk=self.key).first()
        if row is None:
            raise NotFound(sentence("There is nothing here, or it is not yours to see."), id=str(self.key))
        return row


class Lists:
    """A list of rows."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A page of the list; follow `next` for more. Every page costs the same."""
        return self.page(self.filter_queryset(self.get_queryset()))


class Reads:
    """One row."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One of them, with an ETag."""
        row = self.row_or_404(self.get_queryset())
        return self.shown(as_json(self.get_serializer(row).data), getattr(row, "version", None))


def refuse_unknown(shape: serializers.BaseSerializer[Any], body: Any) -> None:
    """Raise Invalid, naming each of the first ones, for members that nobody would read: they may be misspelt."""
    found = list(islice(_unknown(shape, body, ""), MOST_NAMED))
    if found:
        raise Invalid(
            sentence("The body has a member that is not known."),
            {name: [sentence("There is no such member.")] for name in found},
        )


def _unknown(shape: Any, body: Any, place: str) -> Iterator[str]:
    if isinstance(shape, serializers.ListSerializer):
        for index, item in enumerate(body if isinstance(body, list) else ()):
            yield from _unknown(shape.child, item, f"{place}{index}.")
    elif isinstance(shape, serializers.Serializer) and isinstance(body, Mapping):
        fields = shape.fields
        for name, value in body.items():
            if name not in fields:
                yield f"{place}{name}"
            elif isinstance(fields[name], serializers.BaseSerializer):
                yield from _unknown(fields[name], value, f"{place}{name}.")


def _unknown_parameter(known: Sequence[str]) -> Sentence:
    if not known:
        return sentence("There is no such parameter. This call takes none.")
    return sentence("There is no such parameter. There are: {known}.", known=known)


def _is_repeatable(narrowing: Filter) -> bool:
    return isinstance(narrowing, MultipleChoiceFilter)
