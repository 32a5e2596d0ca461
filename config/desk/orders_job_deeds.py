"""What can be done with a job, its files and its equipment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from config.desk import orders_forms as ask
from config.desk.orders_consents import wishing
from config.desk.orders_deeds import Act, Deed, does, stands
from orders.actions import attachments, jobs, service_orders
from orders.files import FileRefused
from orders.statuses import SERVICE_ORDER_CLOSED, SERVICE_ORDER_PATH, SERVICE_ORDER_STEPS


def _job(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return does(verb, "service_order_id", *names, says=says)


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
    return stands(service_orders.move(service_order_id=job.pk, to="cancelled", **facts, **told), job)


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
        is_on_page=True,
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
        act=wishing("service_order"),
        intro=_("An override goes round the flow. The ledger marks it for ever, with your name, reason and reference."),
        is_danger=True,
    ),
)
