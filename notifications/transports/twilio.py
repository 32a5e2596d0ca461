"""SMS by Twilio itself: unlike apprise's service for it, this keeps Twilio's number of each message and asks to be told
what became of it.

A refusal names its reason by a number: 21635 is a landline (https://www.twilio.com/docs/api/errors/21635); 21211 and
21614, as Twilio's clients list them, are no number and no mobile number. Nothing will ever arrive there. Other refusals
(400) are of this one message; anything else is trouble of Twilio's or of our account, and may pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from django.conf import settings
from django.urls import reverse

from notifications.links import site
from notifications.transports.apprised import ANSWER_SECONDS, CONNECT_SECONDS
from notifications.transports.ways import HandedOver, Outgoing, Rejected, Unreachable

API = "https://api.twilio.com"
_URL = re.compile(r"^twilio://[^/@]+@\+?[0-9]+/\{address\}(\?.*)?$")
_NO_MOBILE = (21211, 21614, 21635)
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Account:
    """Who sends: the account, how it proves itself, and from which number."""

    sid: str
    user: str
    password: str
    number: str


def account_of(url: str) -> Account | None:
    """Return the account that a URL of apprise names, such as `twilio://SID:TOKEN@FROM/{address}`.

    None for any other, and for what Twilio sends otherwise than as an SMS.
    """
    if not _URL.match(url):
        return None
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    sid, token = unquote(parts.username or ""), unquote(parts.password or "")
    if not sid or not token or asked.keys() - {"apikey"}:
        return None
    return Account(sid, asked.get("apikey", [sid])[0], token, f"+{(parts.hostname or '').lstrip('+')}")


class Twilio:
    """Twilio's API for messages (https://www.twilio.com/docs/messaging/api/message-resource)."""

    is_local = False

    def __init__(self, account: Account) -> None:
        self._account, self._session = account, requests.Session()

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Hand one over; Twilio's number of it is what reports of it name."""
        account = self._account
        given = {"To": outgoing.address, "From": account.number, "Body": outgoing.text}
        if settings.SMS_WEBHOOK_TOKEN:
            given["StatusCallback"] = site(reverse("messages:sms-status-hook"))
        try:
            answer = self._session.post(
                f"{API}/2010-04-01/Accounts/{account.sid}/Messages.json",
                data=given,
                auth=(account.user, account.password),
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(type(error).__name__) from error
        said = _said(answer)
        if answer.status_code in (requests.codes.ok, requests.codes.created):
            return HandedOver(provider_id=str(said.get("sid", "")))
        code = said.get("code")
        why = f"Twilio {answer.status_code}, {code}: {said.get('message', '')}"
        if answer.status_code == _REFUSED:
            raise Rejected(why, is_address_dead=code in _NO_MOBILE)
        raise Unreachable(why)

    def close(self) -> None:
        """End the connection."""
        self._session.close()


def _said(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
