"""One signed anchor a day, each naming the one before."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import override_settings

from orders.actions.anchoring import anchor_day, as_text
from orders.models import LedgerAnchor
from orders.verifier import anchor_digest, check_anchors
from parts.errors import Forbidden, Invalid, Refused
from tests.ledger.horizon import all_is_over
from tests.ledger.tampering import NOW, a_life, codes, tomorrow
from tests.orders.desk import NOBODY, OURSELVES, Desk

OTHER_KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
OTHER_PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_day_is_anchored_once(committed_desk: Desk) -> None:
    a_life(committed_desk)
    again = anchor_day(by=OURSELVES, at=NOW)
    assert not again.made
    assert LedgerAnchor.objects.get().day == date(2026, 3, 2)
    assert again.anchor.events > again.anchor.subjects > 0


def test_an_anchor_names_the_one_before_and_both_fit_their_heads(committed_desk: Desk) -> None:
    a_life(committed_desk)
    all_is_over()
    anchor_day(by=OURSELVES, at=tomorrow())
    first, second = LedgerAnchor.objects.order_by("day")
    assert bytes(second.previous_digest).hex() == anchor_digest(as_text(first))
    assert second.events > first.events
    assert codes() == set()


def test_an_anchor_that_was_left_out_is_missed(committed_desk: Desk) -> None:
    for days in (1, 2, 3):
        anchor_day(by=OURSELVES, at=tomorrow(days))
    anchors = [as_text(anchor) for anchor in LedgerAnchor.objects.order_by("day")]
    assert list(check_anchors(anchors, ())) == []
    assert [finding.code for finding in check_anchors([anchors[0], anchors[2]], ())] == ["anchor_chain"]
    assert [finding.code for finding in check_anchors(anchors[1:], ())] == ["anchor_chain"]


def test_a_day_that_is_not_over_is_not_anchored(db: None) -> None:
    with pytest.raises(Invalid, match="not over"):
        anchor_day(by=OURSELVES, at=NOW, day=NOW.date())


def test_a_day_before_an_anchored_one_is_not_anchored_any_more(committed_desk: Desk) -> None:
    anchor_day(by=OURSELVES, at=NOW)
    with pytest.raises(Refused, match="2026-03-02 is anchored already"):
        anchor_day(by=OURSELVES, at=NOW, day=date(2026, 3, 1))


def test_anchoring_needs_its_permission(db: None) -> None:
    with pytest.raises(Forbidden):
        anchor_day(by=NOBODY, at=NOW)


def test_after_a_change_of_keys_old_anchors_are_good_as_long_as_their_key_is_named(committed_desk: Desk) -> None:
    with override_settings(LEDGER_SIGNING_KEY=OTHER_KEY):
        anchor_day(by=OURSELVES, at=NOW)
    anchor_day(by=OURSELVES, at=tomorrow())
    assert codes() == {"anchor_key_unknown"}
    with override_settings(LEDGER_FORMER_KEYS=[OTHER_PUBLIC_KEY]):
        assert codes() == set()
