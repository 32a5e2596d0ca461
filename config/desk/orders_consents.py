"""Overrides on an order's page: asked for with what they rest on, and consented to, refused or taken back there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from config.desk import orders_forms as ask
from config.desk.orders_deeds import Act, Deed
from orders.actions import consents
from orders.asking import ask_for_override
from orders.models import OverrideRequest
from orders.statuses import LineStatus, ServiceOrderStatus


@dataclass(frozen=True)
class RequestShown:
    """An override that needs or needed consent, and what this person can do about it."""

    row: OverrideRequest
    from_word: Any
    to_word: Any
    is_overtaken: bool
    is_own: bool
    deeds: list[Deed]


def wishing(about: Literal["line", "service_order"]) -> Act:
    """Return what the deed of an override does: it is done, or it waits for the consent of another person."""

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
        return ask_for_override(about, subject, cleaned, told)[1]

    return act


def _consent(row: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    consents.consent(request_id=row.pk, **told)
    return _g("Consented: %(reference)s is overridden.") % {"reference": row.subject.reference}


def _refuse(row: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    consents.refuse(request_id=row.pk, reason=cleaned["reason"], **told)
    return _g("Refused; nothing was overridden.")


def _withdraw(row: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    consents.withdraw(request_id=row.pk, **told)
    return _g("Taken back; nothing was overridden.")


def _waits(row: OverrideRequest) -> bool:
    return row.status == "waiting"


def _can_be_done(row: OverrideRequest) -> bool:
    return _waits(row) and row.subject.status == row.from_status


REQUEST_DEEDS = (
    Deed(
        slug="consent",
        title=_("Consent"),
        icon="shield-check",
        permission="orders.consent_override",
        about="request",
        form=ask.ConsentForm,
        act=_consent,
        offered=_can_be_done,
        intro=_("It is done at once, in the name of who asked; the ledger has your consent beside it, for ever."),
        is_danger=True,
    ),
    Deed(
        slug="refuse-override",
        title=_("Refuse"),
        icon="ban",
        permission="orders.consent_override",
        about="request",
        form=ask.ReasonForm,
        act=_refuse,
        offered=_waits,
    ),
    Deed(
        slug="withdraw-override",
        title=_("Take it back"),
        icon="undo-2",
        permission="orders.view_serviceorder",  # the action asks whether it is one's own
        about="request",
        act=_withdraw,
        offered=_waits,
    ),
)


def shown(rows: Sequence[OverrideRequest], *, user_id: int | None, offered: Any) -> list[RequestShown]:
    """Return requests as a page shows them; `offered(deeds, row)` are those that the person may do on a row."""
    words = {**dict(ServiceOrderStatus.choices), **dict(LineStatus.choices)}
    found = []
    for row in rows:
        is_own = row.requested_by_id == user_id
        found.append(
            RequestShown(
                row=row,
                from_word=words.get(row.from_status, row.from_status),
                to_word=words.get(row.to_status, row.to_status),
                is_overtaken=_waits(row) and not _can_be_done(row),
                is_own=is_own,
                deeds=[deed for deed in offered(REQUEST_DEEDS, row) if (deed.slug == "withdraw-override") == is_own],
            )
        )
    return found
