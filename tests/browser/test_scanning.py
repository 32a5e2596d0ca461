"""What a scanner types finds its line by the same key in the browser as on the server."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from parts.lookups import SEPARATORS, key_of
from tests.browser.conftest import ScreenOf

CODES = [
    "",
    "so-000 12",
    "03l 115 562",
    "03L-115-562",
    "x_y#z:(1)+2,3*4",
    "A/B.C",
    "Ä.ö/ü",
    "straße 7",
    "\tedge\n",
    "no-break\u00a0space",
    "soft\u00adhyphen",
    "en\u2013dash",
    "ﬁ-ŉ",
    "ΣΊΣΥΦΟΣ σίσυφος",
    *(f"a{sign}b" for sign in map(chr, range(32, 127))),
    SEPARATORS,
]


def test_the_browser_and_the_server_make_the_same_key_of_every_code(screen_of: ScreenOf) -> None:
    script = Path(settings.BASE_DIR, "static/backline/js/scan.js").read_text()
    lines = re.findall(r"^ *const (?:separators|key) = .*;$", script, re.MULTILINE)
    assert len(lines) == 2
    page = screen_of().page
    keys = page.evaluate(f"(codes) => {{ {' '.join(lines)} return codes.map(key); }}", CODES)
    assert dict(zip(CODES, keys, strict=True)) == {code: key_of(code) for code in CODES}
