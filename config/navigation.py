"""Where people find things: the side of the back office, and the doors that the start page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

#: Group → (title, icon, model whose list it opens, query of that list).
SIDE: tuple[tuple[Any, tuple[tuple[Any, str, str, str], ...]], ...] = (
    (
        _("Back orders"),
        (
            (_("Queue"), "pending_actions", "backorders.backorder", ""),
            (_("Allocation runs"), "playlist_add_check", "backorders.allocationrun", ""),
            (_("Decisions"), "gavel", "backorders.allocationdecision", ""),
            (_("Allocations"), "inventory", "backorders.allocation", ""),
            (_("Ranking policy"), "tune", "backorders.allocationpolicy", ""),
        ),
    ),
    (
        _("Orders"),
        (
            (_("Service orders"), "build", "orders.serviceorder", ""),
            (_("Parts orders"), "shopping_cart", "orders.partsorder", ""),
            (_("Order lines"), "list_alt", "orders.orderline", ""),
            (_("Shipments"), "local_shipping", "orders.shipment", ""),
            (_("Customers"), "apartment", "orders.customer", ""),
            (_("Equipment"), "precision_manufacturing", "orders.equipment", ""),
            (_("Contracts"), "handshake", "orders.servicecontract", ""),
            (_("Customers' links"), "link", "orders.trackinglink", ""),
        ),
    ),
    (
        _("Stock and supply"),
        (
            (_("Parts"), "category", "parts.part", ""),
            (_("Changes to approve"), "approval", "parts.partchange", "?status__exact=waiting"),
            (_("Stock levels"), "inventory_2", "parts.stocklevel", ""),
            (_("Purchase orders"), "receipt_long", "parts.purchaseorder", ""),
            (_("Deliveries"), "move_to_inbox", "parts.delivery", ""),
            (_("Suppliers"), "factory", "parts.supplier", ""),
            (_("Warehouses"), "warehouse", "parts.warehouse", ""),
            (_("Who sees what stock"), "visibility", "orders.stockvisibilityrule", ""),
        ),
    ),
    (
        _("Record"),
        (
            (_("Event ledger"), "history_edu", "orders.orderevent", ""),
            (_("Discrepancy cases"), "rule", "integrations.discrepancy", ""),
            (_("Escalation steps"), "stairs", "integrations.escalationstep", ""),
            (_("Count tolerances"), "tune", "integrations.counttolerance", ""),
            (_("Overrides"), "report", "orders.override", ""),
            (_("Waiting for consent"), "how_to_reg", "orders.overriderequest", "?status__exact=waiting"),
            (_("What needs consent"), "rule", "orders.consentrule", ""),
            (_("Daily anchors"), "anchor", "orders.ledgeranchor", ""),
            (_("Stock movements"), "swap_vert", "parts.stockmovement", ""),
            (_("Counts"), "fact_check", "parts.stockcount", ""),
            (_("Counts that differed"), "difference", "parts.stockcountline", ""),
            (_("Reservations"), "lock", "parts.reservation", ""),
        ),
    ),
    (
        _("Messages"),
        (
            (_("Message rules"), "rule", "notifications.rule", ""),
            (_("Contacts of customers"), "contacts", "notifications.recipient", ""),
            (_("Stopped SMS"), "sms_failed", "notifications.stoppednumber", ""),
            (_("Lifted stops of SMS"), "undo", "notifications.liftedstop", ""),
            (_("Root causes"), "label", "notifications.rootcause", ""),
        ),
    ),
    (
        _("People and systems"),
        (
            (_("People"), "person", "auth.user", ""),
            (_("Roles"), "badge", "auth.group", ""),
            (_("Customer access"), "key", "orders.customeraccess", ""),
            (_("API clients"), "api", "oauth2_provider.application", ""),
            (_("External systems"), "hub", "integrations.externalsystem", ""),
            (_("Interfaces"), "cable", "integrations.interface", ""),
            (_("Messages of systems"), "inbox", "integrations.inboundmessage", ""),
            (_("Reconciliations"), "compare_arrows", "integrations.reconciliation", ""),
            (_("Inventory snapshots"), "inventory", "integrations.inventorysnapshot", ""),
            (_("Differences of stock"), "difference", "integrations.snapshotdifference", "?status__exact=open"),
            (_("Subscribers"), "campaign", "integrations.subscriber", ""),
            (_("What they were told"), "outbox", "integrations.outbounddelivery", ""),
            (_("Status codes of others"), "dictionary", "integrations.statuscode", ""),
            (_("Failed tasks"), "error", "django_q.failure", ""),
        ),
    ),
)


#: The back-order desk is for whoever works there, and for whoever checks what was done there.
DESK_RIGHTS = ("backorders.allocate_backorder", "orders.export_orderevent")

#: The bar of our own pages: (permission, title, icon, address name). Who may not do it is not shown it.
BAR: tuple[tuple[str, Any, str, str], ...] = (
    ("orders.view_customer", _("Board"), "columns-3", "desk:board"),
    ("orders.view_customer", _("When?"), "calendar-clock", "desk:when"),
    ("notifications.view_alert", _("Alerts"), "triangle-alert", "messages:alerts"),
    # Partners may order too, through their system; this page is for those who also move lines.
    ("orders.move_orderline", _("Order parts"), "plus", "desk:place"),
    ("orders.claim_serviceorder", _("My jobs"), "wrench", "phone:day"),
    ("reports.view_dailyfigure", _("Figures"), "chart-column", "figures:figures"),
    ("integrations.own_subscriber", _("Webhooks"), "zap", "webhooks:list"),
    ("orders.export_orderevent", _("Audit"), "shield-check", "audit:history"),
)


def bar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the links of the bar that this person may follow, the present one marked; none before signing in."""
    person = getattr(request, "user", None)  # nobody knows who asks for a file that is not there
    if person is None or not person.is_authenticated:
        return []
    held = person.get_all_permissions()
    links = []
    for permission, title, icon, name in BAR:
        if permission in held:
            address = reverse(name)
            links.append({"title": title, "icon": icon, "address": address, "here": request.path.startswith(address)})
    if person.is_staff:
        office = {"title": _("Back office"), "icon": "settings-2", "address": reverse("admin:index"), "here": False}
        links.append(office)
    return links


def _item(title: Any, icon: str, model: str, query: str) -> dict[str, Any]:
    app, name = model.split(".")
    address = reverse(f"admin:{app}_{name}_changelist")

    def seen_by(request: HttpRequest) -> bool:
        return request.user.has_perm(f"{app}.view_{name}")

    def here(request: HttpRequest) -> bool:
        marked = query.lstrip("?")
        return request.path.startswith(address) and (marked in request.META.get("QUERY_STRING", "") if marked else True)

    return {"title": title, "icon": icon, "link": address + query, "permission": seen_by, "active": here}


def _desk() -> dict[str, Any]:
    """Return the entry of the back-order desk, where the back office begins for the parts manager."""
    address = reverse("office_desk")
    return {
        "title": _("Back-order desk"),
        "icon": "speed",
        "link": address,
        "permission": lambda request: any(map(request.user.has_perm, DESK_RIGHTS)),
        "active": lambda request: request.path == address,
    }


def _wordings() -> dict[str, Any]:
    """Return the entry of the wordings of messages, which have an editor of their own."""
    address = reverse("messages:wordings")
    return {
        "title": _("Wordings of messages"),
        "icon": "chat",
        "link": address,
        "permission": lambda request: request.user.has_perm("notifications.view_templateversion"),
        "active": lambda request: request.path.startswith(address),
    }


def _words() -> dict[str, Any]:
    """Return the entry of the words for statuses, which have a page of their own."""
    address = reverse("messages:status-words")
    return {
        "title": _("Words for customers"),
        "icon": "translate",
        "link": address,
        "permission": lambda request: request.user.has_perm("orders.view_customerword"),
        "active": lambda request: request.path.startswith(address),
    }


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the side of the back office; each entry is for whoever may see that list."""
    groups = [{"title": title, "separator": True, "items": [_item(*item) for item in items]} for title, items in SIDE]
    groups[0]["items"].insert(0, _desk())
    groups[-2]["items"] += [_wordings(), _words()]
    return groups


def icon(request: HttpRequest) -> str:
    """Return the address of our mark."""
    return static("backline/mark.svg")


def styles(request: HttpRequest) -> str:
    """Return the address of what we add to the theme."""
    return static("backline/desk.css")


def scripts(request: HttpRequest) -> str:
    """Return the address of the script that we add to the theme."""
    return static("backline/desk.js")
