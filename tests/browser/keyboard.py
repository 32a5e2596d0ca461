"""A person who has no mouse: goes from place to place by keys, and must see at every one of them where they are."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

#: More places than anybody would pass on the way to anything.
MOST_STEPS = 80

#: What is wrong with the place that has the focus: it is outside of the window, covered, or not marked.
_WRONG = """
() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "nothing has the focus";
  const told = at.outerHTML.slice(0, 120);
  const labelled = at.labels?.[0];
  const box = at.getBoundingClientRect();
  const seen = box.width < 2 && labelled ? labelled.getBoundingClientRect() : box;
  const [x, y] = [seen.left + Math.min(seen.width / 2, 40), seen.top + Math.min(seen.height / 2, 12)];
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return `out of sight: ${told}`;
  const top = document.elementFromPoint(x, y);
  const own = top && (at.contains(top) || top.contains(at) || labelled?.contains(top));
  if (!own) return `covered by ${top?.outerHTML.slice(0, 80)}: ${told}`;
  const marked = [at, at.parentElement, labelled].filter(Boolean).some((element) => {
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return outlined || (element === at && style.boxShadow !== "none");
  });
  return marked ? "" : `no mark of the focus: ${told}`;
}
"""


class Keyboard:
    """The keys of a page. Every place that the focus comes to is looked at; `unseen` collects what is wrong there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.unseen: list[str] = []

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text."""
        self.page.keyboard.type(text)

    def look(self) -> None:
        """Look where the focus is."""
        if wrong := self.page.evaluate(_WRONG):
            self.unseen.append(f"{self.page.url} {wrong}")

    def to(self, place: Locator, key: str = "Tab") -> None:
        """Go on until a place has the focus. Raises AssertionError where it cannot be reached."""
        for _step in range(MOST_STEPS):
            if place.count() == 1 and place.evaluate("(element) => element === document.activeElement"):
                self.look()
                return
            self.press(key)
            self.look()
        raise AssertionError(f"{place} is not reached by {key} from here on; unseen: {self.unseen}")

    def enter(self, place: Locator) -> None:
        """Go to a place and press Enter there."""
        self.to(place)
        self.press("Enter")
