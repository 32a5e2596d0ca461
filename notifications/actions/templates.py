"""Wordings: written as a draft, checked, published with who and why, rolled back.

A wording in one language has at most one draft. What was published stays as it is (the database refuses to change it);
the newest published version is the one in use.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from notifications import rendering
from notifications.faults import Fault
from notifications.html_rules import faults_of_html
from notifications.models import Template, TemplateVersion
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.sentences import sentence

EDIT, PUBLISH = "notifications.change_templateversion", "notifications.publish_templateversion"
LONGEST_SUBJECT, LONGEST_WHY = 400, 300


@dataclass(frozen=True, slots=True)
class Words:
    """What a version of a wording says. Without HTML, the plain text is shown."""

    subject: str
    text: str
    sms: str
    html: str = ""

    @classmethod
    def of(cls, version: TemplateVersion) -> Words:
        """Return what a version says."""
        return cls(subject=version.subject, text=version.text, sms=version.sms, html=version.html)


class NothingToPublish(Refused):
    """There is no draft, or it says what is in use already."""

    code = "nothing_to_publish"


def faults_of(words: Words) -> dict[str, list[Fault]]:
    """Return what is wrong with a wording, by field; nothing where it may be kept."""
    found = {field.name: rendering.faults_of(getattr(words, field.name)) for field in fields(words)}
    if not found["html"]:
        found["html"] = faults_of_html(words.html)
    for name in ("subject", "text", "sms"):
        if not getattr(words, name).strip():
            found[name] = [Fault(1, sentence("This is missing."))]
    if len(words.subject) > LONGEST_SUBJECT:
        found["subject"] = [Fault(1, sentence("At most {most} characters.", most=LONGEST_SUBJECT))]
    return {name: faults for name, faults in found.items() if faults}


def save_draft(
    *, template_id: UUID, language: str, words: Words, seen: datetime | None, by: Actor, source: str, at: datetime
) -> TemplateVersion:
    """Keep words as the draft of a wording in a language, and return it.

    `seen` is when the draft was written that the writer began with; None: there was none. Raises Forbidden, NotFound,
    Invalid (`fields` names the faults with their lines), VersionConflict where somebody else wrote meanwhile.
    """
    by.require(EDIT)
    _require_language(language)
    _require_right(words)
    with transaction.atomic():
        template = _locked(template_id)
        draft = _draft_of(template, language)
        if (draft.written_at if draft else None) != seen:
            raise VersionConflict(sentence("Somebody else has written here since. Compare it with yours."))
        if draft is None:
            draft = TemplateVersion(template=template, language=language, number=_next_number(template, language))
        _say(draft, words, by, at)
        draft.save()
    return draft


def discard_draft(*, template_id: UUID, language: str, by: Actor, source: str, at: datetime) -> bool:
    """Throw the draft of a wording away; return whether there was one. Raises Forbidden, NotFound."""
    by.require(EDIT)
    with transaction.atomic():
        draft = _draft_of(_locked(template_id), language)
        if draft is not None:
            draft.delete()
    return draft is not None


def publish(*, template_id: UUID, language: str, why: str, by: Actor, source: str, at: datetime) -> TemplateVersion:
    """Put the draft of a wording into use, and return it.

    Raises Forbidden, NotFound, Invalid (no reason, or its words are no longer right), NothingToPublish.
    """
    by.require(PUBLISH)
    why = _required(why)
    with transaction.atomic():
        template = _locked(template_id)
        draft = _draft_of(template, language)
        if draft is None:
            raise NothingToPublish(sentence("There is no draft."))
        words = Words.of(draft)
        _require_right(words)
        in_use = in_use_of(template, language)
        if in_use is not None and Words.of(in_use) == words:
            raise NothingToPublish(sentence("It says the same as what is in use."))
        if in_use is not None and draft.number < in_use.number:  # an older one was rolled back to meanwhile
            draft.number = _next_number(template, language)
        draft.published_by_id, draft.published_at, draft.why = by.user_id, at, why
        draft.save()
    return draft


def roll_back(*, version_id: UUID, why: str, by: Actor, source: str, at: datetime) -> TemplateVersion:
    """Publish the words of an older version as a new one, and return that. A draft stays as it is.

    Raises Forbidden, NotFound, Invalid (no reason, or its words are no longer right), NothingToPublish where it is in
    use already or was never published.
    """
    by.require(PUBLISH)
    why = _required(why)
    with transaction.atomic():
        old = TemplateVersion.objects.filter(pk=version_id).first()
        if old is None:
            raise NotFound(sentence("There is no such version."))
        template = _locked(old.template_id)
        in_use = in_use_of(template, old.language)
        if old.published_at is None or in_use is None or Words.of(in_use) == Words.of(old):
            raise NothingToPublish(sentence("It says the same as what is in use."))
        _require_right(Words.of(old))
        new = TemplateVersion(
            template=template,
            language=old.language,
            number=_next_number(template, old.language),
            published_by_id=by.user_id,
            published_at=at,
            why=why,
        )
        _say(new, Words.of(old), by, at)
        new.save(force_insert=True)
    return new


def in_use_of(template: Template, language: str) -> TemplateVersion | None:
    """Return the version of a wording that is used in a language; None where it was never written in it."""
    published = TemplateVersion.objects.filter(template=template, language=language, published_at__isnull=False)
    return published.order_by("-number").first()


def _locked(template_id: UUID) -> Template:
    """Lock a wording, so that its versions are numbered one after the other."""
    template = Template.objects.select_for_update(of=("self",)).filter(pk=template_id).first()
    if template is None:
        raise NotFound(sentence("There is no such wording."))
    return template


def _draft_of(template: Template, language: str) -> TemplateVersion | None:
    return TemplateVersion.objects.filter(template=template, language=language, published_at=None).first()


def _next_number(template: Template, language: str) -> int:
    versions = TemplateVersion.objects.filter(template=template, language=language)
    return (versions.aggregate(last=Max("number"))["last"] or 0) + 1


def _say(version: TemplateVersion, words: Words, by: Actor, at: datetime) -> None:
    version.subject, version.text, version.html, version.sms = words.subject, words.text, words.html, words.sms
    version.written_by_id, version.written_at = by.user_id, at


def _require_language(language: str) -> None:
    if language not in dict(settings.LANGUAGES):
        raise Invalid(sentence("There is no such language."), {"language": [sentence("There is no such language.")]})


def _require_right(words: Words) -> None:
    if faults := faults_of(words):
        raise Invalid(
            sentence("This wording cannot be kept yet."),
            {
                name: [sentence("Line {line}: {what}", line=fault.line, what=fault.what) for fault in of_field]
                for name, of_field in faults.items()
            },
        )


def _required(why: str) -> str:
    if not why.strip():
        raise Invalid(sentence("Say why."), {"why": [sentence("Say why.")]})
    return why.strip()[:LONGEST_WHY]
