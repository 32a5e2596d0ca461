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
from django.utils import translation

from orders import wording
from orders.actions.wording import write_rows
from orders.models import CustomerWord, OrderLine
from orders.statuses import LINE_CUSTOMER_WORDS, SERVICE_ORDER_CUSTOMER_WORDS, LineStatus, ServiceOrderStatus
from tests.admin.desk import desk_of, text
from tests.api.world import token_for
from tests.orders.desk import statements
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
        for row in CustomerWord.objects.all():
            row.word = f"{row.subject} {row.status} in {row.language} <&>"
            row.save()


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
    CustomerWord.objects.filter(subject="line", status="back_ordered", language="de").update(word="Unterwegs zu uns")
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
    CustomerWord.objects.filter(subject="line", status="shipped", language="en").update(word="Rolling")
    assert write_rows() == 0
    CustomerWord.objects.filter(status="packed").delete()
    assert write_rows() == len(LANGUAGES)
    assert wording.read("en").word("line", "shipped") == "Rolling"


def test_an_emptied_table_reads_as_the_code_says() -> None:
    CustomerWord.objects.all().delete()
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


def test_the_parts_manager_changes_a_word_in_the_back_office_and_the_old_one_is_kept(manager: User) -> None:
    row = CustomerWord.objects.get(subject="service_order", status="new", language="en")
    desk = desk_of(manager)
    address = f"/admin/orders/customerword/{row.pk}/change/"
    assert "Waiting for a technician" in text(desk.get(address))
    desk.post(address, {"word": "In the queue", "next_step": "", "change_reason": "Shorter"})
    assert in_a_template("service_order", "new", "en") == "In the queue"
    kept = row.history.latest()
    assert (kept.word, kept.history_user, kept.history_change_reason) == ("In the queue", manager, "Shorter")
    assert "In the queue" in text(desk.get("/admin/orders/customerword/"))


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translation.activate("en")


def test_who_may_not_change_words_does_not(dispatcher: User, auditor: User) -> None:
    row = CustomerWord.objects.get(subject="service_order", status="new", language="en")
    for person in (dispatcher, auditor):
        desk_of(person).post(f"/admin/orders/customerword/{row.pk}/change/", {"word": "Mine", "next_step": ""})
    assert CustomerWord.objects.get(pk=row.pk).word == ""
