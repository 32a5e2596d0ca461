"""The texts of the product in other languages: `python -m config.translating update` and `... check`.

`update` reads every text that the code and the templates mark for translation into locale/*/LC_MESSAGES/django.po
(texts that are new come in empty, those that are gone go away) and compiles what is translated into django.mo, which is
what runs. `check` says what is missing, unsure, out of date or does not fit its original, and ends with 1.

It needs Babel alone, no gettext on the machine. Templates are read as Django reads them.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("de", "es")
#: Where texts are looked for.
ROOMS = ("backorders", "config", "integrations", "notifications", "orders", "parts", "reports", "templates")

#: What marks a text, and which of its arguments are what: `c` a context; numbers are one form and the other.
MARKS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    name: arguments
    for names, arguments in (
        (("_", "_g", "gettext", "gettext_lazy", "gettext_noop", "ugettext", "sentence"), None),
        (("_n", "ngettext", "ngettext_lazy"), (1, 2)),
        (("sentence_for",), (2, 3)),
        (("_p", "pgettext", "pgettext_lazy"), ((1, "c"), 2)),
        (("_np", "npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
    )
    for name in names
}
_PLACE = re.compile(r"%\((\w+)\)[sd]|%[sd]|(?<!\{)\{(\w*)\}(?!\})")


def path_of(language: str, kind: str) -> Path:
    """Return the catalogue of a language: `po`, which people write, or `mo`, which runs."""
    return ROOT / "locale" / language / "LC_MESSAGES" / f"django.{kind}"


def texts() -> Catalog:
    """Return all texts that are marked for translation."""
    catalogue = Catalog(charset="utf-8")
    for path in _sources():
        source = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
        for _line, mark, found, _comments in extract_python(io.BytesIO(source.encode()), dict.fromkeys(MARKS), [], {}):
            context, ids = _parts(str(mark), found)
            if ids and ids[0]:
                catalogue.add(ids[0] if len(ids) == 1 else (ids[0], ids[1]), context=context)
    return catalogue


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".html"} and "migrations" not in path.parts:
                yield path


def _parts(mark: str, found: object) -> tuple[str | None, list[str]]:
    """Return the context and the forms of a marked text; none where it is no plain text."""
    arguments = list(found) if isinstance(found, tuple | list) else [found]
    wanted = MARKS[mark] or (1,)
    context, ids = None, []
    for place in wanted:
        number = place if isinstance(place, int) else place[0]
        value = arguments[number - 1] if number <= len(arguments) else None
        if not isinstance(value, str):
            return None, []
        if isinstance(place, int):
            ids.append(value)
        else:
            context = value
    return context, ids


def read(language: str) -> Catalog:
    """Return what is translated into a language so far."""
    path = path_of(language, "po")
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _empty(language: str) -> Catalog:
    """Return a catalogue without texts, whose head says nothing that changes by itself."""
    return Catalog(
        locale=language,
        charset="utf-8",
        header_comment=f"# Backline's texts: {language}.",
        project="Backline",
        version="1",
        msgid_bugs_address="none",
        last_translator="Backline",
        language_team=language,
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
        revision_date=datetime(2026, 1, 1, tzinfo=UTC),
        fuzzy=False,
    )


def update(language: str) -> Catalog:
    """Bring a language's catalogue up to what the code and the templates say, and compile it."""
    catalogue = _empty(language)
    old, new = read(language), texts()
    for message in new:
        if not message.id:
            continue
        before = old.get(message.id, message.context)
        catalogue.add(message.id, before.string if before else None, context=message.context)
    path_of(language, "po").parent.mkdir(parents=True, exist_ok=True)
    with path_of(language, "po").open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False, include_lineno=False)
    with path_of(language, "mo").open("wb") as file:
        write_mo(file, catalogue)
    return catalogue


def complaints(language: str) -> list[str]:
    """Return what is wrong with a language's catalogue, a line each."""
    catalogue, wanted = read(language), texts()
    found = []
    for message in wanted:
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        if translated is None or not _is_whole(translated):
            found.append(f"not translated: {message.id!r}")
        elif translated.fuzzy:
            found.append(f"unsure: {message.id!r}")
        elif _places(translated.id) != _places(translated.string):
            found.append(f"other places than the original: {message.id!r} -> {translated.string!r}")
    found += [
        f"no longer there: {message.id!r}"
        for message in catalogue
        if message.id and wanted.get(message.id, message.context) is None
    ]
    if not found and not _is_compiled(language, catalogue):
        found.append("django.mo is not what django.po says: run `make texts`")
    return [f"{language}: {line}" for line in found]


def _is_whole(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def _places(text: str | tuple[str, ...] | list[str] | None) -> set[tuple[str, ...]]:
    """Return what is put into a text, over all of its forms: a form for one may leave out the number."""
    forms = [text] if isinstance(text, str) else text or []
    return {match.groups("") for form in forms for match in _PLACE.finditer(form)}


def _is_compiled(language: str, catalogue: Catalog) -> bool:
    path = path_of(language, "mo")
    if not path.exists():
        return False
    with path.open("rb") as file:
        compiled = read_mo(file)
    return _said(catalogue) == _said(compiled)


def _said(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the texts of a catalogue with their contexts.

    Babel gives forms as a list here and as a tuple there, and contexts as bytes where they are compiled.
    """
    return {
        (_context(item.context), *_forms(item.id)): _forms(item.string) for item in catalogue if item.id and item.string
    }


def _context(context: str | bytes | None) -> str:
    return context.decode() if isinstance(context, bytes) else context or ""


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def main(arguments: list[str]) -> int:
    """Do what is asked for; return the exit code."""
    if arguments == ["update"]:
        for language in LANGUAGES:
            catalogue = update(language)
            missing = sum(1 for message in catalogue if message.id and not _is_whole(message))
            sys.stdout.write(f"{language}: {len(catalogue)} texts, {missing} not translated\n")
        return 0
    if arguments == ["check"]:
        found = [line for language in LANGUAGES for line in complaints(language)]
        sys.stdout.write("\n".join(found or ["All texts are translated."]) + "\n")
        return 1 if found else 0
    sys.stdout.write("usage: python -m config.translating update|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
