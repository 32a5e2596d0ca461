"""N3: the link, the API and the phone never disagree: for every status and language they read one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation

from orders import wording
from orders.actions.wording import write_rows
from orders.models import CustomerWord, OrderLine
from orders.statuses import LINE_CUSTOMER_WORDS, SERVICE_ORDER_CUSTOMER_WORDS, LineStatus, ServiceOrderStatus
from tests.api.world import token_for
from tests.orders.desk import statements
from tests.tracking.words import say
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db
LANGUAGES = [code for code, _name in settings.LANGUAGES]
OWN, CHANGED = "as the code says it", "as the parts manager changed it"


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    write_rows()  # a test that really commits was cleaned up after


@pytest.fixture(params=[OWN, CHANGED])
def words(request: pytest.FixtureRequest, _rows: None) -> None:
    """The table as it comes, and with every word changed."""
    if request.param == CHANGED:
        at = timezone.now()
        CustomerWord.objects.bulk_create(
            CustomerWord(
                subject=row.subject,
                status=row.status,
                language=row.language,
                word=f"{row.subject} {row.status} in {row.language} <&>",
                next_step=row.next_step,
                effective_from=at,
                why="a test says so",
                published_by="system:test",
                published_at=at,
            )
            for row in list(CustomerWord.objects.all())
        )


@pytest.fixture
def erp(partner: User) -> Client:
    """A partner's system that reads the portal API."""
    partner.is_staff = True  # sees all customers; what it reads is the same
    partner.save()
    return Client(headers={"Authorization": f"Bearer {token_for(partner, ['orders:read'])}"})


def force(row: Any, status: str) -> None:
    """Put a row into a status round all rules: what is compared here is how it reads."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        type(row).objects.filter(pk=row.pk).update(status=status)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def without_guard(statement: str) -> None:
    """Do to the table what nobody may."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_customerword DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE orders_customerword ENABLE TRIGGER USER")


def on_the_link(tracked: Tracked, language: str) -> str:
    """Return the word at the head of the link's page."""
    page = Client().get(tracked.address, {"language": language}).content.decode()
    found = re.search(r"<title>(.*?) · ", page)
    assert found
    assert f">{found[1]}</span>" in page, "the step, too"
    return unescape(found[1])


def of_the_lines(tracked: Tracked, language: str) -> str:
    """Return the word of the one line on the link's page."""
    page = Client().get(tracked.address, {"language": language}).content.decode()
    found = re.search(r'class="tracking-portions">.*?</svg>(.*?)</span>', page, re.DOTALL)
    assert found
    return unescape(found[1])


def in_a_template(subject: str, status: str, language: str) -> str:
    """Return the word as the pages of the house (the desk, the phone) ask for it."""
    with translation.override(language):
        asked = Template("{% load tracking %}{% customer_word subject status %}")
        return unescape(asked.render(Context({"subject": subject, "status": status})))


def asked(erp: Client, path: str, language: str) -> dict[str, Any]:
    """Return what the API answers in a language."""
    answer = erp.get(f"/api/v1/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    return answer.json()


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("status", [status for status in ServiceOrderStatus.values if status != "draft"])
def test_a_jobs_status_reads_the_same_on_every_face(erp: Client, status: str) -> None:
    tracked = Tracked()
    force(tracked.job, status)
    for language in LANGUAGES:
        word = wording.read(language).word("service_order", status)
        assert word
        assert on_the_link(tracked, language) == word
        assert asked(erp, f"service-orders/{tracked.job.pk}/", language)["customer_status"] == word
        [listed] = asked(erp, "service-orders/", language)["results"]
        assert listed["customer_status"] == word
        assert in_a_template("service_order", status, language) == word


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("status", LineStatus.values)
def test_a_lines_status_reads_the_same_on_every_face(erp: Client, status: str) -> None:
    tracked = Tracked()
    order = tracked.parts_order(in_stock=5)
    line = OrderLine.objects.get(order=order)
    force(line, status)
    force(order, status)
    for language in LANGUAGES:
        word = wording.read(language).word("line", status)
        assert word
        assert of_the_lines(tracked, language) == word
        assert on_the_link(tracked, language) == word
        document = asked(erp, f"parts-orders/{order.pk}/", language)
        assert (document["customer_status"], document["lines"][0]["customer_status"]) == (word, word)
        assert asked(erp, f"lines/{line.pk}/", language)["customer_status"] == word
        assert in_a_template("line", status, language) == word


def test_the_children_of_a_split_line_read_the_same_table(erp: Client) -> None:
    tracked = Tracked()
    tracked.to("in_progress")
    line = tracked.parts()
    say("line", "back_ordered", "de", "Unterwegs zu uns")
    document = asked(erp, f"lines/{line.pk}/", "de")
    assert [child["customer_status"] for child in document["children"]] == ["Unterwegs zu uns"]
    assert document["customer_status"] == of_the_lines(tracked, "de") == "Unterwegs zu uns"


def test_every_status_of_the_code_has_its_row_in_every_language() -> None:
    rows = set(CustomerWord.objects.values_list("subject", "status", "language"))
    wanted = {("service_order", status, code) for status in ServiceOrderStatus.values for code in LANGUAGES}
    assert rows == wanted | {("line", status, code) for status in LineStatus.values for code in LANGUAGES}
    assert set(SERVICE_ORDER_CUSTOMER_WORDS) == set(ServiceOrderStatus.values)
    assert set(LINE_CUSTOMER_WORDS) == set(LineStatus.values)
    for subject in wording.DEFAULTS:
        assert set(wording.own_next_steps(subject, "en")) == set(wording.own_words(subject, "en"))


def test_writing_the_rows_again_adds_nothing_and_keeps_what_people_wrote() -> None:
    say("line", "shipped", "en", "Rolling")
    assert write_rows() == 0
    without_guard("DELETE FROM orders_customerword WHERE status = 'packed'")
    assert write_rows() == len(LANGUAGES)
    assert wording.read("en").word("line", "shipped") == "Rolling"


def test_new_words_of_a_new_version_are_in_force_from_then_on_unless_people_wrote_others() -> None:
    say("line", "packed", "en", "In its box")
    before = timezone.now()
    without_guard("UPDATE orders_customerword SET word = 'As it was' WHERE why = 'shipped' AND language = 'en'")
    assert write_rows() == len(ServiceOrderStatus.values) + len(LineStatus.values) - 1
    assert wording.read("en", before).word("line", "shipped") == "As it was"
    assert wording.read("en").word("line", "shipped") == "On its way"
    assert wording.read("en").word("line", "packed") == "In its box"


def test_an_emptied_table_reads_as_the_code_says() -> None:
    without_guard("DELETE FROM orders_customerword")
    assert wording.read("en").word("line", "shipped") == "On its way"
    assert wording.read("en").word("line", "a status of tomorrow") == "a status of tomorrow"


def test_the_words_cost_the_api_no_statement(erp: Client) -> None:
    Tracked()
    erp.get("/api/v1/service-orders/")
    for path in ("service-orders/", "parts-orders/", "lines/"):
        with statements() as sent:
            erp.get(f"/api/v1/{path}")
        assert [one for one in sent.captured_queries if "orders_customerword" in one["sql"]] == [
            one for one in sent.captured_queries if '"orders_' in one["sql"]
        ], path


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translation.activate("en")
