"""Proposals for the words of statuses: made from an order, counted, accepted as a draft or declined, and answered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notifications import proposals
from notifications.actions import proposals as deeds
from notifications.actions.proposals import AlreadyAnswered, Proposed, TooManyProposals
from notifications.models import Notice, RootCause, WordProposal
from orders import wording
from orders.actions.wording import Words, write_rows
from orders.models import CustomerWordDraft, ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from tests.messages.told import deliver
from tests.orders.desk import Desk, statements

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    write_rows()


@pytest.fixture
def job(desk: Desk) -> ServiceOrder:
    return desk.job("awaiting_parts")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def told(person: User) -> dict[str, Any]:
    return {"by": Actor.user(person), "source": "test", "at": timezone.now()}


def cause(name: str = "The word is unclear") -> RootCause:
    return RootCause.objects.get(name=name)


def propose(person: User, job: ServiceOrder, *, key: str = "form", **changes: Any) -> WordProposal:
    asked: dict[str, Any] = {
        "said": "We wait for the customer.",
        "cause_id": cause().pk,
        "language": "en",
        "word": "Waiting for you",
    }
    return deeds.propose(
        kind="service_order",
        order_id=job.pk,
        status=changes.pop("status", job.status),
        proposed=Proposed(**asked | changes),
        form_key=key,
        **told(person),
    )


def sent(client: Client, job: ServiceOrder, **changes: str) -> Any:
    """Send the form of the page as it comes, with what is said."""
    here = f"/messages/proposals/service-orders/{job.pk}/"
    fields = dict(re.findall(r'name="(status|key)" value="([^"]+)"', client.get(here).content.decode()))
    said = {"said": "We wait for the customer.", "cause": str(cause().pk), "language": "en", "word": "Waiting for you"}
    return client.post(here, fields | said | changes)


def test_the_orders_page_leads_to_the_form_which_shows_what_the_customer_reads(
    job: ServiceOrder, dispatcher: User
) -> None:
    client = signed_in(dispatcher)
    page = client.get(f"/desk/orders/{job.reference}/").content.decode()
    assert f"/messages/proposals/service-orders/{job.pk}/" in page
    assert "Waiting for parts" in client.get(f"/messages/proposals/service-orders/{job.pk}/").content.decode()


def test_somebody_says_that_a_status_does_not_fit(job: ServiceOrder, technician: User) -> None:
    answer = sent(signed_in(technician), job)
    assert answer.status_code == 302
    row = WordProposal.objects.get()
    assert (row.subject, row.status, row.order.pk) == ("service_order", "awaiting_parts", job.pk)
    assert (row.word, row.cause, row.proposed_by, row.state) == ("Waiting for you", cause(), technician, "open")


def test_the_same_form_twice_is_one_proposal(job: ServiceOrder, dispatcher: User, technician: User) -> None:
    first = propose(dispatcher, job)
    assert propose(dispatcher, job).pk == first.pk
    with pytest.raises(NotFound):
        propose(technician, job)
    assert WordProposal.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"said": " "}, "This field is required."),
        ({"cause": ""}, "This field is required."),
        ({"cause": "0191d2f0-0000-7000-8000-000000000000"}, "Select a valid choice."),
        ({"language": "tlh"}, "Select a valid choice."),
        ({"word": "x" * 61}, "at most 60 characters"),
        ({"status": "teleported"}, "There is no such status."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    job: ServiceOrder, dispatcher: User, wrong: dict[str, str], said: str
) -> None:
    answer = sent(signed_in(dispatcher), job, next_step="Please call us.", **wrong)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "Please call us." in answer.content.decode()
    assert not WordProposal.objects.exists()


def test_a_cause_that_is_no_longer_offered_is_refused(job: ServiceOrder, dispatcher: User) -> None:
    RootCause.objects.update(is_active=False)
    with pytest.raises(Invalid):
        propose(dispatcher, job)


def test_nobody_proposes_without_end(job: ServiceOrder, dispatcher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeds, "MOST_A_DAY", 2)
    propose(dispatcher, job, key="1")
    propose(dispatcher, job, key="2")
    with pytest.raises(TooManyProposals):
        propose(dispatcher, job, key="3")


def test_who_may_not_proposes_and_answers_nothing(
    job: ServiceOrder, dispatcher: User, auditor: User, partner: User
) -> None:
    for person in (auditor, partner):
        with pytest.raises(Forbidden):
            propose(person, job)
    row = propose(dispatcher, job)
    with pytest.raises(Forbidden):
        deeds.accept(proposal_id=row.pk, words=Words("Mine", "Mine."), effective_from=None, **told(dispatcher))
    with pytest.raises(Forbidden):
        deeds.decline(proposal_id=row.pk, answer="No.", **told(dispatcher))
    assert (
        signed_in(auditor).post(f"/messages/proposals/{row.pk}/", {"deed": "decline", "answer": "No"}).status_code
        == 403
    )
    assert signed_in(dispatcher).get(f"/messages/proposals/{row.pk}/").status_code == 403
    row.refresh_from_db()
    assert row.state == "open"


def test_an_accepted_proposal_is_the_draft_of_its_status_and_its_author_hears(
    job: ServiceOrder, technician: User, manager: User
) -> None:
    row = propose(technician, job, language="de", word="Wartet auf Sie")
    client = signed_in(manager)
    answer = client.post(
        f"/messages/proposals/{row.pk}/",
        {"deed": "accept", "word": "Wartet auf Sie", "next_step": "Rufen Sie uns an.", "effective_from": ""},
    )
    assert answer.headers["Location"] == "/messages/words/service_order-awaiting_parts/"
    draft = CustomerWordDraft.objects.get()
    assert draft.words["de"] == {"word": "Wartet auf Sie", "next_step": "Rufen Sie uns an."}
    assert draft.words["en"]["word"] == "Waiting for parts"
    assert draft.why == "We wait for the customer."
    assert wording.read("de").word("service_order", "awaiting_parts") == "Wartet auf Teile", "nobody reads a draft"
    deliver("inbox")
    [notice] = Notice.objects.filter(recipient__user=technician, thread_kind="word_proposal")
    assert "Accepted" in notice.text
    assert "Awaiting Parts" in notice.text
    assert notice.subject in signed_in(technician).get("/messages/").content.decode()


def test_a_second_proposal_joins_the_draft_and_keeps_its_other_languages(
    job: ServiceOrder, technician: User, manager: User
) -> None:
    for key, language, word in (("1", "de", "Wartet auf Sie"), ("2", "es", "A la espera de usted")):
        row = propose(technician, job, key=key, language=language, word=word)
        deeds.accept(proposal_id=row.pk, words=Words(word, "…"), effective_from=None, **told(manager))
    words = CustomerWordDraft.objects.get().words
    assert (words["de"]["word"], words["es"]["word"]) == ("Wartet auf Sie", "A la espera de usted")


def test_a_declined_proposal_says_why(job: ServiceOrder, technician: User, manager: User) -> None:
    row = propose(technician, job)
    client = signed_in(manager)
    refused = client.post(f"/messages/proposals/{row.pk}/", {"deed": "decline", "answer": " "})
    assert refused.status_code == 400
    assert (
        client.post(f"/messages/proposals/{row.pk}/", {"deed": "decline", "answer": "It is right."}).status_code == 302
    )
    deliver("inbox")
    [notice] = Notice.objects.filter(recipient__user=technician, thread_kind="word_proposal")
    assert "Declined: It is right." in notice.text
    assert not CustomerWordDraft.objects.exists()


def test_an_answer_is_given_once(job: ServiceOrder, technician: User, manager: User) -> None:
    row = propose(technician, job)
    accepted: dict[str, Any] = {"proposal_id": row.pk, "words": Words("Mine", "Mine."), "effective_from": None}
    deeds.accept(**accepted, **told(manager))
    written = CustomerWordDraft.objects.get().written_at
    deeds.accept(**accepted, **told(manager))
    assert CustomerWordDraft.objects.get().written_at == written, "a repeat changes nothing"
    with pytest.raises(AlreadyAnswered):
        deeds.decline(proposal_id=row.pk, answer="No.", **told(manager))
    assert Notice.objects.filter(thread_kind="word_proposal").count() == 1


def test_words_that_cannot_be_are_refused_and_the_proposal_stays_open(
    job: ServiceOrder, technician: User, manager: User
) -> None:
    row = propose(technician, job)
    client = signed_in(manager)
    answer = client.post(f"/messages/proposals/{row.pk}/", {"deed": "accept", "word": "Rol\x07ling", "next_step": "x"})
    assert answer.status_code == 400
    assert "Write it in plain text." in answer.content.decode()
    row.refresh_from_db()
    assert row.state == "open"
    assert not CustomerWordDraft.objects.exists()


def test_the_report_says_which_statuses_are_complained_of_most_and_why(
    job: ServiceOrder, desk: Desk, technician: User, manager: User
) -> None:
    other = desk.job("scheduled")
    propose(technician, job, key="1")
    propose(technician, job, key="2", cause_id=cause("A status is missing").pk)
    row = propose(technician, job, key="3")
    propose(technician, other, key="4")
    deeds.decline(proposal_id=row.pk, answer="No.", **told(manager))
    first, second = proposals.by_status(timezone.now())
    assert (first.status, first.total, first.open) == ("awaiting_parts", 3, 2)
    assert first.by_cause == [("The word is unclear", 2), ("A status is missing", 1)]
    assert (second.status, second.total) == ("scheduled", 1)
    assert proposals.by_cause([first, second]) == [("The word is unclear", 3), ("A status is missing", 1)]
    page = signed_in(manager).get("/messages/proposals/").content.decode()
    assert "The word is unclear (2)" in page
    assert page.count("We wait for the customer.") == 3, "those that wait"
    narrowed = signed_in(manager).get("/messages/proposals/?state=all&status=service_order-scheduled").content.decode()
    assert narrowed.count("We wait for the customer.") == 1
    assert signed_in(manager).get("/messages/proposals/?before=nonsense&state=x").status_code == 200


def test_the_page_asks_as_much_of_many_as_of_few(job: ServiceOrder, technician: User, manager: User) -> None:
    client = signed_in(manager)
    propose(technician, job, key="0")
    client.get("/messages/proposals/")
    with statements() as few:
        client.get("/messages/proposals/")
    for number in range(1, 12):
        propose(technician, job, key=str(number))
    with statements() as many:
        client.get("/messages/proposals/")
    assert len(many) == len(few)


def test_an_order_that_one_does_not_see_is_not_there(dispatcher: User) -> None:
    client = signed_in(dispatcher)
    nowhere = "0191d2f0-0000-7000-8000-000000000000"
    assert client.get(f"/messages/proposals/service-orders/{nowhere}/").status_code == 404
    assert client.get(f"/messages/proposals/parts-orders/{nowhere}/").status_code == 404
