"""What is refused is said in the language of whoever reads it: sentences are named, and put into words when read."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.translation import gettext_lazy, override

from config.translating import ROOMS, ROOT
from orders.statuses import ServiceOrderStatus
from parts.errors import Invalid, Refused
from parts.importing import RowError
from parts.sentences import Figure, Word, from_kept, in_english, read, sentence, sentence_for

# --- How a sentence is read ------------------------------------------------------------------------------------------


def test_a_refusal_is_read_in_the_language_of_its_reader() -> None:
    refusal = Refused(sentence("Nothing of {number} would change.", number="P-1"))
    assert refusal.detail == "Nothing of P-1 would change."
    with override("de"):
        assert refusal.detail == "An P-1 würde sich nichts ändern."
    with override("es"):
        assert refusal.detail == "En P-1 no cambiaría nada."


def test_the_messages_of_its_fields_are_read_likewise() -> None:
    refusal = Invalid(sentence("The file is empty."), {"quantity": [sentence("must be above zero")]}, demand_ids=["1"])
    with override("de"):
        assert refusal.extra == {"fields": {"quantity": ["muss größer als null sein"]}, "demand_ids": ["1"]}
    assert refusal.extra["fields"] == {"quantity": ["must be above zero"]}


def test_what_a_log_shows_of_it_is_english() -> None:
    refusal = Refused(sentence("The file is empty."))
    with override("de"):
        assert (str(refusal), refusal.detail) == ("The file is empty.", "Die Datei ist leer.")


def test_nothing_is_put_into_words_before_somebody_reads_it() -> None:
    class Value:
        read = 0

        def __str__(self) -> str:
            self.read += 1
            return "P-1"

    value = Value()
    refusal = Refused(sentence("Nothing of {number} would change.", number=value))
    assert value.read == 0
    assert (refusal.detail, value.read) == ("Nothing of P-1 would change.", 1)


def test_labels_numbers_and_lists_in_it_are_written_as_the_reader_writes_them() -> None:
    said = sentence(
        "{status} {cost} {rows} {names}",
        status=ServiceOrderStatus.IN_PROGRESS.label,
        cost=Decimal("12.50"),
        rows=Figure(500000),
        names=[gettext_lazy("Part"), "x{y}"],
    )
    assert said == "In Progress 12.50 500,000 Part, x{y}"
    with override("de"):
        assert said == "In Arbeit 12,50 500.000 Teil, x{y}"


def test_a_label_inside_a_sentence_is_small_in_english_alone() -> None:
    word = Word(ServiceOrderStatus.IN_PROGRESS.label)
    assert str(word) == "in progress"
    with override("de"):
        assert str(word) == "In Arbeit"


def test_a_sentence_has_a_form_for_one_and_another_for_many() -> None:
    one, two = (
        sentence_for(
            count,
            "The file has {count} error; nothing was imported.",
            "The file has {count} errors; nothing was imported.",
        )
        for count in (1, 2)
    )
    assert [str(one), str(two)] == [
        "The file has 1 error; nothing was imported.",
        "The file has 2 errors; nothing was imported.",
    ]
    with override("es"):
        assert "2 errores" in str(two)


def test_a_sentence_that_is_kept_can_be_read_in_any_language_later() -> None:
    with override("es"):
        kept = sentence("The file is larger than {most} MB; split it.", most=50).kept()
    assert kept == {
        "text": "The file is larger than {most} MB; split it.",
        "many": "",
        "count": None,
        "values": {"most": 50},
    }
    with override("de"):
        assert str(from_kept(kept)) == "Die Datei ist größer als 50 MB; teilen Sie sie."


def test_labels_and_numbers_that_are_kept_are_written_as_the_later_reader_writes_them() -> None:
    status = ServiceOrderStatus.IN_PROGRESS.label
    said = sentence(
        "{a} {b} {c} {d} {e}",
        a=status,
        b=Word(status),
        c=Decimal("2.50"),
        d=Figure(500000),
        e=[sentence("The file is empty."), "x"],
    )
    with override("es"):
        kept = json.loads(json.dumps(said.kept()))
    assert str(from_kept(kept)) == "In Progress in progress 2.50 500,000 The file is empty., x"
    with override("de"):
        assert str(from_kept(kept)) == "In Arbeit In Arbeit 2,50 500.000 Die Datei ist leer., x"


def test_what_is_wrong_on_a_line_of_a_file_is_read_likewise() -> None:
    error = RowError(3, "quantity", sentence("must be above zero"))
    assert str(error) == "line 3, quantity: must be above zero"
    with override("de"):
        assert (str(error), in_english(error.says)) == (
            "Zeile 3, quantity: muss größer als null sein",
            "line 3, quantity: must be above zero",
        )


def test_sentences_are_equal_that_name_the_same() -> None:
    first, second = (sentence("there is no part {part_number}", part_number=number) for number in ("A", "B"))
    assert first == sentence("there is no part {part_number}", part_number="A")
    assert first != second
    assert first == "there is no part A"
    assert first != 3
    assert len({first, sentence("there is no part {part_number}", part_number="A"), second}) == 2
    assert repr(first) == "<Sentence 'there is no part A'>"


def test_json_is_read_whole() -> None:
    said = sentence("The file is empty.")
    with override("de"):
        assert read({"a": [said, {"b": (said,)}], "c": 1}) == {
            "a": ["Die Datei ist leer.", {"b": ["Die Datei ist leer."]}],
            "c": 1,
        }


# --- The law ---------------------------------------------------------------------------------------------------------

#: What speaks English alone, to whoever runs the product: at the command line, and in the description of the API.
ENGLISH = ("config/run.py", "reports/replay/", "config/api/openapi.py")
#: Texts of people that are given to something else than a refusal, and which of its arguments they are.
OTHERS = {"RowError": 2, "CellError": 0, "TooMuch": 0}


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _name_of_call(node: ast.expr) -> str:
    return _name(node.func) if isinstance(node, ast.Call) else ""


def _refusals() -> set[str]:
    """Return the names of all classes that are refusals."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for _path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, before = {"Refused"}, set[str]()
    while found != before:
        before = found
        found = found | {name for name, above in bases.items() if above & found}
    return found


def _is_said(node: ast.expr) -> bool:
    """Tell whether this is a text that is there in one language only: plain, or put together."""
    if isinstance(node, ast.BinOp):
        return _is_said(node.left) or _is_said(node.right)
    if isinstance(node, ast.IfExp):
        return _is_said(node.body) or _is_said(node.orelse)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}:
        return _is_said(node.func.value)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_message(node: ast.expr) -> bool:
    """Tell whether a text in a list is one for people: it has several words, or ends like a sentence."""
    words = "".join(str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant))
    return _is_said(node) and (" " in words.strip() or words.endswith("."))


def _messages(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the messages of a mapping of fields to their messages."""
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _messages(value)
    elif isinstance(node, ast.DictComp):
        yield from _messages(node.value)
    elif isinstance(node, ast.List):
        yield from node.elts


def _texts_of(call: ast.Call, refusals: set[str]) -> Iterator[ast.expr]:
    """Yield what a call says to people."""
    name = _name(call.func)
    if name in refusals:
        yield from call.args[:1]
        for argument in (*call.args[1:], *(word.value for word in call.keywords if word.arg == "fields")):
            yield from (text for text in _messages(argument) if _is_message(text))
    elif name == "__init__" and isinstance(call.func, ast.Attribute) and _name_of_call(call.func.value) == "super":
        yield from call.args[:1]
    elif name in OTHERS:
        yield from call.args[OTHERS[name] : OTHERS[name] + 1]
    elif isinstance(call.func, ast.Attribute) and name == "add" and len(call.args) == 2:  # Problems.add
        yield call.args[1]


def _plain_texts(tree: ast.Module, refusals: set[str]) -> list[ast.expr]:
    """Return what people read that is there in one language only, each once."""
    return list({(text.lineno, text.col_offset): text for text in _found(tree, refusals)}.values())


def _found(tree: ast.Module, refusals: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (text for text in _texts_of(node, refusals) if _is_said(text))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):  # fields["day"] = ["…"]
            yield from (text for text in _messages(node.value) if _is_message(text))
        elif isinstance(node, ast.Dict | ast.DictComp):  # fields |= {"day": ["…"]}
            yield from (text for text in _messages(node) if _is_message(text))
        elif isinstance(node, ast.FunctionDef) and node.name.endswith(("_problem", "_fault")):
            returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
            yield from (text for text in returned if _is_said(text))


def test_no_refusal_is_raised_with_a_text_of_one_language() -> None:
    refusals = _refusals()
    assert len(refusals) > 30
    found = [
        f"{path}:{text.lineno}: {ast.unparse(text)}"
        for path, tree in _trees()
        if not path.as_posix().startswith(ENGLISH)
        for text in _plain_texts(tree, refusals)
    ]
    assert not found, "name these by parts.sentences.sentence:\n" + "\n".join(found)


def test_every_sentence_is_named_by_its_english_text() -> None:
    marks = {"sentence": 1, "sentence_for": 3}
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in marks
        for text in node.args[1 if node.func.id == "sentence_for" else 0 : marks[node.func.id]]
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str))
    ]
    assert not found, "these texts cannot be found by config.translating:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        'raise Refused("It is.")',
        'raise Refused(f"{order} is.")',
        'raise Refused("It " + what)',
        'raise Refused("It {}".format(what))',
        'raise errors.Refused(sentence("It is."), fields={"day": [f"{day} is."]})',
        'raise Refused(sentence("It is."), {"day": ["A day."]})',
        'problems.add("day", "must be a day" if day else None)',
        'fields["day"] = ["A day is required."]',
        'missing |= {name: ["Required."] for name in names}',
        'super().__init__("This link does not work.")',
        'def day_problem(day):\n    return "must be a day" if day else None',
    ],
)
def test_the_law_finds_what_it_forbids(source: str) -> None:
    assert len(_plain_texts(ast.parse(source), {"Refused"})) == 1
