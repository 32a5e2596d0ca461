"""Where Chromium is, and how it is started where there is no screen."""

from __future__ import annotations

import shutil

from config import environment

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: It asks nobody anything and runs where there is no screen.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str | None:
    """Return the Chromium of this machine: what CHROMIUM names, else one that is installed, else None."""
    named = environment.text("CHROMIUM")
    return next(filter(None, map(shutil.which, (named,) if named else NAMES)), None)
