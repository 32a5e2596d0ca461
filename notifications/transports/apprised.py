"""SMS and chat by one of apprise's services: its URL is a setting, with {address} where the reader's own part goes.

Services say nothing by which they could name a message later. One that is told our own key of it, {notice} in the URL,
may name that when it reports what became of it.
"""

from __future__ import annotations

from urllib.parse import quote

import apprise

from notifications.transports.ways import HandedOver, Outgoing, Rejected, Unreachable

#: How long a service may take to be reached and to answer. One that answers too late may have taken it.
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0


class Apprised:
    """A service by its URL, such as `twilio://SID:TOKEN@FROM/{address}`."""

    is_local = False

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Hand one over. apprise says only that it failed, not why; so it is tried again."""
        key = str(outgoing.notice_id)
        url = self._url.replace("{address}", quote(outgoing.address, safe="")).replace("{notice}", key)
        service = apprise.Apprise.instantiate(url)
        if service is None:
            raise Rejected("No service understands the URL in the settings with this address.")
        service.socket_connect_timeout, service.socket_read_timeout = CONNECT_SECONDS, ANSWER_SECONDS
        said = bool(service.notify(body=outgoing.text, title="", body_format=apprise.NotifyFormat.TEXT))
        if not said:
            raise Unreachable(f"{service.service_name} did not take it.")
        return HandedOver(provider_id=key if "{notice}" in self._url else "")

    def close(self) -> None:
        """Hold nothing."""
