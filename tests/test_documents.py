"""Documents that must not go stale."""

import re

from django.conf import settings

READS = re.compile(
    r"""environment\.(?:text|required|choice|flag|number|words|origins|database|redis|email|public_keys"""
    r"""|secret|vapid_key|reply_address)\(\s*["'](\w+)["']"""
)
#: Read with all that begin like it.
AMONG_OTHERS = {"ANYMAIL_WEBHOOK_SECRET"}


def test_every_variable_is_documented_and_every_documented_one_is_read():
    code = "\n".join(path.read_text() for path in sorted((settings.BASE_DIR / "config").rglob("*.py")))
    documented = re.findall(r"^\| `(\w+)` \|", (settings.BASE_DIR / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(set(READS.findall(code)) | AMONG_OTHERS)


def test_links_of_the_documents_lead_somewhere():
    documents = [settings.BASE_DIR / "README.md", *sorted((settings.BASE_DIR / "docs").rglob("*.md"))]
    dead = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert dead == []


def test_no_two_decisions_have_one_number_and_each_begins_with_its_own():
    decisions = sorted((settings.BASE_DIR / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(decision.name[:4]) for decision in decisions]
    assert len(set(numbers)) == len(numbers)
    begins = [decision.read_text().partition(". ")[0] for decision in decisions]
    assert begins == [f"# {number}" for number in numbers]
