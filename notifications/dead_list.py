"""The messages that could not be told: page by page, the costliest silence first, and each with all that is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet

from notifications import composing, standing
from notifications.composing import Composed
from notifications.models import Attempt, DeadLetter, Message, Notice
from notifications.standing import Standing
from notifications.statuses import DeadCause, DeadState
from parts.labels import names_of
from parts.models import Region

PAGE = 30
#: More than this are not counted for a number beside a title.
MOST_COUNTED = 99
#: More than this of one letter's news are counted, not put into words.
MOST_NEWS = 50
_LONGEST_RANK = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter as it is listed: where its order stands, how often it was tried, when its reader last heard of it."""

    letter: DeadLetter
    standing: Standing | None
    tries: int
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, and where the next one begins (empty: this was the last)."""

    rows: Sequence[Shown]
    after: str


@dataclass(frozen=True, slots=True)
class Group:
    """How many letters have a cause, and how many of them are about a machine that is down."""

    cause: str
    label: str
    count: int
    down: int


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is known of a letter."""

    letter: DeadLetter
    standing: Standing | None
    messages: Sequence[Message]
    would_say: Composed | None
    attempts: Sequence[Attempt]
    names: Mapping[str, str]


def open_letters(*, cause: str = "", region: str = "", down: bool = False) -> QuerySet[DeadLetter]:
    """Return what is to be seen to, the costliest silence first."""
    found = DeadLetter.objects.filter(state=DeadState.OPEN).order_by("rank")
    if cause:
        found = found.filter(cause=cause)
    if region:
        found = found.filter(region=Region.objects.filter(code=region).values("pk")[:1])
    if down:
        found = found.filter(machine_down=True)
    return found


def page_of(found: QuerySet[DeadLetter], after: str = "", most: int = PAGE) -> Page:
    """Return a page behind the place that `after` tells; one that means nothing is behind all. Six statements."""
    if after and len(after) <= _LONGEST_RANK and after.isascii() and after.isprintable():
        found = found.filter(rank__gt=after)
    letters = list(_with_all(found)[: most + 1])
    last = letters[most - 1].rank if len(letters) > most else ""
    return Page(shown(letters[:most]), last)


def settled_lately(most: int = PAGE) -> list[DeadLetter]:
    """Return what was seen to, the latest first."""
    found = DeadLetter.objects.exclude(state=DeadState.OPEN).order_by("-settled_at", "-id")
    return list(_with_all(found).select_related("goes_as")[:most])


def _with_all(found: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    return found.select_related("recipient__customer", "recipient__user", "customer", "region")


def shown(letters: Sequence[DeadLetter]) -> list[Shown]:
    """Return letters with what is known of their orders and readers. Five statements at most."""
    jobs, parts_orders = _threads(letters, standing.JOB), _threads(letters, standing.PARTS_ORDER)
    standings = standing.of_threads(jobs, parts_orders) if letters else {}
    tries = _tries(letters)
    heard = _heard(letters)
    return [
        Shown(
            letter,
            standings.get(letter.thread_id),
            tries.get(letter.pk, 0),
            heard.get((letter.recipient_id, letter.thread_id)),
        )
        for letter in letters
    ]


def _threads(letters: Sequence[DeadLetter], kind: str) -> set[UUID]:
    return {letter.thread_id for letter in letters if letter.thread_kind == kind}


def _tries(letters: Sequence[DeadLetter]) -> dict[UUID, int]:
    rows = Attempt.objects.filter(notice__dead_letter__in=[letter.pk for letter in letters]).order_by()
    return dict(rows.values_list("notice__dead_letter").annotate(Count("id")))


def _heard(letters: Sequence[DeadLetter]) -> dict[tuple[UUID, UUID], datetime]:
    """Return when readers last got anything of these orders."""
    wanted = {(letter.recipient_id, letter.thread_id) for letter in letters}
    rows = (
        Notice.objects.filter(thread_id__in={thread for _reader, thread in wanted}, handed_over_at__isnull=False)
        .filter(recipient__in={reader for reader, _thread in wanted})
        .order_by()
        .values_list("recipient", "thread_id")
        .annotate(Max("handed_over_at"))
    )
    found: defaultdict[tuple[UUID, UUID], datetime] = defaultdict()
    found.update({(reader, thread): at for reader, thread, at in rows if (reader, thread) in wanted})
    return found


def groups() -> list[Group]:
    """Return how many there are of each cause, the most pressing first. One statement."""
    rows = (
        DeadLetter.objects.filter(state=DeadState.OPEN)
        .order_by()
        .values_list("cause")
        .annotate(number=Count("id"), down=Count("id", filter=Q(machine_down=True)))
    )
    labels = dict(DeadCause.choices)
    found = [Group(cause, str(labels[cause]), count, down) for cause, count, down in rows]
    return sorted(found, key=lambda group: (-group.down, -group.count, group.cause))


def count_open() -> int:
    """Return how many there are, counted no further than it is shown. One statement."""
    return DeadLetter.objects.filter(state=DeadState.OPEN).order_by()[: MOST_COUNTED + 1].count()


def whole(key: UUID) -> Whole | None:
    """Return a letter with what would be said of it now; None where there is none. A dozen statements at most."""
    letter = _with_all(DeadLetter.objects.filter(pk=key)).select_related("goes_as").first()
    if letter is None:
        return None
    messages = list(
        Message.objects.filter(dead_letter=letter)
        .select_related("event__text", "rule__template", "alert__rule")
        .order_by("event__occurred_at", "event__version", "id")[:MOST_NEWS]
    )
    (one,) = shown([letter])
    return Whole(
        letter=letter,
        standing=one.standing,
        messages=messages,
        would_say=_would_say(letter, messages),
        attempts=list(
            Attempt.objects.filter(notice__dead_letter=letter)
            .select_related("notice")
            .order_by("started_at", "number", "id")[:MOST_NEWS]
        ),
        names=names_of({letter.settled_by, *(message.event.actor for message in messages)} - {""}),
    )


def _would_say(letter: DeadLetter, messages: Sequence[Message]) -> Composed | None:
    """Return the words of a letter as its order stands now, without links; None where there is nothing to say."""
    if not messages or letter.state != DeadState.OPEN:
        return None
    draft = Notice(
        recipient=letter.recipient,
        channel=letter.channel,
        thread_kind=letter.thread_kind,
        thread_id=letter.thread_id,
        reference=letter.reference,
    )
    (said,) = composing.sketch([(draft, messages)])
    return said


def sample(found: QuerySet[DeadLetter], most: int = 5) -> list[DeadLetter]:
    """Return the first of some letters, with what names them. One statement."""
    return list(_with_all(found)[:most])


def name_of(letter: DeadLetter) -> str:
    """Return what a letter's reader is called."""
    reader = letter.recipient
    if reader.name:
        return reader.name
    person: User | None = reader.user
    if person is not None:
        return person.get_full_name() or person.get_username()
    return reader.customer.name if reader.customer else ""
