"""The pages of what new weights would do."""

from __future__ import annotations

import pytest

from backorders.admin.effects import effect_page
from backorders.whatif import Effect


@pytest.mark.parametrize("page", ["", "0", "00", "-1", "1.5", "²", "nonsense", "9" * 5000])
def test_no_page_is_the_first(page: str) -> None:
    assert effect_page(Effect(shifts=(), moving=0, is_cut=False, fingerprint=""), page)["page"] == 1
