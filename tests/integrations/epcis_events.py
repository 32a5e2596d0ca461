"""EPCIS 2.0 events and documents, for tests; nothing of them is anybody's data."""

from __future__ import annotations

import json
from typing import Any

LINE = "https://id.example.com/orders/P-000017/2"


def event(**more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventID": "ni:///sha-256;df7bb3c352fef055578554f09f5e2aa41782150ced7bd0b8af24dd3ccb30ba69?ver=CBV2.0",
        "eventTime": "2026-11-22T08:58:00.000+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/09506000134352/21/7Q"],
        "bizTransactionList": [
            {"type": "po", "bizTransaction": LINE},
            {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"},
        ],
        **more,
    }


def document(*events: dict[str, Any], query: bool = False) -> bytes:
    body: dict[str, Any] = {"eventList": list(events)}
    if query:
        body = {"queryResults": {"queryName": "all", "resultsBody": body}}
    return json.dumps(
        {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "EPCISQueryDocument" if query else "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-11-22T09:00:00Z",
            "epcisBody": body,
        },
        indent=1,
    ).encode()
