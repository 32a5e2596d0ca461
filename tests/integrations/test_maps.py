"""What the documents say about the fields of a form is what the form reads by."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from django.conf import settings

from integrations.effects import EFFECTS
from integrations.facts import Fact
from integrations.formats import epcis_json, sap_delivery, sap_odata
from integrations.formats.edifact import fields as edifact
from integrations.formats.field_map import FieldMap
from integrations.formats.x12 import fields as x12

MAPS = {
    "sap-idoc": sap_delivery.MAP,
    "sap-odata": sap_odata.MAP,
    "epcis": epcis_json.MAP,
    "x12": x12.MAP,
    "edifact": edifact.MAP,
}


def test_every_kind_of_fact_has_its_effect() -> None:
    assert set(get_args(Fact)) == set(EFFECTS)


@pytest.mark.parametrize(("page", "fields"), MAPS.items(), ids=MAPS)
def test_the_page_of_a_form_shows_its_map(page: str, fields: FieldMap) -> None:
    text = (settings.BASE_DIR / "docs" / "integrations" / f"{page}.md").read_text()
    shown = re.search(r"<!-- map -->\n(.*?)\n<!-- /map -->", text, re.DOTALL)
    assert shown
    assert shown.group(1) == fields.as_table()
