"""Who may do what: the one table of roles, written into the groups after every migration.

A person's rights are those of their role. A right is a Django permission name; `parts.view_*` means every permission
of the app that begins so (a new model is readable at once), but what a role may *do* is always spelled out. A name that
means nothing stops the migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from parts.actors import Actor
from reports.actions.access import changing_rights

READS_ALL = (
    "parts.view_*",
    "orders.view_*",
    "backorders.view_*",
    "notifications.view_*",
    "integrations.view_*",
    "reports.view_*",
)

READS_ORDERS = (
    "parts.view_part",
    "parts.view_partnumber",
    "parts.view_stocklevel",
    "parts.view_warehouse",
    "parts.view_region",
    "parts.view_category",
    "parts.view_unitofmeasure",
    "orders.view_customer",
    "orders.view_equipment",
    "orders.view_servicecontract",
    "orders.view_serviceorder",
    "orders.view_partsorder",
    "orders.view_orderline",
    "orders.view_shipment",
    "orders.view_shipmentline",
    "orders.view_shippedserial",
    "orders.view_labourentry",
    "orders.view_diagnosticnote",
    "orders.view_returnshipment",
    "orders.view_attachment",
    "backorders.view_backorder",
)


def _edits(app: str, *models: str) -> tuple[str, ...]:
    return tuple(f"{app}.{verb}_{model}" for model in models for verb in ("view", "add", "change", "delete"))


#: What people of the house are told is set up by those who answer for it.
MESSAGES = (
    *_edits("notifications", "rule", "escalationlevel", "template", "templateversion"),
    *_edits("notifications", "recipient", "address", "watch"),
    *_edits("notifications", "rootcause"),
    "notifications.change_channelsetting",
    "notifications.switch_rule",
    "notifications.publish_templateversion",
    "notifications.silence",
    "notifications.replay_notice",
    "notifications.tell_deadletter",
    "notifications.acknowledge_alert",
    "notifications.lift_stoppednumber",
)
#: Who works on orders watches some of them, and says that an alert was seen.
HEARS = (
    "notifications.add_wordproposal",
    "notifications.view_alert",
    "notifications.acknowledge_alert",
    "notifications.add_watch",
    "notifications.delete_watch",
)
#: Who answers for orders as a whole is told each day which of them stand still.
DIGESTS = _edits("notifications", "digestsubscription")


@dataclass(frozen=True)
class Role:
    """A role: its name (of the group, too), whether it works in the back office, and its rights."""

    name: str
    is_staff: bool
    permissions: tuple[str, ...] = field(repr=False)


MANAGER = Role(
    "Parts manager",
    True,
    (
        *READS_ALL,
        *_edits("parts", "part", "partnumber", "partrelation", "category", "unitofmeasure"),
        *_edits("parts", "region", "warehouse", "supplier", "supplierpart"),
        *_edits("orders", "customer", "equipment", "servicecontract", "stockvisibilityrule"),
        "orders.change_customerword",
        "orders.publish_customerword",
        "notifications.add_wordproposal",
        "notifications.review_wordproposal",
        "orders.issue_trackinglink",
        "orders.revoke_trackinglink",
        "parts.import_catalogue",
        "parts.approve_partchange",
        "parts.correct_stock",
        "parts.transfer_stock",
        "parts.receive_delivery",
        "parts.manage_purchase_orders",
        "orders.add_serviceorder",
        "orders.change_serviceorder",
        "orders.move_serviceorder",
        "orders.override_serviceorder",
        "orders.consent_override",
        "integrations.open_discrepancy",
        "integrations.work_discrepancy",
        *_edits("integrations", "escalationstep", "counttolerance"),
        "integrations.decide_statuscode",
        "integrations.replay_inboundmessage",
        "integrations.reconcile",
        "integrations.load_inventorysnapshot",
        "integrations.approve_snapshotdifference",
        "integrations.replay_outbounddelivery",
        "orders.assign_serviceorder",
        "orders.add_attachment",
        "orders.delete_attachment",
        "orders.add_savedview",
        "orders.delete_savedview",
        "orders.place_partsorder",
        "orders.hold_partsorder",
        "orders.move_orderline",
        "orders.ship_orderline",
        "orders.cancel_orderline",
        "orders.override_orderline",
        "orders.promise_orderline",
        "backorders.move_backorder",
        "backorders.override_backorder",
        "backorders.promise_backorder",
        "backorders.allocate_backorder",
        "backorders.pin_backorder",
        "backorders.source_backorder",
        "backorders.change_allocationpolicy",
        *MESSAGES,
        *DIGESTS,
    ),
)

DISPATCHER = Role(
    "Dispatcher",
    True,
    (
        *READS_ORDERS,
        "parts.view_purchaseorder",
        "parts.view_purchaseorderline",
        "parts.view_delivery",
        "parts.view_deliveryline",
        "parts.view_supplier",
        "parts.receive_delivery",
        "integrations.view_discrepancy",
        "integrations.open_discrepancy",
        "integrations.work_discrepancy",
        "orders.change_customer",
        "reports.view_dailyfigure",
        "orders.view_trackinglink",
        "orders.issue_trackinglink",
        "orders.revoke_trackinglink",
        *_edits("orders", "equipment"),
        "orders.add_serviceorder",
        "orders.change_serviceorder",
        "orders.move_serviceorder",
        "orders.assign_serviceorder",
        "orders.add_attachment",
        "orders.delete_attachment",
        "orders.add_savedview",
        "orders.delete_savedview",
        "orders.place_partsorder",
        "orders.hold_partsorder",
        "orders.move_orderline",
        "orders.ship_orderline",
        "orders.cancel_orderline",
        "orders.promise_orderline",
        "backorders.move_backorder",
        "backorders.promise_backorder",
        "notifications.view_notice",
        "notifications.view_message",
        # They have the customer on the telephone; sending again and letting rest is for those who answer for messages.
        "notifications.tell_deadletter",
        "notifications.view_maintenancewindow",
        *HEARS,
        *DIGESTS,
    ),
)

TECHNICIAN = Role(
    "Technician",
    True,
    (
        *READS_ORDERS,
        "parts.count_van",
        "orders.change_serviceorder",
        "orders.move_serviceorder",
        "orders.claim_serviceorder",
        "orders.add_labourentry",
        "orders.add_diagnosticnote",
        "orders.add_attachment",
        "orders.add_savedview",
        "orders.delete_savedview",
        "orders.place_partsorder",
        "orders.move_orderline",
        *HEARS,
    ),
)

AUDITOR = Role("Auditor", True, (*READS_ALL, "auth.view_*", "admin.view_logentry", "orders.export_orderevent"))

#: Not of the house: sees and orders only for the customers of their `CustomerAccess`, never through the back office.
PARTNER = Role(
    "Partner",
    False,
    (
        "parts.view_part",
        "orders.view_serviceorder",
        "orders.view_partsorder",
        "orders.view_orderline",
        "orders.place_partsorder",
        "orders.cancel_orderline",
        "backorders.view_backorder",
        "integrations.own_subscriber",
    ),
)

#: A machine: reports what happened in its own house about anybody's orders, and never enters by the pages.
SYSTEM = Role(
    "Connected system",
    True,
    (
        *READS_ORDERS,
        "integrations.send_inboundmessage",
        "integrations.load_inventorysnapshot",
        "integrations.own_subscriber",
        "orders.move_serviceorder",
        "orders.move_orderline",
        "orders.ship_orderline",
        # What its messages may bring beside statuses: jobs and what they need, suppliers' answers, goods that came in.
        "orders.add_serviceorder",
        "orders.place_partsorder",
        "parts.manage_purchase_orders",
        "parts.receive_delivery",
        "parts.correct_stock",
    ),
)

#: Sets up people, their rights and what systems may connect; has no hand in orders and stock. Giving others any role of
#: this table is their job, also one that may what they may not. Giving themselves one is not, nor making anybody stand
#: above all rights, nor acting in another person's name through a client (config/clients.py).
ADMINISTRATOR = Role(
    "Administrator",
    True,
    (
        *READS_ALL,
        # What needs a second person is not for those to say who would need one.
        *_edits("orders", "consentrule"),
        *_edits("auth", "user"),
        "auth.view_group",
        *_edits("orders", "customeraccess"),
        "orders.erase_eventtext",
        *_edits("oauth2_provider", "application"),
        *_edits("integrations", "externalsystem", "interface"),
        "integrations.decide_statuscode",
        "integrations.replay_inboundmessage",
        "integrations.reconcile",
        "integrations.load_inventorysnapshot",
        "integrations.add_subscriber",
        "integrations.change_subscriber",
        "integrations.replay_outbounddelivery",
        "oauth2_provider.view_*",
        "oauth2_provider.delete_accesstoken",
        "django_q.view_*",
        "admin.view_logentry",
        *MESSAGES,
        *DIGESTS,
    ),
)

ROLES = (MANAGER, DISPATCHER, TECHNICIAN, AUDITOR, PARTNER, SYSTEM, ADMINISTRATOR)

#: What they are called; `parts.labels.role_word` says it in the reader's language.
LABELS = {
    "Parts manager": pgettext_lazy("role", "Parts manager"),
    "Dispatcher": pgettext_lazy("role", "Dispatcher"),
    "Technician": pgettext_lazy("role", "Technician"),
    "Auditor": pgettext_lazy("role", "Auditor"),
    "Partner": pgettext_lazy("role", "Partner"),
    "Connected system": pgettext_lazy("role", "Connected system"),
    "Administrator": pgettext_lazy("role", "Administrator"),
}

#: What a machine may do with each scope of its token: of the rights of its account, those of its scopes and no others.
SCOPES: dict[str, tuple[str, ...]] = {
    "orders:read": (
        "orders.view_serviceorder",
        "orders.view_partsorder",
        "orders.view_orderline",
        "orders.view_orderevent",
        "orders.view_shipment",
    ),
    "orders:write": (
        "orders.add_serviceorder",
        "orders.change_serviceorder",
        "orders.move_serviceorder",
        "orders.assign_serviceorder",
        "orders.place_partsorder",
        "orders.hold_partsorder",
        "orders.move_orderline",
        "orders.ship_orderline",
        "orders.cancel_orderline",
    ),
    "orders:override": ("orders.override_serviceorder", "orders.override_orderline"),
    "backorders:read": ("backorders.view_backorder", "backorders.view_allocationdecision"),
    "backorders:write": (
        "backorders.move_backorder",
        "backorders.promise_backorder",
        "orders.promise_orderline",
    ),
    "stock:read": (
        "parts.view_all_stock",
        "parts.view_part",
        "parts.view_stocklevel",
        "parts.view_stockmovement",
        "parts.view_purchaseorder",
        "parts.view_purchaseorderline",
        "parts.view_delivery",
    ),
    "stock:write": ("parts.correct_stock", "parts.transfer_stock"),
    "supply:write": ("parts.receive_delivery", "parts.manage_purchase_orders"),
    "inbound:write": (
        "integrations.send_inboundmessage",
        "integrations.load_inventorysnapshot",
        "orders.move_serviceorder",
        "orders.move_orderline",
        "orders.ship_orderline",
    ),
    "subscribers:write": ("integrations.own_subscriber",),
    "status:write": ("orders.move_serviceorder", "orders.move_orderline", "orders.ship_orderline"),
}


def role_named(name: str) -> Role:
    """Return the role of that name. Raises KeyError for one that does not exist."""
    return {role.name: role for role in ROLES}[name]


@cache
def declared_permissions() -> frozenset[str]:
    """Return every permission name that the models of this code declare."""
    names = set()
    for model in apps.get_models(include_auto_created=False):
        meta = model._meta
        names |= {f"{meta.app_label}.{verb}_{meta.model_name}" for verb in meta.default_permissions}
        names |= {f"{meta.app_label}.{codename}" for codename, _ in meta.permissions}
    return frozenset(names)


@cache
def expanded(patterns: tuple[str, ...], declared: frozenset[str]) -> frozenset[str]:
    """Return the permission names that the patterns mean.

    Raises ImproperlyConfigured for a name that no model declares; a pattern (`app.view_*`) may mean nothing as long as
    the app has no models.
    """
    names: set[str] = set()
    for pattern in patterns:
        found = {name for name in declared if fnmatchcase(name, pattern)}
        app = pattern.split(".")[0]
        if not found and not (pattern.endswith("*") and any(config.label == app for config in apps.get_app_configs())):
            raise ImproperlyConfigured(f"config/roles.py names a permission that no model declares: {pattern}")
        names |= found
    return frozenset(names)


def write_groups() -> None:
    """Give each role's group exactly the rights of the table. A repeat changes nothing.

    A declared permission that the database does not have yet (an app that is migrated back) is left out.
    """
    declared = declared_permissions()
    wanted = {role.name: expanded(role.permissions, declared) for role in ROLES}
    for scope in SCOPES.values():
        expanded(scope, declared)
    keys = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    groups = {group.name: group for group in Group.objects.filter(name__in=wanted).prefetch_related("permissions")}
    has = {name: {permission.pk for permission in group.permissions.all()} for name, group in groups.items()}
    needs = {name: {keys[one] for one in permissions if one in keys} for name, permissions in wanted.items()}
    if has != needs:
        with changing_rights(by=Actor.system("roles"), source="migrate"):
            _write(has, needs)


def _write(has: Mapping[str, set[int]], needs: Mapping[str, set[int]]) -> None:
    """Give groups the permissions that they need, and take the others that they have; make those that are missing."""
    Group.objects.bulk_create([Group(name=name) for name in needs if name not in has], ignore_conflicts=True)
    ids = dict(Group.objects.filter(name__in=needs).values_list("name", "pk"))
    through = Group.permissions.through
    missing, superfluous = [], Q(pk__in=[])
    for name, wanted in needs.items():
        held = has.get(name, set())
        missing += [through(group_id=ids[name], permission_id=key) for key in sorted(wanted - held)]
        if held - wanted:
            superfluous |= Q(group_id=ids[name], permission_id__in=held - wanted)
    through.objects.filter(superfluous).delete()
    through.objects.bulk_create(missing, ignore_conflicts=True)


def give_role(user: User, role: Role, *, by: Actor | None = None, source: str = "backline") -> None:
    """Make this the one role of a person: its group, and whether they may enter the back office.

    It is recorded as done by `by`; by the table of roles where nobody is named.
    """
    with changing_rights(by=by or Actor.system("roles"), source=source):
        user.groups.set([Group.objects.get(name=role.name)])
        user.is_staff = role.is_staff
        user.save(update_fields=["is_staff"])
