"""Which way out a channel takes in this installation."""

from __future__ import annotations

from django.conf import settings

from notifications.statuses import Channel
from notifications.transports.apprised import Apprised
from notifications.transports.email import Email
from notifications.transports.house import House
from notifications.transports.push import Push
from notifications.transports.twilio import Twilio, account_of
from notifications.transports.ways import Transport


def named(channel: str) -> str:
    """Return by whose hands a channel leaves the house, without any secret; empty where it stays."""
    if channel == Channel.INBOX or not settings.MESSAGES_LEAVE:
        return ""
    if channel == Channel.EMAIL:
        return str(settings.EMAIL_PROVIDER or settings.EMAIL_HOST or settings.EMAIL_BACKEND.split(".")[-2])
    if channel == Channel.PUSH:
        return "Web Push" if settings.VAPID_PRIVATE_KEY else ""
    url: str = settings.MESSAGES_SMS_URL if channel == Channel.SMS else settings.MESSAGES_CHAT_URL
    return url.partition("://")[0]


def transport_of(channel: str) -> Transport:
    """Return the way that a channel takes: out of the house only where the settings say that messages leave.

    A channel without a provider stays in the house too.
    """
    if channel == Channel.INBOX or not settings.MESSAGES_LEAVE:
        return House()
    if channel == Channel.EMAIL:
        return Email()
    if channel == Channel.PUSH:
        return Push() if settings.VAPID_PRIVATE_KEY else House()
    if channel == Channel.SMS and (account := account_of(settings.MESSAGES_SMS_URL)):
        return Twilio(account)
    urls = {Channel.SMS.value: settings.MESSAGES_SMS_URL, Channel.CHAT.value: settings.MESSAGES_CHAT_URL}
    return Apprised(urls[channel]) if urls.get(channel) else House()
