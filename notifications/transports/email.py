"""Email by whatever backend Django is set up with (EMAIL_URL; django-anymail's providers by their settings)."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from email.utils import parseaddr

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from notifications.mail_reports import means_no_mailbox
from notifications.transports.ways import HandedOver, Outgoing, Rejected, Unreachable

#: The answers by which a mail server says that there is no such mailbox (RFC 5321, section 4.2.3).
_NO_SUCH_MAILBOX = (550, 551, 553)
#: Answers of a provider's API that say nothing of the mail: our account is wrong, or it is too much at once.
_OURS_OR_LATER = (401, 402, 403, 408, 425, 429)


class Email:
    """A connection to the mail server, kept from one notice to the next."""

    is_local = False

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Hand one over. Its Message-ID is that of the notice: where it arrives twice, a mailbox can tell."""
        message_id = f"<{outgoing.notice_id}@{_domain()}>"
        # A mail server sends back what does not arrive to where the envelope says; a provider tells us by itself.
        return_path = "" if settings.EMAIL_PROVIDER else outgoing.return_path
        named = {"From": settings.DEFAULT_FROM_EMAIL} if return_path else {}
        mail = EmailMultiAlternatives(
            subject=outgoing.subject,
            body=outgoing.text,
            from_email=return_path or settings.DEFAULT_FROM_EMAIL,
            to=[outgoing.address],
            reply_to=[outgoing.reply_to] if outgoing.reply_to else None,
            headers={**named, "Message-ID": message_id, "Auto-Submitted": "auto-generated", **outgoing.headers},
        )
        if outgoing.html:
            mail.attach_alternative(outgoing.html, "text/html")
        try:
            if self._connection is None:
                self._connection = get_connection(fail_silently=False)
                self._connection.open()
            mail.connection = self._connection
            mail.send()
        except (smtplib.SMTPException, OSError, AnymailError, ImproperlyConfigured, ValueError) as error:
            self.close()
            raise _told(error) from error
        status = getattr(mail, "anymail_status", None)
        return HandedOver(provider_id=str(getattr(status, "message_id", None) or message_id))

    def close(self) -> None:
        """End the connection; the next one to be sent opens another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except (smtplib.SMTPException, OSError):
                return  # it is gone, which is what was wanted


def _told(error: Exception) -> Unreachable | Rejected:
    """Return what an error of a backend means for whoever sends."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()), (0, b""))
        return _of_code(int(code), _text(said))
    if isinstance(error, smtplib.SMTPAuthenticationError):  # our own account is wrong, not the mail
        return Unreachable(f"{error.smtp_code} {_text(error.smtp_error)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_code(int(error.smtp_code), _text(error.smtp_error))
    if isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress):
        return Rejected(str(error), is_address_dead=True)
    if isinstance(error, AnymailAPIError) and error.status_code and error.status_code not in _OURS_OR_LATER:
        return Rejected(str(error)) if error.status_code < 500 else Unreachable(str(error), _retry_after(error))
    if isinstance(error, ValueError):  # such as Django's BadHeaderError, or an address that is none
        return Rejected(str(error))
    if isinstance(error, AnymailAPIError):
        return Unreachable(str(error), _retry_after(error))
    return Unreachable(str(error) or type(error).__name__)


def _retry_after(error: AnymailAPIError) -> timedelta | None:
    """Return how long a provider asks us to wait, where it says so in seconds; an hour at most."""
    said = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return timedelta(seconds=min(int(said), 3_600)) if said.isascii() and said.isdecimal() and len(said) < 9 else None


def _of_code(code: int, said: str) -> Unreachable | Rejected:
    why = f"{code} {said}".strip()
    if code in _NO_SUCH_MAILBOX and means_no_mailbox(said):
        return Rejected(why, is_address_dead=True)
    return Rejected(why) if code >= 500 else Unreachable(why)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
