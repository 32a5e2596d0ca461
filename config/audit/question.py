"""What the address of a history page asks: read, and said in words, for the page and for an export of the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.audit.forms import HistoryForm, kinds
from orders.statuses import SubjectKind
from parts.labels import names_of
from reports.audit.searching import Asked, people_named, subjects_named

#: How references to those who act begin.
ACTORS = ("user:", "system:", "client:", "link:")


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody a name may mean."""

    reference: str
    name: str
    username: str


@dataclass
class Question:
    """A question to the history. `asked` is None where it cannot be asked; `trouble` says why, in words."""

    form: HistoryForm
    asked: Asked | None = None
    people: list[Called] = field(default_factory=list)
    trouble: str = ""
    words: list[tuple[str, str]] = field(default_factory=list)

    @property
    def query(self) -> str:
        """The question as the query of an address, without what is empty and without the place on the pages."""
        data = self.form.data
        return urlencode([(name, data[name]) for name in self.form.fields if data.get(name)])


def read(query: QueryDict, reader: User | AnonymousUser) -> Question:
    """Read the question of an address. At most nine statements."""
    question = Question(HistoryForm(query))
    if not question.form.is_valid():
        question.trouble = _("Mend what is marked, then search again.")
        return question
    said = question.form.cleaned_data
    subjects = subjects_named(said["order"], reader) if said["order"] else None
    if subjects == ():
        question.trouble = _("There is no order, job, line, shipment or case “%(text)s”.") % {"text": said["order"]}
        return question
    actor = _actor(question, said["person"])
    if question.trouble:
        return question
    question.asked = Asked(
        subjects=subjects,
        actor=actor,
        source=said["source"].strip(),
        kind=said["kind"],
        subject_kind=said["about"],
        since=said["since"],
        until=said["until"],
        overrides=said["overrides"],
    )
    question.words = _words(said, actor)
    return question


def _actor(question: Question, text: str) -> str:
    """Return the reference of who is meant; where that is not one, say so."""
    text = text.strip()
    if not text or text.startswith(ACTORS):
        return text
    people = people_named(text)
    if len(people) == 1:
        return f"user:{people[0].pk}"
    question.people = [
        Called(f"user:{person.pk}", person.get_full_name() or person.username, person.username) for person in people
    ]
    if people:
        question.trouble = _("Several people are called so. Whom do you mean?")
    else:
        question.trouble = _("There is nobody called “%(text)s”.") % {"text": text}
    return ""


def _words(said: dict[str, Any], actor: str) -> list[tuple[str, str]]:
    def moment(value: Any) -> str:
        local = timezone.localtime(value)
        return f"{date_format(local, 'SHORT_DATETIME_FORMAT')} {local.tzname() or ''}"

    return [
        (title, text)
        for title, text in (
            (_("Order"), said["order"]),
            (_("Person or system"), names_of([actor])[actor] if actor else ""),
            (_("Source"), said["source"]),
            (_("What"), dict(kinds()).get(said["kind"], "")),
            (_("About"), str(SubjectKind(said["about"]).label) if said["about"] else ""),
            (_("Recorded from"), moment(said["since"]) if said["since"] else ""),
            (_("Recorded before"), moment(said["until"]) if said["until"] else ""),
            (_("Only"), _("Overrides") if said["overrides"] else ""),
        )
        if text
    ]
