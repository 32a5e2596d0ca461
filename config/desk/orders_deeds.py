"""What can be done on an order's page: each deed is a button or a form that calls one action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from backorders.actions import moving
from backorders.statuses import BACK_ORDER_WAITING
from config.desk import orders_forms as ask
from orders.actions import attachments, jobs, lines, overriding, parts_orders, service_orders
from orders.files import FileRefused
from orders.statuses import (
    LINE_CLOSED,
    LINE_HOLDS_STOCK,
    LINE_OPEN,
    LINE_STEPS,
    SERVICE_ORDER_CLOSED,
    SERVICE_ORDER_PATH,
    SERVICE_ORDER_STEPS,
)
from parts.actors import Actor

#: What a deed does, given its subject, what its form asked, and who does it, from where and when; says what was done.
Act = Callable[[Any, dict[str, Any], dict[str, Any]], str]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A verb on the page of an order.

    `about` says what it is done to: the page's own order (empty), or one of its `line`, `file`, `equipment`.
    `permission` decides who is offered it; the action asks once more. `offered` tells whether it makes sense for a
    subject as it stands. A deed with `form` NothingAsked is a button; any other opens its form in a panel.
    `is_main` stands beside the steps, `is_hidden` has a place of its own on the page, all else is under "More".
    """

    slug: str
    title: Any
    icon: str
    permission: str
    act: Act
    about: str = ""
    form: type[ask.DeskForm] = ask.NothingAsked
    offered: Callable[[Any], bool] = lambda subject: True
    intro: Any = ""
    is_danger: bool = False
    is_hidden: bool = False
    is_main: bool = False

    @property
    def is_button(self) -> bool:
        """Whether it is done at once, without a form of its own."""
        return self.form is ask.NothingAsked or self.form is ask.StepForm


def told(user: Any, at: Any) -> dict[str, Any]:
    """Return what every action is told besides its business: who, from where, when."""
    return {"by": Actor.user(user), "source": "desk", "at": at}


def _stands(moved: Any, subject: Any) -> str:
    words = dict(subject._meta.get_field("status").flatchoices)
    says = _g("%(reference)s is %(status)s now.")
    return says % {"reference": moved.reference, "status": words.get(moved.status, moved.status)}


def _does(
    verb: Callable[..., Any], key: str, *names: str, says: Any = "", gone_to: Callable[[Any], Any] = lambda s: s.pk
) -> Act:
    """Return what a deed does that tells a verb these names of what was asked; without `says`, where it stands then."""

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
        done = verb(**{key: gone_to(subject)}, **{name: cleaned[name] for name in names}, **told)
        return str(says) % cleaned if says else _stands(done, subject)

    return act


def _job(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return _does(verb, "service_order_id", *names, says=says)


def _order(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return _does(verb, "order_id", *names, says=says)


def _line(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return _does(verb, "line_id", *names, says=says)


def _back_order(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return _does(verb, "back_order_id", *names, says=says, gone_to=lambda line: line.back_order.pk)


# --- A job -----------------------------------------------------------------------------------------------------------


def _is_open(job: Any) -> bool:
    return job.status not in SERVICE_ORDER_CLOSED


def _assign(job: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    person = cleaned["technician"]
    service_orders.assign(
        service_order_id=job.pk,
        technician_id=person.pk if person else None,
        expected_version=cleaned["expected_version"],
        **told,
    )
    if person is None:
        return _g("Nobody has it now.")
    return _g("%(person)s has it now.") % {"person": person.get_full_name() or person.get_username()}


def _cancel_job(job: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    facts = {name: cleaned[name] for name in ("note", "public", "expected_version")}
    return _stands(service_orders.move(service_order_id=job.pk, to="cancelled", **facts, **told), job)


def _attach(job: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    """Add each file; where some are refused, the others are kept and the refusal says which."""
    added, refused = [], []
    for number, upload in enumerate(cleaned["file"]):
        try:
            added.append(
                attachments.attach(
                    service_order_id=job.pk,
                    name=upload.name,
                    content=upload.read(),
                    note=cleaned["note"],
                    public=cleaned["public"],
                    key=UUID(int=cleaned["key"].int ^ number),
                    **told,
                ).name
            )
        except FileRefused as refusal:
            refused.append(f"{upload.name}: {refusal.detail}")
    says = _g("Added: %(names)s.") % {"names": ", ".join(added)} if added else ""
    if refused:
        raise FileRefused(" ".join([*refused, says]).strip())
    return says


def _remove_file(file: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    attachments.remove(attachment_id=file.pk, reason=cleaned["reason"], **told)
    return _g("%(name)s is removed.") % {"name": file.name}


def _show(public: bool, says: Any) -> Act:
    def act(file: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
        attachments.show_to(attachment_id=file.pk, public=public, **told)
        return str(says) % {"name": file.name}

    return act


def _arrived(shipment: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    jobs.equipment_arrived(shipment_id=shipment.pk, **told)
    return _g("It arrived.")


_WRITES = "orders.change_serviceorder"

JOB_DEEDS = (
    Deed(
        slug="move",
        title=_("Move"),
        icon="arrow-right",
        permission="orders.move_serviceorder",
        form=ask.StepForm,
        act=_job(service_orders.move, "to", "expected_version"),
        is_hidden=True,
    ),
    Deed(
        slug="claim",
        title=_("Claim"),
        icon="user-plus",
        permission="orders.claim_serviceorder",
        act=_job(service_orders.claim, "expected_version", says=_("It is yours now.")),
        offered=lambda job: _is_open(job) and job.technician_id is None,
        is_main=True,
    ),
    Deed(
        slug="assign",
        title=_("Assign"),
        icon="user",
        permission="orders.assign_serviceorder",
        form=ask.AssignForm,
        act=_assign,
        offered=_is_open,
        is_main=True,
    ),
    Deed(
        slug="note",
        title=_("Note"),
        icon="message-square",
        permission=_WRITES,
        form=ask.NoteForm,
        act=_job(service_orders.add_note, "text", "public", says=_("The note is on the timeline.")),
        is_hidden=True,
    ),
    Deed(
        slug="reschedule",
        title=_("Reschedule"),
        icon="calendar",
        permission=_WRITES,
        form=ask.RescheduleForm,
        act=_job(
            jobs.reschedule, "scheduled_for", "note", "expected_version", says=_("Planned for %(scheduled_for)s.")
        ),
        offered=_is_open,
        is_main=True,
    ),
    Deed(
        slug="estimate",
        title=_("Estimate completion"),
        icon="calendar-clock",
        permission=_WRITES,
        form=ask.EstimateForm,
        act=_job(
            jobs.set_estimated_completion,
            *("estimated_completion_at", "note", "expected_version"),
            says=_("The estimate is noted."),
        ),
        offered=_is_open,
    ),
    Deed(
        slug="labour",
        title=_("Log labour"),
        icon="timer",
        permission="orders.add_labourentry",
        form=ask.LabourForm,
        act=_job(jobs.log_labour, "started_at", "minutes", "description", says=_("%(minutes)s minutes logged.")),
        offered=_is_open,
        is_main=True,
    ),
    Deed(
        slug="diagnosis",
        title=_("Add a diagnosis"),
        icon="scan-line",
        permission="orders.add_diagnosticnote",
        form=ask.DiagnosisForm,
        act=_job(jobs.add_diagnosis, "text", "failure_code", says=_("The finding is noted.")),
        offered=_is_open,
    ),
    Deed(
        slug="attach",
        title=_("Add a file"),
        icon="paperclip",
        permission="orders.add_attachment",
        form=ask.AttachForm,
        act=_attach,
        is_hidden=True,
    ),
    Deed(
        slug="send",
        title=_("Send equipment"),
        icon="truck",
        permission=_WRITES,
        form=ask.SendForm,
        act=_job(
            jobs.send_equipment,
            *("direction", "carrier", "tracking_number", "expected_on"),
            says=_("The shipment is tracked."),
        ),
    ),
    Deed(
        slug="arrived",
        title=_("It arrived"),
        icon="package-check",
        permission=_WRITES,
        about="equipment",
        act=_arrived,
        offered=lambda shipment: shipment.arrived_at is None,
    ),
    Deed(
        slug="remove-file",
        title=_("Remove"),
        icon="trash-2",
        permission="orders.add_attachment",
        about="file",
        form=ask.ReasonForm,
        act=_remove_file,
        offered=lambda file: file.removed_at is None,
        intro=_("The file is deleted. What it was called, who added it and why it was removed stays on the timeline."),
        is_danger=True,
    ),
    Deed(
        slug="show-file",
        title=_("Show to the customer"),
        icon="eye",
        permission=_WRITES,
        about="file",
        act=_show(True, _("The customer sees %(name)s now.")),
        offered=lambda file: file.removed_at is None and file.visibility == "internal",
    ),
    Deed(
        slug="hide-file",
        title=_("Keep from the customer"),
        icon="eye-off",
        permission=_WRITES,
        about="file",
        act=_show(False, _("The customer does not see %(name)s any more.")),
        offered=lambda file: file.removed_at is None and file.visibility == "public",
    ),
    Deed(
        slug="fast-forward",
        title=_("Go straight to…"),
        icon="chevron-right",
        permission="orders.move_serviceorder",
        form=ask.FastForwardForm,
        act=_job(service_orders.fast_forward, "to", "note", "public", "expected_version"),
        offered=lambda job: _is_open(job) and SERVICE_ORDER_PATH.index(job.status) < len(SERVICE_ORDER_PATH) - 2,
        intro=_("Every step in between is walked and recorded as passed through; the customer gets one message."),
    ),
    Deed(
        slug="cancel",
        title=_("Cancel the job"),
        icon="ban",
        permission="orders.move_serviceorder",
        form=ask.CancelJobForm,
        act=_cancel_job,
        offered=lambda job: "cancelled" in SERVICE_ORDER_STEPS[job.status],
        intro=_("This is final. Parts that were ordered for it are not cancelled with it."),
        is_danger=True,
    ),
    Deed(
        slug="override",
        title=_("Override the status"),
        icon="shield-alert",
        permission="orders.override_serviceorder",
        form=ask.OverrideForm,
        act=_job(service_orders.override, "to", "reason", "reference", "expected_version"),
        intro=_("An override goes round the flow. The ledger marks it for ever, with your name, reason and reference."),
        is_danger=True,
    ),
)

# --- A parts order ---------------------------------------------------------------------------------------------------


def _ship(order: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    facts = {name: cleaned[name] for name in ("items", "carrier", "tracking_number", "walk")}
    shipped = lines.ship(order_id=order.pk, **facts, **told)
    return _g("Shipped: %(references)s.") % {"references": ", ".join(shipment.reference for shipment in shipped)}


def _may_leave(order: Any) -> bool:
    return order.status in LINE_OPEN and not order.on_hold and getattr(order, "holds_stock", True)


PARTS_ORDER_DEEDS = (
    Deed(
        slug="ship",
        title=_("Ship"),
        icon="truck",
        permission="orders.ship_orderline",
        form=ask.ShipForm,
        act=_ship,
        offered=_may_leave,
        is_main=True,
        intro=_("Enter how much of each line leaves now. What stays behind becomes a line of its own."),
    ),
    Deed(
        slug="hold",
        title=_("Hold"),
        icon="pause",
        permission="orders.hold_partsorder",
        form=ask.ReasonForm,
        act=_order(parts_orders.hold, "reason", says=_("Held: nothing of it is picked or shipped until it is let go.")),
        offered=lambda order: order.status in LINE_OPEN and not order.on_hold,
        is_main=True,
    ),
    Deed(
        slug="let-go",
        title=_("Let go"),
        icon="play",
        permission="orders.hold_partsorder",
        act=_order(parts_orders.let_go, says=_("It goes on.")),
        offered=lambda order: order.on_hold,
        is_main=True,
    ),
    Deed(
        slug="cancel",
        title=_("Cancel the order"),
        icon="ban",
        permission="orders.cancel_orderline",
        form=ask.ReasonForm,
        act=_order(
            parts_orders.cancel,
            *("reason", "expected_version"),
            says=_("Cancelled; what it held is free for others."),
        ),
        offered=lambda order: order.status in LINE_OPEN and "cancelled" in LINE_STEPS[order.status],
        is_main=True,
        intro=_("Everything that has not left is cancelled. What it held serves those who wait."),
        is_danger=True,
    ),
)

# --- A line ----------------------------------------------------------------------------------------------------------


def _waits(line: Any) -> bool:
    back_order = getattr(line, "back_order", None)
    return back_order is not None and back_order.status in BACK_ORDER_WAITING


def line_steps(line: Any, order: Any) -> list[str]:
    """Return the steps of a line that are buttons; shipping, returning and cancelling have forms of their own."""
    if line.is_split or order.on_hold:
        return []
    return [to for to in lines.allowed_by_hand(line.status) if to not in ("shipped", "returned", "cancelled")]


LINE_DEEDS = (
    Deed(
        slug="line-move",
        title=_("Move"),
        icon="arrow-right",
        permission="orders.move_orderline",
        about="line",
        form=ask.StepForm,
        act=_line(lines.move, "to", "expected_version"),
        is_hidden=True,
    ),
    Deed(
        slug="line-promise",
        title=_("Promise a date"),
        icon="calendar",
        permission="orders.promise_orderline",
        about="line",
        form=ask.PromiseForm,
        act=_line(lines.promise, "promised_on", "reason", "expected_version", says=_("Promised for %(promised_on)s.")),
        offered=lambda line: line.status not in LINE_CLOSED,
        intro=_("The first promise is kept for ever beside the present one."),
    ),
    Deed(
        slug="line-let-go",
        title=_("Let go"),
        icon="play",
        permission="orders.move_orderline",
        about="line",
        act=_line(lines.let_go, "expected_version", says=_("It goes on by itself again.")),
        offered=lambda line: line.kept_back and not line.is_split and line.status in LINE_HOLDS_STOCK,
    ),
    Deed(
        slug="line-supply",
        title=_("Note its supply"),
        icon="factory",
        permission="backorders.move_backorder",
        about="line",
        form=ask.SupplyForm,
        act=_back_order(moving.move, "to", "note", says=_("The supply is noted.")),
        offered=_waits,
    ),
    Deed(
        slug="line-hold",
        title=_("Pass it over"),
        icon="pause",
        permission="backorders.move_backorder",
        about="line",
        form=ask.ReasonForm,
        act=_back_order(moving.hold, "reason", says=_("It keeps its place and gets nothing until it is let go.")),
        offered=lambda line: _waits(line) and not line.back_order.on_hold,
    ),
    Deed(
        slug="line-serve",
        title=_("Let it take part again"),
        icon="play",
        permission="backorders.move_backorder",
        about="line",
        act=_back_order(moving.let_go, says=_("It takes part again; what is free is given out at once.")),
        offered=lambda line: _waits(line) and line.back_order.on_hold,
    ),
    Deed(
        slug="line-return",
        title=_("Book a return"),
        icon="undo-2",
        permission="orders.move_orderline",
        about="line",
        form=ask.ReturnForm,
        act=_line(lines.return_to_stock, "quantity", "unfit", "note"),
        offered=lambda line: "returned" in LINE_STEPS[line.status] and not line.is_split,
    ),
    Deed(
        slug="line-cancel",
        title=_("Cancel"),
        icon="ban",
        permission="orders.cancel_orderline",
        about="line",
        form=ask.CancelLineForm,
        act=_line(lines.cancel, "quantity", "reason", "expected_version"),
        offered=lambda line: "cancelled" in LINE_STEPS[line.status],
        intro=_("What it held serves those who wait; what it waited for, others get."),
        is_danger=True,
    ),
    Deed(
        slug="line-override",
        title=_("Override the status"),
        icon="shield-alert",
        permission="orders.override_orderline",
        about="line",
        form=ask.OverrideForm,
        act=_line(overriding.override, "to", "reason", "reference", "expected_version"),
        offered=lambda line: not line.is_split,
        intro=_("An override goes round the flow. Stock and queue follow, and the ledger marks it for ever."),
        is_danger=True,
    ),
)


def deed_named(slug: str, deeds: tuple[Deed, ...]) -> Deed | None:
    """Return the deed of that name, None where there is none."""
    return next((deed for deed in deeds if deed.slug == slug), None)


def key_in(text: str) -> UUID | None:
    """Return the key that a form names, None for nonsense."""
    try:
        return UUID(text)
    except ValueError:
        return None
