"""How a notice is put into words when it goes out: in its reader's language and zone, by the wording of its rule.

What it says is where the order stands at that moment; what happened since is listed under it. The words for a status
are those of `orders.wording` for customers, and the house's own for people of the house.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.template.defaultfilters import urlize
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from backorders.statuses import LABELS as BACK_ORDER_LABELS
from notifications import digest_letters, letters, links, news, rendering, shipped, standing
from notifications.digest_letters import Digest
from notifications.models import Address, MaintenanceWindow, Message, Notice, Template, TemplateVersion, WordProposal
from notifications.planning import DIGEST
from notifications.readers import zone_of
from notifications.standing import Item, Standing
from notifications.statuses import Channel, WhenStale
from orders import event_words, wording
from orders.statuses import LineStatus, ServiceOrderStatus, SubjectKind
from orders.wording import LINE, SERVICE_ORDER, Wording
from parts.labels import names_of
from parts.sentences import Says

logger = logging.getLogger(__name__)

#: What is said of an order by a purpose that has no shipped words; by whether it is for customers.
_NEWS_OF = {True: "customer_news", False: "staff_news"}
#: Over these a reader gets the short wording.
SHORT = (Channel.SMS.value, Channel.CHAT.value, Channel.PUSH.value)
_FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Composed:
    """A notice in words."""

    notice: Notice
    messages: Sequence[Message]
    address: str
    language: str
    version: TemplateVersion
    subject: str
    text: str
    html: str
    link: str
    stop_link: str


class Words(Protocol):
    """The words of a wording, wherever they are kept."""

    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def sms(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SaidSo:
    """A wording put into words, for one way out: the short one has no HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Stale:
    """A notice whose news are no longer of use."""

    notice: Notice
    messages: Sequence[Message]
    why: Says


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for a batch."""

    standings: Mapping[UUID, Standing]
    items: Mapping[UUID, Item]
    versions: Mapping[tuple[UUID, str], TemplateVersion]
    links: Mapping[tuple[UUID, UUID], links.Links]
    wordings: Mapping[str, Wording]
    names: Mapping[str, str]


def compose(notices: Sequence[Notice], addresses: Mapping[UUID, str], at: datetime) -> list[Composed | Stale]:
    """Put notices into words, each for its reader; `addresses` tells where each notice goes.

    The notices come with their recipient, its customer and its user. A fixed number of statements, and one for each
    language; a reader's first link to an order takes some more.
    """
    messages = standing.messages_of([notice.pk for notice in notices])
    every = [message for of_notice in messages.values() for message in of_notice]
    standings = standing.read(notices)
    about, wordings = letters.subjects_of(notices), letters.templates_of(notices)
    read = Read(
        standings=standings,
        items=standing.items_of(every),
        versions=standing.published(
            {message.rule.template_id for message in every} | {template.pk for template in wordings.values()}
        ),
        links=links.of_notices(notices, standings, at),
        wordings=_wordings({language_of(notice) for notice in notices}, at),
        names=names_of(message.event.actor for message in every),
    )
    digests = digest_letters.read(notices, at)
    found: list[Composed | Stale] = []
    for notice in notices:
        of_notice = messages.get(notice.pk, [])
        if notice.thread_kind == digest_letters.STUCK:
            digest, goes_to = digests.get(notice.thread_id), addresses.get(notice.pk, "")
            found.append(_digest(notice, digest, goes_to, wordings[notice.thread_kind], read, at))
            continue
        if template := wordings.get(notice.thread_kind):
            found.append(_letter(notice, about.get(notice.thread_id), addresses.get(notice.pk, ""), template, read, at))
            continue
        still = [message for message in of_notice if not (message.alert and message.alert.resolved_at)]
        if not of_notice or (notice.thread_kind != DIGEST and notice.thread_id not in standings):
            found.append(Stale(notice, of_notice, _("There is nothing to say.")))
        elif not still:
            found.append(Stale(notice, of_notice, _("What it warned of is over.")))
        elif _is_old_news(still, read, notice.held_by):
            found.append(Stale(notice, of_notice, _("It is back where its reader last knew it.")))
        else:
            found.append(replace(_composed(notice, still, addresses.get(notice.pk, ""), read), messages=of_notice))
    return found


def read_for(notice: Notice, messages: Sequence[Message], own: links.Links, language: str) -> Read:
    """Read what one notice asks for that is tried, not sent: with links that are given, and no wording."""
    return Read(
        standings=standing.read([notice]),
        items=standing.items_of(messages),
        versions={},
        links={(notice.recipient_id, notice.thread_id): own},
        wordings=_wordings({language}),
        names=names_of(message.event.actor for message in messages),
    )


def sketch(drafts: Sequence[tuple[Notice, Sequence[Message]]]) -> list[Composed | None]:
    """Put notices into words that nobody wrote, as their orders stand now; None where there is no such order any more.

    The links of customers look like links and lead nowhere.
    """
    notices = [notice for notice, _messages in drafts]
    every = [message for _notice, messages in drafts for message in messages]
    standings = standing.read(notices)
    read = Read(
        standings=standings,
        items=standing.items_of(every),
        versions=standing.published({message.rule.template_id for message in every}),
        links=links.examples(notices, standings),
        wordings=_wordings({language_of(notice) for notice in notices}),
        names=names_of(message.event.actor for message in every),
    )
    return [
        _composed(notice, messages, "", read)
        if notice.thread_kind == DIGEST or notice.thread_id in read.standings
        else None
        for notice, messages in drafts
    ]


def language_of(notice: Notice) -> str:
    """Return the language of a notice's reader: their own, their customer's, English; one that we speak."""
    reader = notice.recipient
    spoken = dict(settings.LANGUAGES)
    for name in (reader.language, reader.customer.language if reader.customer else ""):
        if name in spoken:
            return name
        if (short := name.partition("-")[0].lower()) in spoken:
            return short
    return _FALLBACK


def _wordings(languages: set[str], at: datetime | None = None) -> dict[str, Wording]:
    """Return the words for statuses that are in force then (default: now). One statement for each language."""
    return {language: wording.read(language, at) for language in sorted(languages)}


def _is_old_news(messages: Sequence[Message], read: Read, held_by: MaintenanceWindow | None) -> bool:
    """Tell whether all news are of statuses that were left again, so that all stands where it stood before them.

    What is then said or not is for the rule to say; for a window that held it where it says so, but for what cannot be
    muted.
    """
    of_window = held_by.when_stale if held_by else ""
    first: dict[UUID, str] = {}
    for message in messages:
        event = message.event
        if (
            message.alert_id
            or (message.rule.when_stale if message.rule.cannot_be_muted else of_window or message.rule.when_stale)
            != WhenStale.DROP
            or not event.to_status
            or not event.from_status
        ):
            return False
        first.setdefault(event.subject_id, event.from_status)
    now = {key: one.status for key, one in read.standings.items()}
    now.update({key: item.status for key, item in read.items.items()})
    return all(now.get(key) == status for key, status in first.items())


def _composed(notice: Notice, messages: Sequence[Message], address: str, read: Read) -> Composed:
    reader = notice.recipient
    language = language_of(notice)
    zone = zone_of(reader.time_zone or (reader.customer.time_zone if reader.customer else "UTC"))
    leading = max(messages, key=lambda message: (message.rule.importance, message.event.occurred_at))
    version = _version(leading.rule.template_id, language, read)
    is_short = notice.channel in SHORT
    with translation.override(version.language), timezone.override(zone):
        values = values_of(notice, messages, leading, version.language, read)
        if notice.channel == Channel.PUSH:
            said = on_a_lock_screen(values, leading)
        else:
            said = said_or_shipped(version, leading.rule.template, values, is_short=is_short)
    return Composed(
        notice=notice,
        messages=messages,
        address=address,
        language=version.language,
        version=version,
        subject=said.subject,
        text=said.text,
        html=said.html,
        link=values["links"]["order"],
        stop_link=values["links"]["stop"],
    )


def on_a_lock_screen(values: Mapping[str, Any], leading: Message) -> SaidSo:
    """Put into words what anybody may read who sees the phone lie there: which order, and where it stands."""
    order = values["order"]
    warned = str(leading.alert.rule.get_trigger_display()) if leading.alert else ""
    said = ". ".join(one for one in (warned, order["status"]) if one)
    return SaidSo(order["reference"] or settings.HOUSE_NAME, said or _("There is news."), "")


def _letter(
    notice: Notice, about: Address | WordProposal | None, otherwise: str, template: Template, read: Read, at: datetime
) -> Composed | Stale:
    """Return a notice about an address in words, or that it has nothing to say any more."""
    goes_to = letters.goes_to(notice, about, otherwise, at)
    if goes_to is None:
        return Stale(notice, [], _("There is nothing to say."))
    version = _version(template.pk, language_of(notice), read)
    with translation.override(version.language):
        values = letters.values(notice, about)
        said = said_or_shipped(version, template, values, is_short=notice.channel in SHORT)
        if notice.channel == Channel.PUSH:  # without the address that it is about
            said = SaidSo(settings.HOUSE_NAME, said.subject, "")
    link = values["links"]["confirm"]
    return Composed(notice, [], goes_to, version.language, version, said.subject, said.text, said.html, link, "")


def _digest(
    notice: Notice, digest: Digest | None, address: str, template: Template, read: Read, at: datetime
) -> Composed | Stale:
    """Return a digest in words, or that it has nothing to say any more."""
    if digest is None or digest.silent_because:
        return Stale(notice, [], digest.silent_because if digest else _("There is nothing to say."))
    one = digest.subscription
    version = _version(template.pk, digest_letters.language_of(one, language_of(notice)), read)
    with translation.override(version.language), timezone.override(digest_letters.zone_of_digest(one)):
        values = digest_letters.values(digest, links.feedback_of(notice), at)
        said = said_or_shipped(version, template, values, is_short=notice.channel in SHORT)
    return Composed(
        notice=notice,
        messages=[],
        address=address,
        language=version.language,
        version=version,
        subject=said.subject,
        text=said.text,
        html=said.html,
        link=values["links"]["order"],
        stop_link=values["links"]["stop"],
    )


def _version(template: UUID, language: str, read: Read) -> TemplateVersion:
    """Return the wording in a language, or in English where it was never written in that one."""
    return read.versions.get((template, language)) or read.versions[template, _FALLBACK]


def said_or_shipped(
    version: TemplateVersion, template: Template, values: Mapping[str, Any], *, is_short: bool
) -> SaidSo:
    """Put a wording into words; where it cannot be, the shipped words of its purpose, so that one wording that nobody
    can read holds up neither its notices nor those that go out with them."""
    try:
        return put(version, values, is_short=is_short)
    except rendering.CANNOT_BE_SAID as error:
        logger.error(
            "a wording could not be put into words: %s",
            error,
            extra={"wording": template.code, "language": version.language, "version": version.number},
        )
    code = template.code if shipped.has_words(template.code) else _NEWS_OF[template.for_customers]
    language = version.language if version.language in shipped.LANGUAGES else _FALLBACK
    return put(shipped.words_of(code, language), values, is_short=is_short)


def put(words: Words, values: Mapping[str, Any], *, is_short: bool) -> SaidSo:
    """Put a wording into words. Raises one of rendering.CANNOT_BE_SAID."""
    subject = rendering.one_line(rendering.render(words.subject, values))[:250]
    if is_short:
        return SaidSo(subject, rendering.render(words.sms, values).strip(), "")
    text = rendering.render(words.text, values)
    return SaidSo(subject, text, _html(subject, text, words, values))


def _html(subject: str, text: str, words: Words, values: Mapping[str, Any]) -> str:
    """Return the HTML of a notice: the wording's own, or its plain text with its links made into links."""
    own = rendering.render(words.html, values, is_html=True) if words.html else ""
    body = own or urlize(text)
    context = {**values, "subject": subject, "body": body, "is_text": not own, "language": get_language()}
    return render_to_string("notifications/email.html", context)


def values_of(
    notice: Notice, messages: Sequence[Message], leading: Message, language: str, read: Read
) -> dict[str, Any]:
    """Return what a wording may name (`rendering.FIELDS`, `rendering.LISTS`), in the language that is spoken now."""
    is_customer = notice.recipient.customer_id is not None
    words = read.wordings.get(language) or wording.read(language)
    stands = read.standings.get(notice.thread_id)
    own = read.links.get((notice.recipient_id, notice.thread_id)) or links.NONE
    told = messages if notice.thread_kind == DIGEST else news.still_true(messages, read.items)
    listed = told[-standing.MOST_NEWS :]
    return {
        "reader": {"name": notice.recipient.name},
        "order": _order(stands, words, is_customer),
        "parts": {"waiting": stands.waiting if stands else 0, "lines": stands.lines if stands else 0},
        "news": [_news(message, read, words, is_customer) for message in listed],
        "more": len(told) - len(listed),
        "count": len(told),
        "links": {
            "order": own.order,
            "stop": own.stop,
            # A draft has none: there is no such notice to speak of.
            "feedback": own.feedback or ("" if notice._state.adding else links.feedback_of(notice)),
            "confirm": "",
        },
        "house": {"name": settings.HOUSE_NAME},
        "why": _(leading.rule.name),
        "is_customer": is_customer,
    }


def _order(stands: Standing | None, words: Wording, is_customer: bool) -> dict[str, Any]:
    if stands is None:
        return dict.fromkeys(rendering.FIELDS["order"], "") | {"is_late": False, "days_late": 0}
    subject = SERVICE_ORDER if stands.kind == SERVICE_ORDER else LINE
    days_late = max((timezone.localdate() - stands.day).days, 0) if stands.day else 0
    return {
        "reference": stands.reference,
        "title": stands.title,
        "status": words.word(subject, stands.status) if is_customer else str(_label(subject, stands.status)),
        "next_step": words.next_step(subject, stands.status) if is_customer else "",
        "day": _day(stands.day) if stands.day else "",
        "day_kind": _day_kind(stands.day_kind),
        "is_late": bool(days_late),
        "days_late": days_late,
        "theirs": stands.theirs,
        "machine": stands.machine,
    }


def _label(subject: str, status: str) -> Says:
    labels = dict(ServiceOrderStatus.choices if subject == SERVICE_ORDER else LineStatus.choices)
    return labels.get(status, status)


def _day_kind(kind: str) -> str:
    said = {"planned": pgettext("day", "Planned"), "promised": pgettext("day", "Promised"), "estimated": _("Estimated")}
    return said.get(kind, "")


def _day(value: date) -> str:
    return date_format(value, "DATE_FORMAT")


def _moment(value: datetime) -> str:
    return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")


def _news(message: Message, read: Read, words: Wording, is_customer: bool) -> dict[str, str]:
    """Return one piece of news in words; a customer reads nothing that is for staff only."""
    event = message.event
    item = read.items.get(event.subject_id)
    note = event.text.text if hasattr(event, "text") and (not is_customer or event.visibility == "public") else ""
    stands = read.standings.get(message.event.subject_id)
    return {
        "what": str(message.alert.rule.get_trigger_display()) if message.alert else _what(message, words, is_customer),
        "at": _moment(message.alert.due_at if message.alert else event.occurred_at),
        "about": (item.description or item.number) if item else "",
        "note": "" if message.alert else note,
        "by": "" if is_customer or message.alert else read.names.get(event.actor, ""),
        "order": stands.reference if stands else event.reference,
        "link": "",
    }


def _what(message: Message, words: Wording, is_customer: bool) -> str:
    """Return what happened, by its kind."""
    event = message.event
    if day := _named_day(event.data):
        title = (
            pgettext("day", "Promised") if event.kind == "line.promise_changed" else event_words.title_of(event.kind)
        )
        return f"{title}: {_day(day)}"
    if event.kind == "back_order.opened":
        return words.word(LINE, "back_ordered") if is_customer else event_words.title_of(event.kind)
    if event.subject_kind == SubjectKind.BACK_ORDER and event.to_status == "allocated":
        return _("It has come in and is reserved for you") if is_customer else _("It has come in")
    if event.subject_kind == SubjectKind.BACK_ORDER and event.to_status and is_customer:
        return words.word(LINE, "back_ordered")
    if event.subject_kind == SubjectKind.BACK_ORDER and event.to_status:
        return f"{_('Back order')}: {BACK_ORDER_LABELS.get(event.to_status, event.to_status)}"
    if event.to_status and event.subject_kind in (SERVICE_ORDER, LINE, SubjectKind.PARTS_ORDER):
        subject = SERVICE_ORDER if event.subject_kind == SERVICE_ORDER else LINE
        said = words.word(subject, event.to_status)
        return said if is_customer else str(_label(subject, event.to_status))
    return event_words.title_of(event.kind)


def _named_day(data: Mapping[str, Any]) -> date | None:
    """Return the day that an event named anew, if it did."""
    for change in (data, data.get("scheduled_for"), data.get("estimated_completion_at")):
        named = change.get("to") if isinstance(change, dict) else None
        if isinstance(named, str):
            try:
                return datetime.fromisoformat(named).date()
            except ValueError:
                return None
    return None
