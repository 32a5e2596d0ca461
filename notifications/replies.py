"""Answers by email: the address that each notice is answered to, and what somebody wrote above what they quote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr
from html import unescape
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

#: Where an MTA says to whom a mail was delivered; the first that bears a token counts.
_TO = ("delivered-to", "x-original-to", "to", "cc")
_TOKEN = re.compile(r"^(?P<key>[0-9a-f]{32})-(?P<mac>[0-9a-f]{20})$")
#: Lines after which somebody else's words begin, as mail programs write them in our languages.
_QUOTES = re.compile(
    r"^(>|-{2,} ?(original|ursprüngliche|mensaje)|_{8,}$|--$"
    r"|(on|am|el) .{4,200}(wrote|schrieb.*|escribió):? ?$|(from|von|de): .*[@<])",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"<(br|/p|/div|/tr|/li)\b[^<>]{0,500}>", re.IGNORECASE)
#: No more of a text than this is read: what somebody wrote stands above what they quote.
_MOST_READ = 100_000
_TAGS = re.compile(r"<[^<>]{0,5000}>")
_HIDDEN = re.compile(r"<(style|script|head|blockquote)\b.*?(</\1>|$)", re.IGNORECASE | re.DOTALL)
#: A whole answer of one of these words wants no more messages.
STOPS = {"stop", "stopp", "stopall", "unsubscribe", "abbestellen", "abmelden", "baja", "alto", "cancelar"}
_NOT_BY_PEOPLE = {"bulk", "junk", "list", "auto_reply"}


def address_of(notice_id: UUID) -> str:
    """Return the address to which a notice is answered; empty where the installation takes no answers."""
    local, _at, domain = settings.REPLY_ADDRESS.rpartition("@")
    return f"{local}+{notice_id.hex}-{_mac(notice_id.hex)}@{domain}" if local else ""


def notice_answered(mail: Message) -> UUID | None:
    """Return the key of the notice that a mail answers, by the address that it was sent to; None where it is none."""
    return notice_named(mail, _TO)


def notice_named(mail: Message, names: Sequence[str]) -> UUID | None:
    """Return the key of the notice whose address stands in one of these headers; None where none does."""
    headers = [str(value) for name in names for value in mail.get_all(name, [])]
    for _name, address in getaddresses(headers):
        token = _TOKEN.match(address.rpartition("@")[0].rpartition("+")[2].lower())
        if token and constant_time_compare(token["mac"], _mac(token["key"])):
            return UUID(token["key"])
    return None


def is_by_a_machine(mail: Message) -> bool:
    """Tell whether nobody wrote a mail: an absence notice, a report of a bounce, a list, or a mail of our own."""
    if str(mail.get("auto-submitted", "no")).split(";")[0].strip().lower() != "no":
        return True
    if str(mail.get("precedence", "")).strip().lower() in _NOT_BY_PEOPLE:
        return True
    if str(mail.get("return-path", "?")).strip() == "<>" or mail.get("x-autoreply") or mail.get("x-autorespond"):
        return True
    sender = parseaddr(str(mail.get("from", "")))[1].lower()
    ours = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), settings.REPLY_ADDRESS.lower()}
    return not sender or sender in ours or _is_ours(sender)


def _is_ours(sender: str) -> bool:
    """Tell whether a mail comes from an address to which we are answered: it would go round for ever."""
    local, _at, domain = settings.REPLY_ADDRESS.lower().rpartition("@")
    try:
        address = MailAddress(addr_spec=sender)
    except (ValueError, IndexError):
        return False
    return bool(local) and address.domain == domain and address.username.startswith(f"{local}+")


def own_words(mail: EmailMessage) -> str:
    """Return what somebody wrote, without what they quote and their signature; empty where there is no text."""
    try:
        body = mail.get_body(("plain", "html"))
        if body is None:
            return ""
        text = str(body.get_content())[:_MOST_READ]
    except (LookupError, UnicodeError, RecursionError):  # an encoding that nobody knows, parts within parts
        return ""
    if body.get_content_subtype() == "html":
        text = unescape(_TAGS.sub("", _BREAKS.sub("\n", _HIDDEN.sub("", text))))
    return above_the_quote(text.replace("\x00", ""))


def above_the_quote(text: str) -> str:
    """Return the lines above the first that somebody else wrote, or above a signature."""
    kept = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _QUOTES.match(line.strip()[:300]):
            break
        kept.append(line.rstrip())
    return "\n".join(kept).strip()


def wants_none(words: str) -> bool:
    """Tell whether an answer says that its writer wants no more messages."""
    return words.strip().strip(".!").lower() in STOPS


def _mac(key: str) -> str:
    return salted_hmac("backline reply", key, algorithm="sha256").hexdigest()[:20]
