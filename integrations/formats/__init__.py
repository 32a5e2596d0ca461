"""The forms in which messages come. Each is a module that reads bytes into facts, and knows nothing of our rows."""

from __future__ import annotations

from integrations.formats import (
    edifact,
    epcis_json,
    plain_csv,
    sap_idoc_flat,
    sap_idoc_xml,
    sap_odata,
    status_json,
    x12,
)
from integrations.formats.form import Form, Speech

#: Every form by its code, as interfaces name it.
FORMS: dict[str, Form] = {
    form.code: form
    for form in (
        status_json.FORM,
        sap_idoc_xml.FORM,
        sap_idoc_flat.FORM,
        sap_odata.FORM,
        epcis_json.FORM,
        plain_csv.FORM,
        x12.FROM_SUPPLIERS,
        x12.FROM_WAREHOUSES,
        edifact.FROM_SUPPLIERS,
        edifact.FROM_WAREHOUSES,
    )
}

__all__ = ["FORMS", "Form", "Speech"]
