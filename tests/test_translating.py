"""The texts of the product are found wherever they are marked, and what is wrong with a translation is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils.translation import override

from config import translating
from orders.models import OrderLine

PYTHON = """
from django.utils.translation import gettext as _g, gettext_lazy as _, ngettext, pgettext
A = _("Part")
B = _g("%(quantity)s moved")
C = ngettext("%(count)s line", "%(count)s lines", 2)
D = pgettext("of a door", "Open")
E = _(A)
"""
TEMPLATE = """
{% load i18n %}
    <p title="{% translate "Why?" %}">{% blocktranslate count n=lines trimmed %}
        one line
      {% plural %}
        {{ n }} lines
    {% endblocktranslate %}</p>
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house of one room, with German alone."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "texts.py").write_text(PYTHON)
    (tmp_path / "parts" / "page.html").write_text(TEMPLATE)
    monkeypatch.setattr(translating, "ROOT", tmp_path)
    monkeypatch.setattr(translating, "LANGUAGES", ("de",))
    return tmp_path


def _write(said: dict[str, str]) -> None:
    path = translating.path_of("de", "po")
    text = path.read_text()
    for original, translation in said.items():
        text = text.replace(f'msgid "{original}"\nmsgstr ""', f'msgid "{original}"\nmsgstr "{translation}"')
    path.write_text(text)


def test_every_mark_is_found_in_code_and_templates(house: Path) -> None:
    found = {(message.context, message.id) for message in translating.texts() if message.id}
    assert found == {
        (None, "Part"),
        (None, "%(quantity)s moved"),
        (None, ("%(count)s line", "%(count)s lines")),
        ("of a door", "Open"),
        (None, "Why?"),
        (None, ("one line", "%(n)s lines")),
    }


def test_what_is_translated_stays_when_the_texts_change(house: Path) -> None:
    assert translating.main(["update"]) == 0
    _write({"Part": "Teil", "Why?": "Warum?"})
    (house / "parts" / "page.html").write_text('{% load i18n %}{% translate "When?" %}')
    translating.update("de")
    catalogue = translating.read("de")
    said = {message.id: message.string for message in catalogue if message.id}
    assert (said["Part"], said["When?"], "Why?" in said) == ("Teil", "", False)


def test_what_is_wrong_is_said(house: Path) -> None:
    (house / "parts" / "page.html").unlink()
    (house / "parts" / "texts.py").write_text('A = _("Part")\nB = _("%(quantity)s moved")\n')
    translating.update("de")
    assert translating.main(["check"]) == 1
    _write({"Part": "Teil", "%(quantity)s moved": "%(menge)s bewegt"})
    assert [line.split(":")[1] for line in translating.complaints("de")] == [" other places than the original"]
    _write({})
    path = translating.path_of("de", "po")
    path.write_text(path.read_text().replace("%(menge)s", "%(quantity)s"))
    assert [line.split(":")[1] for line in translating.complaints("de")] == [" django.mo is not what django.po says"]
    translating.update("de")
    assert translating.main(["check"]) == 0
    (house / "parts" / "texts.py").write_text('A = _("Part")\n')
    assert [line.split(":")[1] for line in translating.complaints("de")] == [" no longer there"]


def test_forms_and_contexts_are_compiled_as_they_are_said(house: Path) -> None:
    (house / "parts" / "page.html").unlink()
    (house / "parts" / "texts.py").write_text(
        'A = ngettext("%(count)s line", "%(count)s lines", 2)\nB = pgettext("file", "Line")\n'
    )
    translating.update("de")
    path = translating.path_of("de", "po")
    text = path.read_text().replace('msgstr[0] ""', 'msgstr[0] "%(count)s Zeile"')
    text = text.replace('msgid "Line"\nmsgstr ""', 'msgid "Line"\nmsgstr "Zeile"')
    path.write_text(text.replace('msgstr[1] ""', 'msgstr[1] "%(count)s Zeilen"'))
    assert translating.complaints("de") == ["de: django.mo is not what django.po says: run `make texts`"]
    translating.update("de")
    assert translating.complaints("de") == []


def test_a_relation_is_called_in_the_language_of_its_reader() -> None:
    part = OrderLine._meta.get_field("part")
    assert str(part.verbose_name) == "part"
    with override("es"):
        assert str(part.verbose_name) == "pieza"


def test_other_words_are_not_understood() -> None:
    assert translating.main(["translate"]) == 2
