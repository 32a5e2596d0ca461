"""An order on its way through the form: what was typed, what was found for it, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from backorders.foreseeing import Foreseen
from config.desk import placing_form as typed
from config.desk.orders_deeds import told
from config.desk.placing_form import HeadForm, Row
from config.desk.placing_paste import too_many
from config.desk.placing_whom import Whom, open_jobs, whom_called, whom_chosen
from orders.actions.placing import MOST_LINES
from orders.models import ServiceOrder
from orders.visibility import Sight, sight_of
from parts.actors import Actor
from parts.errors import Refused
from parts.models import Warehouse

#: Where the form asks for what an action calls so; all else is said at the quantity.
_FIELDS = {"part": "part", "minimum_fill": "least", "requested_on": "needed_on"}


class Order:
    """An order on its way: what the form holds, what was found for it, and what is wrong with it."""

    def __init__(self, request: HttpRequest, data: QueryDict, *, bound: bool) -> None:
        self.request, self.data = request, data
        self.head = HeadForm(data) if bound else HeadForm(initial={"kind": data.get("kind", typed.AS_THE_JOB)})
        self.whom_text = data.get("whom", "").strip()
        self.whom: Whom | None = None
        self.whom_meant: list[Whom] = []
        self.whom_error = ""
        self.rows: list[Row] = typed.typed_rows(data)
        self.pasted = ""
        self.general: list[str] = []
        self.left_out: list[str] = []
        self.foreseen: Foreseen | None = None
        self.jobs: list[ServiceOrder] = []

    # --- Finding what is meant --------------------------------------------------------------------------------------

    def find_whom(self) -> None:
        """Find whom it is for: as chosen before, unless the text was changed since; then the job."""
        chosen = self.data.get("chosen", "")
        if chosen and self.whom_text == self.data.get("chosen_text", ""):
            self.whom = whom_chosen(chosen)
        if self.whom is None and self.whom_text:
            meant = whom_called(self.whom_text, self.request.user)
            self.whom = meant[0] if len(meant) == 1 else None
            self.whom_meant = meant if len(meant) > 1 else []
        if self.whom is not None:
            self.whom_text = self.whom.text
            self._find_job(self.whom)

    def _find_job(self, whom: Whom) -> None:
        """Take the job that was chosen for this very customer or machine; at first, the only one of the machine."""
        self.jobs = open_jobs(whom)
        if self.data.get("job") is not None and self.data.get("chosen") == whom.value:
            whom.job = next((job for job in self.jobs if str(job.pk) == self.data["job"]), None)
        elif whom.job is None and whom.equipment is not None and len(self.jobs) == 1:
            whom.job = self.jobs[0]

    @property
    def kind(self) -> str:
        """What kind of order it is."""
        is_down = self.whom is not None and self.whom.job is not None and self.whom.job.machine_down
        return typed.kind_of(self.data.get("kind", ""), machine_down=is_down)

    @property
    def sight(self) -> Sight:
        """What the person sees of stock while they serve this customer."""
        return sight_of(Actor.user(self.request.user), self.whom.customer.pk if self.whom else None)

    def look_up(self) -> None:
        """Find everything that is shown: whom, parts, stock."""
        self.find_whom()
        typed.resolve(self.rows)
        machine = (self.whom.equipment or (self.whom.job and self.whom.job.equipment)) if self.whom else None
        typed.look_up_stock(self.rows, self.sight, model=machine.model if machine else "")

    # --- Is it right? -----------------------------------------------------------------------------------------------

    def check(self) -> bool:
        """Say everything that is wrong, at the place where it is wrong; tell whether nothing is."""
        for_customer = typed.for_a_customer(self.kind)
        if for_customer and self.whom is None:
            self.whom_error = (
                _("Several go by this: choose one.")
                if self.whom_meant
                else _("Nobody and no open job goes by this.")
                if self.whom_text
                else _("Name a customer, a machine or a job.")
            )
        if not for_customer and not self.data.get("destination"):
            self.head.add_error("destination", _("Name the warehouse this is for."))
        filled = [row for row in self.rows if not row.is_empty]
        if not filled:
            self.general.append(_("Order at least one part."))
        if len(filled) > MOST_LINES:
            self.general.append(too_many())
        return self.head.is_valid() and not (self.whom_error or self.general or any(row.errors for row in filled))

    def facts(self, at: datetime) -> dict[str, Any]:
        """Return what the action is told."""
        head, for_customer = self.head.cleaned_data, typed.for_a_customer(self.kind)
        names = ("requested_on", "external_reference", "note", "complete_delivery_only", "is_test")
        whom = self.whom if for_customer else None
        destination: Warehouse | None = None if for_customer else head["destination"]
        return {
            "kind": self.kind,
            "lines": typed.wanted(self.rows),
            "customer_id": whom.customer.pk if whom else None,
            "service_order_id": whom.job.pk if whom and whom.job else None,
            "destination_id": destination.pk if destination else None,
            **{name: head[name] for name in names},
            **told(self.request.user, at),
        }

    def refuse(self, refusal: Refused) -> None:
        """Put what the action says where it belongs: at the line, at a field, or above all."""
        filled = [row for row in self.rows if not row.is_empty]
        fields = dict(refusal.extra.get("fields", {}))
        for path, said in fields.items():
            place_, _dot, name = path.partition(".")
            number, _dot, name = name.partition(".")
            if place_ == "lines" and number.isdecimal() and int(number) < len(filled):
                for text in said:
                    filled[int(number)].say(_FIELDS.get(name, "quantity"), text)
            elif path in self.head.fields:
                self.head.add_error(path, said)
            elif path in ("customer", "service_order"):
                self.whom_error = " ".join(said)
            else:
                self.general += said
        if not fields:
            self.general.append(refusal.detail)

    def faults(self) -> list[tuple[str, str, str]]:
        """Return everything that is wrong, in the order of the page: the field's id, its title, what is wrong."""
        found = [("whom", _("For"), self.whom_error)] if self.whom_error else []
        for bound in self.head:
            found += [(bound.id_for_label, str(bound.label), str(text)) for text in bound.errors]
        for row in self.rows:
            for name, said in row.errors.items():
                title = _("Line %(number)s") % {"number": row.number + 1}
                found += [(f"{name}-{row.number}", title, text) for text in said]
        return found
