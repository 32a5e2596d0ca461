"""Writes the API's description, or fails when the written one no longer tells what the code does."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "docs" / "openapi.yaml"


def main(arguments: list[str]) -> int:
    """`write` the description, or `check` the written one. Returns the exit status."""
    if arguments == ["write"]:
        return _generate(WRITTEN)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.yaml"
        if status := _generate(fresh):
            return status
        if WRITTEN.exists() and WRITTEN.read_text() != fresh.read_text():
            sys.stderr.write("docs/openapi.yaml does not tell what the code does. Write it anew: make openapi\n")
            return 1
    return 0


def _generate(target: Path) -> int:
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", os.fspath(target)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - a command written above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
