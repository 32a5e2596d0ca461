"""How log lines look: JSON for machines in production, short lines for people elsewhere, each with its request."""

import logging
import re
from contextvars import ContextVar
from typing import Any

#: Under these paths the next word is a secret: a customer's link. It must stand in no log line, wherever it comes from;
#: nor must those by which addresses are allowed and confirmed.
SECRET_PATHS = ("/track/",)
_SECRET = re.compile(
    r"""((?:/|%2F)(?:track|messages(?:/|%2F)(?:allow|confirm))(?:/|%2F))(?:(?!%2F)[^/\s"'?&#<>\\])+""", re.IGNORECASE
)

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Writes the id of the request that is being answered into every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = request_id.get()
        return True


def without_secrets(text: str) -> str:
    """Return a text in which the secret of every link is masked."""
    return _SECRET.sub(r"\1***", text)


class DiscreetHandler(logging.StreamHandler[Any]):
    """Writes lines in which secrets are masked: in the message, in what comes with it, and in a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line, masked."""
        return without_secrets(super().format(record))


def configuration(*, as_json: bool, level: str) -> dict[str, Any]:
    """The LOGGING setting: everything to standard error, where the machine that runs us collects it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "format": "{asctime}{levelname}{name}{message}{request_id}",
                "style": "{",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
            "people": {"format": "{asctime} {levelname:<7} {name} [{request_id}] {message}", "style": "{"},
        },
        "handlers": {
            "stderr": {
                "class": "config.logs.DiscreetHandler",
                "filters": ["request_id"],
                "formatter": "json" if as_json else "people",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        # The handlers that Django and gunicorn set up themselves would print in a form of their own.
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Every answer has its line already (config.request_id), with the route and under its id: what Django says
            # of refusals comes after that, with the whole path. Errors of ours are still told, with their traceback.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.access": {"handlers": [], "level": level, "propagate": True},  # where somebody asks for it
        },
    }
