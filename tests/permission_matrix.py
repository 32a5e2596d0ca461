"""Walks every route and asks it, as everybody, for one's own and for somebody else's object.

The expected answers stand in `permission_matrix.txt`, a line per route, method and object. The words:

    yes      it was done, or refused for another reason than who asks (the form is empty, the status does not allow it)
    no       403: it is not for this person
    hidden   404: what is not theirs does not exist for them
    invalid  400 to a right body: it names a customer that does not exist for them
    login    sent to the login page, or 401
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from backorders.models import BackOrder
from config.api.authentication import known_tokens
from config.api.throttling import buckets
from config.roles import SCOPES
from config.tracking.limits import sent_forms
from integrations.models import InboundMessage, InventorySnapshot, OutboundDelivery, Subscriber
from notifications import letters
from notifications.actions.feedback import token_of
from notifications.models import (
    Address,
    Alert,
    DeadLetter,
    DigestSubscription,
    MaintenanceWindow,
    Notice,
    Recipient,
    Template,
    WordProposal,
)
from orders.actions import attachments, tracking
from orders.models import (
    Attachment,
    CustomerAccess,
    CustomerWord,
    OrderLine,
    PartsOrder,
    SavedView,
    ServiceOrder,
    Shipment,
    TrackingLink,
)
from parts.models import Delivery, Part, PurchaseOrder
from reports.models import ExportRun
from tests.admin.world import World, cause
from tests.api.world import token_for
from tests.factories.orders import CustomerFactory
from tests.messages import watched
from tests.permission_bodies import bodies_of

TABLE = Path(__file__).with_name("permission_matrix.txt")
#: The same for machines: what a token with one scope reaches, whose account may do everything.
SCOPE_TABLE = Path(__file__).with_name("scope_matrix.txt")
CALLERS = ("anonymous", "nobody", "partner", "technician", "dispatcher", "manager", "auditor", "administrator")

#: Models whose rows belong to a customer, and the way there. The rest has no owner.
OWNED: dict[type[models.Model], str] = {
    ServiceOrder: "customer",
    PartsOrder: "customer",
    OrderLine: "order__customer",
    BackOrder: "customer",
    Shipment: "order__customer",
    Attachment: "service_order__customer",
}
#: What the API's nouns are.
NOUNS: dict[str, type[models.Model]] = {
    "service-orders": ServiceOrder,
    "parts-orders": PartsOrder,
    "lines": OrderLine,
    "back-orders": BackOrder,
    "parts": Part,
    "purchase-orders": PurchaseOrder,
    "deliveries": Delivery,
    "subscribers": Subscriber,
    "outbound-deliveries": OutboundDelivery,
}
_WEBHOOK_DEEDS = ("secret", "test", "off", "on", "replay")
#: What our own pages show, and by which field the address names it.
PAGES: dict[str, tuple[type[models.Model], str]] = {
    "desk:service-order": (ServiceOrder, "reference"),
    "desk:parts-order": (PartsOrder, "reference"),
    "desk:file": (Attachment, "pk"),
    "desk:board-move": (ServiceOrder, "reference"),
    "desk:forget-view": (SavedView, "pk"),
    "links:of_service_order": (ServiceOrder, "pk"),
    "links:of_parts_order": (PartsOrder, "pk"),
    "links:revoke": (TrackingLink, "pk"),
    "messages:wording": (Template, "code"),
    "messages:wording-email": (Template, "code"),
    "messages:wording-versions": (Template, "code"),
    "messages:status-word": (CustomerWord, "code"),
    "messages:proposal": (WordProposal, "pk"),
    "messages:propose-service-order": (ServiceOrder, "pk"),
    "messages:propose-parts-order": (PartsOrder, "pk"),
    "messages:use-words-again": (CustomerWord, "pk"),
    "messages:withdraw-words": (CustomerWord, "pk"),
    "phone:job": (ServiceOrder, "pk"),
    "audit:chain": (ServiceOrder, "pk"),
    "messages:acknowledge": (Alert, "pk"),
    **{f"messages:window{deed}": (MaintenanceWindow, "pk") for deed in ("", "-change", "-end", "-cancel")},
    **{f"messages:dead-{name}": (DeadLetter, "pk") for name in ("letter", "replay", "correct", "tell", "discard")},
    "messages:notice": (Notice, "pk"),
    "messages:watch-service-order": (ServiceOrder, "pk"),
    "messages:watch-parts-order": (PartsOrder, "pk"),
    "messages:remove-address": (Address, "pk"),
    "messages:letter": (Notice, "pk"),
    "messages:letter-email": (Notice, "pk"),
    "messages:digest": (DigestSubscription, "pk"),
    "messages:digest-orders": (DigestSubscription, "pk"),
    "messages:digest-switch": (DigestSubscription, "pk"),
    "messages:digest-delete": (DigestSubscription, "pk"),
    "messages:read": (Notice, "pk"),
    "messages:go": (Notice, "pk"),
    **{f"webhooks:{name}": (Subscriber, "pk") for name in ("one", "change", *_WEBHOOK_DEEDS)},
    "webhooks:delivery": (OutboundDelivery, "pk"),
    "webhooks:again": (OutboundDelivery, "pk"),
    "audit:export": (ExportRun, "pk"),
    "audit:stop-export": (ExportRun, "pk"),
    "audit:export-file": (ExportRun, "pk"),
}
#: Our own pages that take a POST: alone, or beside a GET.
PAGES_THAT_WRITE = {
    "audit:new-export": ["GET", "POST"],
    "messages:acknowledge": ["POST"],
    "messages:allow": ["GET", "POST"],
    "messages:dead-replay-many": ["GET", "POST"],
    **{f"messages:window-{name}": ["GET", "POST"] for name in ("new", "change")},
    **{f"messages:window-{name}": ["POST"] for name in ("end", "cancel")},
    **{f"messages:dead-{name}": ["POST"] for name in ("replay", "correct", "tell", "discard")},
    "messages:confirm": ["GET", "POST"],
    "messages:email-hook": ["POST"],
    "messages:sms-hook": ["POST"],
    "messages:sms-status-hook": ["POST"],
    "messages:preferences": ["GET", "POST"],
    "messages:digest-new": ["GET", "POST"],
    "messages:digest": ["GET", "POST"],
    "messages:digest-switch": ["POST"],
    "messages:digest-delete": ["POST"],
    "messages:name-address": ["POST"],
    "messages:remove-address": ["POST"],
    "messages:watch-service-order": ["POST"],
    "messages:watch-parts-order": ["POST"],
    "messages:read": ["POST"],
    "messages:read-all": ["POST"],
    "audit:stop-export": ["POST"],
    "webhooks:new": ["GET", "POST"],
    "webhooks:change": ["GET", "POST"],
    "webhooks:again": ["POST"],
    **{f"webhooks:{name}": ["POST"] for name in _WEBHOOK_DEEDS},
    "desk:board-move": ["POST"],
    "desk:save-view": ["POST"],
    "desk:forget-view": ["POST"],
    "links:of_service_order": ["GET", "POST"],
    "links:of_parts_order": ["GET", "POST"],
    "links:revoke": ["POST"],
    "messages:clear": ["GET", "POST"],
    "messages:wording": ["GET", "POST"],
    "messages:wording-email": ["GET", "POST"],
    "messages:wording-versions": ["GET", "POST"],
    "messages:status-word": ["GET", "POST"],
    "messages:proposal": ["GET", "POST"],
    "messages:propose-service-order": ["GET", "POST"],
    "messages:propose-parts-order": ["GET", "POST"],
    "messages:use-words-again": ["POST"],
    "messages:withdraw-words": ["POST"],
    "phone:job": ["GET", "POST"],
    "phone:deliveries": ["GET", "POST"],
    "phone:tell-me": ["POST"],
    "phone:tell-me-no-more": ["POST"],
    "phone:van": ["GET", "POST"],
    "tracking:reschedule": ["POST"],
    "tracking:message": ["POST"],
    "tracking:want_messages": ["POST"],
    "tracking:told": ["GET", "POST"],
    "tracking:told_address": ["POST"],
    "tracking:one_click": ["GET", "POST"],
}
#: Routes that answer whatever is asked of an address that does not exist.
NO_ROUTES = ("admin:None", "api:None")
NEW_FOR_A_CUSTOMER = ("api:service-orders-list", "api:parts-orders-list")
#: Views of the admin that take no POST, or where it means nothing else than GET.
ONLY_GET = (
    "changelist",
    "history",
    "jsi18n",
    "index",
    "search",
    "autocomplete",
    "app_list",
    "view_on_site",
    "_done",
    "_evidence",
)


@dataclass(frozen=True)
class Ask:
    """One question: a route, a method, and (where the route names an object) whose."""

    route: str
    method: str
    whose: str = "-"

    def __str__(self) -> str:
        return f"{self.route:55} {self.method:5} {self.whose:8}"


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Give the full name of every route, with its pattern."""
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _walk(pattern.url_patterns, prefix + space)
        elif f"{prefix}{pattern.name}" not in NO_ROUTES:
            yield f"{prefix}{pattern.name}", pattern


def questions() -> list[Ask]:
    """Return every question there is, in the order of the routes' names; None-named routes are named by address."""
    found = set()
    for name, pattern in routes():
        model = _model_of(name)
        for method in _methods(name, pattern):
            # A new order names no object, but a customer.
            names = _names_an_object(pattern) or (method == "POST" and name in NEW_FOR_A_CUSTOMER)
            for whose in ("own", "foreign") if names and model in OWNED else ("-",):
                found.add(Ask(name if pattern.name else f"{name} {pattern.pattern}", method, whose))
    return sorted(found, key=lambda ask: (ask.route, ask.method, ask.whose != "own"))


def _methods(name: str, pattern: URLPattern) -> list[str]:
    if actions := getattr(pattern.callback, "actions", None):
        return [method.upper() for method in actions if method != "head"]  # added once a GET was answered
    if name in ("oauth-token", "oauth-revoke-token", "logout", "admin:logout"):
        return ["POST"]
    if name in PAGES_THAT_WRITE:
        return PAGES_THAT_WRITE[name]
    if not name.startswith("admin:") and name != "login":
        return ["GET"]
    if name in _inline_deeds():
        return ["POST"]
    return ["GET"] if name.endswith(ONLY_GET) and not name.endswith("simple_history") else ["GET", "POST"]


@cache
def _inline_deeds() -> frozenset[str]:
    return frozenset(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{deed.slug}"
        for model, office in admin.site._registry.items()
        for deed in getattr(office, "deeds", ())
        if deed.inline
    )


def _names_an_object(pattern: URLPattern) -> bool:
    return bool(pattern.pattern.regex.groups) and "app_label" not in pattern.pattern.regex.groupindex


def _model_of(name: str) -> type[models.Model] | None:
    if name in PAGES:
        return PAGES[name][0]
    if name.startswith("api:"):
        noun = max((noun for noun in NOUNS if name.startswith(f"api:{noun}-")), key=len, default="")
        return NOUNS.get(noun)
    for model in admin.site._registry:
        if name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_"):
            return model
    return None


class Cast:
    """Everybody, signed in, and what they ask for: rows of a customer that is the partner's, and of another."""

    def __init__(self, world: World, people: dict[str, User]) -> None:
        world.many(1)
        SavedView.objects.create(person=world.person, page="board", name="Late", created_at=timezone.now())
        if "auditor" in people:
            ExportRun.objects.create(made_by=f"user:{people['auditor'].pk}", format="csv", asked_at=timezone.now())
        if "dispatcher" in people:
            contact = Recipient.objects.create(customer=world.customer, name="Ada")
            reader = Recipient.objects.create(user=people["dispatcher"])
            address = Address(recipient=reader, channel="email", value="own@example.org")
            address.confirmation_asked_at = timezone.now()
            self.confirmation = letters.token_of(address)
            address.confirmation_hash = letters.digest(self.confirmation)
            address.save()
            address = Address(recipient=contact, channel="email", value="ada@example.org")
            address.allowance_asked_at = timezone.now()
            self.allowance = letters.allowance_of(address)
            address.allowance_hash = letters.digest(self.allowance)
            address.save()
            at = {"handed_over_at": timezone.now(), "due_at": timezone.now(), "caused_at": timezone.now()}
            Notice.objects.create(recipient=reader, channel="inbox", thread_id=reader.pk, state="delivered", **at)
            DigestSubscription.objects.create(
                reader=reader, name="Own", next_at=timezone.now(), created_at=timezone.now()
            )
        self.customers = {"own": world.customer, "foreign": CustomerFactory.create()}
        if "partner" in people:
            CustomerAccess.objects.create(user=people["partner"], customer=world.customer)
        for customer in self.customers.values():
            world.customer = customer
            world.short()
            world.placed(world.part_in_stock(), 2)
            job = world.job()
            attachments.attach(service_order_id=job.pk, name="Read me.txt", content=b"Pump", **cause())
            world.shipped()
            # What a customer's link opens, it opens for everybody who has it; who they are is not asked.
            self.token = tracking.issue(service_order_id=job.pk, **cause()).token
        watched.an_alert(job)
        watched.a_dead_letter(job)
        watched.a_window()
        watched.a_proposal(job, world.person)
        self.clients = {name: Client() for name in CALLERS}
        for name in CALLERS:
            if name in people:
                self.clients[name].force_login(people[name])
        self.tokens = (
            {scope: token_for(people["everything"], [scope]) for scope in SCOPES} if "everything" in people else {}
        )
        self.cookies = {name: {k: v.value for k, v in client.cookies.items()} for name, client in self.clients.items()}

    def answer(self, ask: Ask, caller: str) -> str:
        """Ask as somebody, undo whatever it did, and return the answer as a word."""
        buckets.empty_all()
        sent_forms.empty_all()
        if caller in self.tokens:
            known_tokens.forget_all()
            client = Client(headers={"Authorization": f"Bearer {self.tokens[caller]}"})
        else:
            client = self.clients[caller]
            client.cookies.clear()
            for name, value in self.cookies[caller].items():
                client.cookies[name] = value
        with transaction.atomic():
            response = self._send(client, ask)
            if response.streaming:
                b"".join(response.streaming_content)  # read to its end, so that its file is closed
            transaction.set_rollback(True)
        return _word(response, is_api=ask.route.startswith("api:"))

    def _send(self, client: Client, ask: Ask) -> Any:
        address = self.address(ask)
        if ask.method == "GET":
            # By the handler alone: a test client keeps a copy of each template's context, which takes half of its time.
            asks = RequestFactory()
            asks.defaults |= client.defaults
            asks.cookies = client.cookies
            return client.handler(asks.get(address, self._query(ask)).environ)
        if ask.route.startswith("api:"):
            body, key = json.dumps(self._body(ask), default=str), {"Idempotency-Key": uuid.uuid4().hex}
            return client.post(address, body, content_type="application/json", headers=key)
        return client.post(address, {})

    # --- What is asked for -------------------------------------------------------------------------------------------

    def row(self, ask: Ask) -> Any:
        """Return the object a question names."""
        model = _model_of(ask.route)
        assert model is not None, f"{ask.route} names an object of an unknown kind"
        rows = model._default_manager.all()
        if model in OWNED:
            rows = rows.filter(**{OWNED[model]: self.customers[ask.whose]})
        if model is OrderLine:
            rows = rows.filter(is_split=False)
        if model is User:
            rows = rows.filter(username="somebody")
        found = rows.order_by("pk").first()
        assert found is not None, f"there is no {model._meta.label} to ask for"
        return found

    def address(self, ask: Ask) -> str:
        """Return the address of a question."""
        name = ask.route.split(" ")[0]
        pattern = next(pattern for found, pattern in routes() if found == name)
        if name == "admin:view_on_site":
            return reverse(name, args=[ContentType.objects.get_for_model(Part).pk, Part.objects.all()[0].pk])
        if name == "api:event-schema":
            return reverse(name, args=["event.v1.json"])
        if name in ("webhooks:delivery", "webhooks:again"):
            told = self.row(ask)
            return reverse(name, args=[told.subscriber_id, told.pk])
        if name == "audit:export-file":
            return reverse(name, args=[self.row(ask).pk, "verifier.py"])
        if name == "messages:clear":
            return reverse(name, args=[token_of(Notice.objects.filter(state="delivered")[0].pk)])
        if name.startswith("tracking:"):
            return reverse(name, args=[self.token])
        if name == "messages:email-hook":
            return reverse(name, args=["postmark", "tracking"])
        if name.startswith("api:inbound-"):
            message = InboundMessage.objects.select_related("system").all()[0]
            return reverse(name, args=[message.system.code, *([message.pk] if name.endswith("detail") else [])])
        if name.startswith("api:snapshots-"):
            snapshot = InventorySnapshot.objects.select_related("system").all()[0]
            found = reverse(name, args=[snapshot.system.code, *([snapshot.pk] if name.endswith("detail") else [])])
            return f"{found}?as_of=2026-11-22T02:00:00Z" if ask.method == "POST" else found
        if name == "messages:confirm":
            return reverse(name, args=[self.confirmation])
        if name == "messages:allow":
            return reverse(name, args=[self.allowance])
        if name == "admin:app_list":
            return reverse(name, args=["parts"])
        if name.endswith("_simple_history"):
            row = self.row(ask)
            if not row.history.exists():
                row.save()  # written by a migration or in bulk: no history yet
            return reverse(name, args=[row.pk, row.history.first().pk])
        if _names_an_object(pattern):
            field = PAGES[name][1] if name in PAGES else "pk"
            return reverse(name, args=[getattr(self.row(ask), field)])
        if " " in ask.route:
            return "/admin/" + str(pattern.pattern)
        return reverse(name)

    def _query(self, ask: Ask) -> dict[str, str]:
        if ask.route == "admin:autocomplete":
            return {"app_label": "parts", "model_name": "supplierpart", "field_name": "part", "term": ""}
        if ask.route == "api:availability-list":
            return {"part": str(Part.objects.all()[0].pk)}
        return {}

    def _body(self, ask: Ask) -> dict[str, Any]:
        """Return a body that is right, so that nothing but the right to do it is refused."""
        if ask.route == "api:parts-orders-ship":
            held = OrderLine.objects.filter(order=self.row(ask)).order_by("pk")[0]
            return {"lines": [{"line": held.pk}], "walk": True}
        bodies = bodies_of(self.customers["own" if ask.whose == "-" else ask.whose], self.customers["own"])
        assert ask.route in bodies, f"tests/permission_matrix.py does not know what to send to {ask.route}"
        return bodies[ask.route]


def _word(response: HttpResponseBase, *, is_api: bool) -> str:
    status = response.status_code
    address = response.headers.get("Location", "")
    if status == 401 or (status == 302 and "/login/" in address):
        return "login"
    if status == 403:
        return "no"
    if status == 404:
        return "hidden"
    if status == 400 and is_api:
        return "invalid"
    content = getattr(response, "content", b"")
    if status == 200 and b'"results"' in content and b'"outcome"' in content:
        refusal = json.loads(content)["results"][0]["refusal"]
        return {"forbidden": "no", "not_found": "hidden"}.get(refusal["code"] if refusal else "", "yes")
    return "yes" if status < 500 and status not in (405, 429) else str(status)


def read_table(path: Path = TABLE, callers: Sequence[str] = CALLERS) -> dict[Ask, dict[str, str]]:
    """Return the expected answers."""
    table: dict[Ask, dict[str, str]] = {}
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    for line in lines[1:]:
        *words, method, whose = line.split()[: -len(callers)]
        ask = Ask(" ".join(words), method, whose)
        assert ask not in table, f"two lines for {ask}"
        table[ask] = dict(zip(callers, line.split()[-len(callers) :], strict=True))
    return table


def as_line(ask: Ask, answers: dict[str, str]) -> str:
    """Return a line of the table."""
    return f"{ask} {' '.join(f'{answer:16}' for answer in answers.values())}".rstrip()
