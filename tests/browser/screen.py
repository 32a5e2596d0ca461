"""A screen in front of somebody: a page of a real browser, what it complains about, and what bars people from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from playwright.sync_api import ConsoleMessage, Page, Response

#: Width and height of the windows that tests look through, in CSS pixels.
DESKTOP = (1280, 800)
PHONE = (390, 844)

#: What can be scrolled out of sight sideways, and which elements reach furthest beyond the edge.
_SIDEWAYS = """
() => {
  const root = document.documentElement;
  const edge = root.clientWidth;
  const over = Math.max(root.scrollWidth, document.body.scrollWidth) - edge;
  if (over <= 0) return [];
  const isClipped = (element) => {
    for (let around = element.parentElement; around; around = around.parentElement) {
      const isOpen = getComputedStyle(around).overflowX === "visible";
      if (!isOpen && around.getBoundingClientRect().right <= edge + 1) return true;
    }
    return false;
  };
  const reaches = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element); // text may reach further than what it stands in
    return Math.max(element.getBoundingClientRect().right, range.getBoundingClientRect().right) > edge + 1;
  };
  const found = [...document.body.querySelectorAll("*")].filter((element) => reaches(element) && !isClipped(element));
  const told = found.length ? found.slice(-3).map((element) => element.outerHTML.slice(0, 160)) : ["nobody knows what"];
  return told.map((text) => `${over} px over: ${text}`);
}
"""

#: Run axe over the page by the rules of WCAG 2.2 A and AA, or by those of them that look at colours; one row per
#: element that breaks one of weight.
_AXE = """
async ([known, onlyColours]) => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const rules = { type: "rule", values: ["color-contrast", "link-in-text-block"] };
  const runOnly = onlyColours ? rules : { type: "tag", values: tags };
  const options = { runOnly, resultTypes: ["violations"] };
  const { violations } = await axe.run(document, options);
  const weighty = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return weighty.flatMap(({ id, help, nodes }) => nodes.map(({ target, html, any }) => {
    const element = document.querySelector(target.at(-1));
    const excused = known.find((one) => one.rule === id && element && element.matches(one.selector));
    const said = any.length ? any[0].message : help;
    return { rule: id, known: excused ? excused.selector : "", words: `${id}: ${said} ${html.slice(0, 200)}` };
  }));
}
"""


@dataclass(frozen=True)
class Known:
    """A weighty violation that is not ours to mend: axe's rule, the elements, and why it stays."""

    rule: str
    selector: str
    reason: str


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text()


class Screen:
    """A window of a browser. `complaints` are what its console, its scripts and its server said was wrong.

    A refused form is a page like any other: its 4xx is no complaint.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self._refused: set[str] = set()
        page.on("response", self._hear_answer)
        page.on("console", self._hear_console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url} script: {error}"))

    def _hear_answer(self, response: Response) -> None:
        if response.request.is_navigation_request() and 400 <= response.status < 500:
            self._refused.add(response.url)

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and message.location.get("url") not in self._refused:
            self.complaints.append(f"{self.page.url} console: {message.text}")

    def go(self, path: str) -> None:
        """Open an address of ours."""
        self.page.goto(self.address + path)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Lose the network for a while."""
        self.page.context.set_offline(True)
        try:
            yield
        finally:
            self.page.context.set_offline(False)

    def sideways(self) -> list[str]:
        """Return what reaches beyond the right edge of the window, where the page as a whole can be scrolled there."""
        found: list[str] = self.page.evaluate(_SIDEWAYS)
        return found

    def barriers(self, known: Sequence[Known] = (), *, only_colours: bool = False) -> list[str]:
        """Return the serious and critical violations of WCAG 2.2 AA that axe finds, without the known ones.

        `only_colours` looks at what changes between day and night, where the rest was looked at already.
        """
        self.page.evaluate(_axe())
        excused = [{"rule": one.rule, "selector": one.selector} for one in known]
        found = self.page.evaluate(_AXE, [excused, only_colours])
        return [one["words"] for one in found if not one["known"]]
