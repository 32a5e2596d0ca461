"""What a deed is: a button or a form on an order's page that calls one action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _g

from config.desk import orders_forms as ask
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
    A form that is `is_on_page` has no panel: it always stands on the page, and says there what is wrong with it.
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
    is_on_page: bool = False

    @property
    def is_button(self) -> bool:
        """Whether it is done at once, without a form of its own."""
        return self.form is ask.NothingAsked or self.form is ask.StepForm


def told(user: Any, at: Any) -> dict[str, Any]:
    """Return what every action is told besides its business: who, from where, when."""
    return {"by": Actor.user(user), "source": "desk", "at": at}


def stands(moved: Any, subject: Any) -> str:
    words = dict(subject._meta.get_field("status").flatchoices)
    says = _g("%(reference)s is %(status)s now.")
    return says % {"reference": moved.reference, "status": words.get(moved.status, moved.status)}


def does(
    verb: Callable[..., Any], key: str, *names: str, says: Any = "", gone_to: Callable[[Any], Any] = lambda s: s.pk
) -> Act:
    """Return what a deed does that tells a verb these names of what was asked; without `says`, where it stands then."""

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
        done = verb(**{key: gone_to(subject)}, **{name: cleaned[name] for name in names}, **told)
        return str(says) % _readable(cleaned) if says else stands(done, subject)

    return act


def _readable(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked, days as the reader writes them."""
    return {
        name: date_format(value, "SHORT_DATE_FORMAT") if type(value) is date else value
        for name, value in cleaned.items()
    }


def deed_named(slug: str, deeds: tuple[Deed, ...]) -> Deed | None:
    """Return the deed of that name, None where there is none."""
    return next((deed for deed in deeds if deed.slug == slug), None)


def key_in(text: str) -> UUID | None:
    """Return the key that a form names, None for nonsense."""
    try:
        return UUID(text)
    except ValueError:
        return None
