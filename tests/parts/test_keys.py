"""Keys sort by time, also those that are made again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from parts.keys import key_at, new_key

SPACE = UUID("018f0000-0000-7000-8000-000000000000")
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_new_keys_only_grow():
    keys = [new_key() for _ in range(1000)]
    assert keys == sorted(keys)
    assert len(set(keys)) == 1000


def test_a_name_has_one_key_at_a_moment():
    key = key_at(NOW, SPACE, "order/1")
    assert key == key_at(NOW, SPACE, "order/1")
    assert key != key_at(NOW, SPACE, "order/2")
    assert (key.version, key.variant) == (7, "specified in RFC 4122")


def test_keys_of_later_moments_come_later():
    names = [f"order/{number}" for number in range(50)]
    keys = [key_at(NOW + timedelta(milliseconds=step), SPACE, name) for step, name in enumerate(names)]
    assert keys == sorted(keys)


def test_a_moment_before_the_epoch_is_refused():
    with pytest.raises(ValueError, match="1970"):
        key_at(datetime(1969, 12, 31, tzinfo=UTC), SPACE, "order/1")
