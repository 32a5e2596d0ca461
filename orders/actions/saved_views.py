"""What a person keeps for themselves: the filters of a page under a name. No part of any order's history."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from django.db import transaction

from orders.models import SavedView
from orders.rules import text_faults
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.sentences import sentence

#: The pages whose filters can be kept.
PAGES = ("board",)
#: How many a person may keep of a page.
MOST = 30


def save_view(*, page: str, name: str, query: str, by: Actor, at: datetime) -> SavedView:
    """Keep the filters of a page (the query of its address) under a name; the same name again replaces them.

    Raises Forbidden, Invalid for a page, name or query that is none, Refused where somebody keeps too many.
    """
    by.require("orders.add_savedview")
    if by.user_id is None:
        raise Forbidden(sentence("Only a person has views of their own."))
    name = " ".join(name.split())
    faults = text_faults(name=(name, 60), query=(query, 600))
    if not name:
        faults["name"] = [sentence("Give the view a name.")]
    if page not in PAGES:
        faults["page"] = [sentence("There is no such page.")]
    if query and not parse_qsl(query, keep_blank_values=True):
        faults["query"] = [sentence("These are no filters.")]
    if faults:
        raise Invalid(sentence("The view cannot be saved as it is."), faults)
    with transaction.atomic():
        own = SavedView.objects.select_for_update().filter(person_id=by.user_id, page=page)
        kept = {view.name: view for view in own}
        if name not in kept and len(kept) >= MOST:
            raise Refused(sentence("You keep {most} views already; delete one first.", most=MOST))
        view, _ = SavedView.objects.update_or_create(
            person_id=by.user_id, page=page, name=name, defaults={"query": query, "created_at": at}
        )
    return view


def forget_view(*, view_id: UUID, by: Actor) -> None:
    """Delete one of one's own views. Raises Forbidden, NotFound, also for another's."""
    by.require("orders.delete_savedview")
    deleted, _ = SavedView.objects.filter(pk=view_id, person_id=by.user_id).delete()
    if not deleted:
        raise NotFound(sentence("You have no such view."), id=str(view_id))


def views_of(person_id: int, page: str) -> list[SavedView]:
    """Return a person's views of a page, by name. One query."""
    return list(SavedView.objects.filter(person_id=person_id, page=page).order_by("name", "id"))
