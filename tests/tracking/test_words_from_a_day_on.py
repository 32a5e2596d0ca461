"""Words for statuses: published from a moment on, never changed afterwards, complete, withdrawn, used again."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders import wording
from orders.actions import wording as deeds
from orders.actions.wording import AlreadyBegun, NothingNew, Words, write_rows
from orders.models import CustomerWord, CustomerWordDraft
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, VersionConflict
from tests.tracking.test_one_table import without_guard
from tests.tracking.words import say
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db
LATER = timedelta(days=3)


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    write_rows()  # a test that really commits was cleaned up after


def told(**more: Any) -> dict[str, Any]:
    return {"by": Actor.system("test"), "source": "test", "at": timezone.now(), **more}


def publish(word: str = "Rolling", language: str = "en", **more: Any) -> list[CustomerWord]:
    asked: dict[str, Any] = {
        "subject": "line",
        "status": "shipped",
        "words": {language: Words(word, "It rolls.")},
        "effective_from": None,
        "why": "Shorter.",
        **told(),
    }
    return deeds.publish(**asked | more)


def test_words_are_read_from_their_moment_on_and_what_was_before_stays_known() -> None:
    now = timezone.now()
    say("line", "shipped", "en", "Rolling", from_on=now + LATER)
    assert wording.read("en").word("line", "shipped") == "On its way"
    assert wording.read("en", now + LATER).word("line", "shipped") == "Rolling"
    assert wording.read("en", now + LATER - timedelta(seconds=1)).word("line", "shipped") == "On its way"
    assert wording.read("de", now + LATER).word("line", "shipped") != "Rolling"


def test_words_to_come_are_on_no_page_before() -> None:
    tracked = Tracked()
    say("service_order", "scheduled", "en", "A day is set", from_on=timezone.now() + LATER)
    assert "A day is set" not in tracked.page()
    say("service_order", "scheduled", "en", "Soon")
    assert "Soon" in tracked.page()


def test_a_moment_that_has_passed_is_refused_and_nothing_changes() -> None:
    with pytest.raises(Invalid) as refused:
        publish(effective_from=timezone.now() - timedelta(minutes=1))
    assert "effective_from" in refused.value.extra["fields"]
    assert not CustomerWord.objects.filter(word="Rolling").exists()


def test_the_same_words_are_no_news_and_two_cannot_begin_at_one_moment() -> None:
    moment = timezone.now() + LATER
    publish(effective_from=moment)
    with pytest.raises(NothingNew):
        publish(effective_from=moment)
    with pytest.raises(Invalid):
        publish("Running", effective_from=moment)
    assert CustomerWord.objects.filter(effective_from=moment).count() == 1


def test_the_database_refuses_two_that_begin_at_one_moment() -> None:
    [row] = publish(effective_from=timezone.now() + LATER)
    row.pk, row.word = wording.CustomerWord().pk, "Another"
    with pytest.raises(IntegrityError, match="customer_word_one_from_a_moment"), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders_customerword SET word = 'Mine'",
        "UPDATE orders_customerword SET effective_from = now()",
        "DELETE FROM orders_customerword",
    ],
)
def test_the_database_refuses_to_change_what_was_published(statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="customer_word_stays"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (Words("", "It rolls."), "word_en"),
        (Words("  ", "It rolls."), "word_en"),
        (Words("x" * 61, "It rolls."), "word_en"),
        (Words("Rolling", ""), "next_step_en"),
        (Words("Rolling", "x" * 201), "next_step_en"),
        (Words("Rol\x07ling", "It rolls."), "word_en"),
    ],
)
def test_words_that_cannot_be_read_are_refused_at_their_field(words: Words, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        publish(words={"en": words})
    assert list(refused.value.extra["fields"]) == [field]


def test_unknown_statuses_and_languages_and_a_missing_reason_are_refused() -> None:
    with pytest.raises(NotFound):
        publish(status="teleported")
    with pytest.raises(NotFound):
        publish(subject="part")
    with pytest.raises(Invalid):
        publish(language="tlh")
    with pytest.raises(Invalid):
        publish(why=" ")


def test_who_may_not_does_not() -> None:
    nobody = Actor(reference="user:0", permissions=frozenset({deeds.DRAFT}))
    with pytest.raises(Forbidden):
        publish(by=nobody)
    row = CustomerWord.objects.first()
    assert row
    with pytest.raises(Forbidden):
        deeds.use_again(word_id=row.pk, why="x", **told(by=nobody))
    with pytest.raises(Forbidden):
        deeds.withdraw(word_id=row.pk, **told(by=nobody))
    with pytest.raises(Forbidden):
        deeds.save_draft(
            subject="line",
            status="shipped",
            words={},
            effective_from=None,
            why="",
            seen=None,
            **told(by=Actor(reference="user:0", permissions=frozenset())),
        )


def test_words_to_come_are_withdrawn_and_others_may_take_their_moment() -> None:
    moment = timezone.now() + LATER
    [row] = publish(effective_from=moment)
    deeds.withdraw(word_id=row.pk, **told())
    assert deeds.withdraw(word_id=row.pk, **told()).withdrawn_at is not None, "again: nothing changes"
    assert wording.read("en", moment).word("line", "shipped") == "On its way"
    publish("Running", effective_from=moment)
    assert wording.read("en", moment).word("line", "shipped") == "Running"


def test_words_in_force_are_not_withdrawn_but_followed_by_older_ones() -> None:
    [row] = publish()
    with pytest.raises(AlreadyBegun):
        deeds.withdraw(word_id=row.pk, **told())
    first = CustomerWord.objects.get(subject="line", status="shipped", language="en", why="shipped")
    deeds.use_again(word_id=first.pk, why="Nobody understood it.", **told())
    assert wording.read("en").word("line", "shipped") == "On its way"
    with pytest.raises(NothingNew):
        deeds.use_again(word_id=first.pk, why="Again.", **told())


def test_a_draft_is_read_by_nobody_and_gone_when_published() -> None:
    draft = deeds.save_draft(
        subject="line",
        status="shipped",
        words={"en": Words("Rolling", "It rolls.")},
        effective_from=None,
        why="",
        seen=None,
        **told(),
    )
    assert wording.read("en").word("line", "shipped") == "On its way"
    with pytest.raises(VersionConflict):
        deeds.save_draft(
            subject="line",
            status="shipped",
            words={"en": Words("Mine", "It rolls.")},
            effective_from=None,
            why="",
            seen=None,
            **told(),
        )
    deeds.save_draft(
        subject="line",
        status="shipped",
        words={"en": Words("Running", "It rolls.")},
        effective_from=None,
        why="",
        seen=draft.written_at,
        **told(),
    )
    publish("Running")
    assert not CustomerWordDraft.objects.exists()


def test_the_check_finds_what_is_missing_now_and_later() -> None:
    said = StringIO()
    say("line", "shipped", "en", "Rolling", from_on=timezone.now() + LATER)
    call_command("check_words", stdout=said)
    assert "20 statuses in 3 languages, at 2 moments: complete." in said.getvalue()
    without_guard("DELETE FROM orders_customerword WHERE status = 'packed' AND language = 'de'")
    without_guard("UPDATE orders_customerword SET effective_from = now() + interval '1 day' WHERE status = 'draft'")
    with pytest.raises(CommandError, match="4 statuses"):
        call_command("check_words", stdout=said)
    assert "MISSING  line Packed in de" in said.getvalue()


def test_reading_costs_one_statement_however_much_was_published(django_assert_num_queries: Any) -> None:
    for number in range(5):
        publish(f"Rolling {number}")
    with django_assert_num_queries(1):
        wording.read("en")
