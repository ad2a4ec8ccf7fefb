"""Write a page for every error: what it means, messages that tests pin, and those tests.

    python docs/generate_errors.py

Fills `docs/errors/`. The tests check the files against a fresh run.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from lxc.commands.why import explanations
from lxc.errors import CODES, EXIT_STATUS

DOCS = Path(__file__).parent
FOLDER = DOCS / "errors"
TESTS = DOCS.parent / "tests"
GOLDEN = TESTS / "errors" / "golden"
CODE = re.compile(r"LXC-E[0-9]{4}")
KINDS = {
    "00": "Usage",
    "01": "Models: layers, set-up, tracing",
    "02": "IR and passes",
    "03": "Targets and tools",
    "04": "Artifacts and files",
    "05": "Calls of compiled models",
    "06": "Resources",
}
MOST_EXAMPLES = 3


def pages() -> dict[str, str]:
    """Return the text of every page by the name of its file."""
    said, goldens, tests = explanations(), examples(), naming()
    found = {
        f"{code}.md": page(code, said[code], goldens.get(code, {}), tests.get(code, []))
        for code in CODES
    }
    return {"index.md": index(), **found}


def page(
    code: str, said: Mapping[str, str], goldens: Mapping[str, str], tests: list[str]
) -> str:
    """Return the page of one error."""
    status = EXIT_STATUS[code[5:7]]
    lines = [f"# {code}", "", f"**{CODES[code]}** (exit status {status})", ""]
    lines += [said["means"], "", "## What to do", "", said["fix"], ""]
    if goldens:
        lines += ["## For example", ""]
        shown = sorted(goldens, key=lambda name: (len(goldens[name]), name))
        for name in shown[:MOST_EXAMPLES]:
            lines += ["```text", goldens[name].rstrip(), "```", ""]
    lines += ["## Tests that pin it", ""]
    lines += [f"* `tests/errors/golden/{name}.txt`" for name in sorted(goldens)]
    lines += [f"* `{name}`" for name in tests]
    return "\n".join([*lines, ""])


def index() -> str:
    """Return the page that lists all errors."""
    lines = ["# Errors", ""]
    lines += ["`lxc why CODE` prints the same as the page of an error. The first two"]
    lines += ["digits of a code decide the exit status of the command line.", ""]
    for kind, title in KINDS.items():
        lines += [f"## {title}", "", "| code | |", "|---|---|"]
        codes = [code for code in CODES if code[5:7] == kind]
        lines += [f"| [{code}]({code}.md) | {CODES[code]} |" for code in codes]
        lines.append("")
    lines += ["```{toctree}", ":hidden:", "", *CODES, "```", ""]
    return "\n".join(lines)


def examples() -> dict[str, dict[str, str]]:
    """Return the messages that tests pin, by code and name."""
    found: dict[str, dict[str, str]] = {}
    for path in GOLDEN.glob("*.txt"):
        text = path.read_text("utf-8")
        for code in CODE.findall(text)[:1]:
            found.setdefault(code, {})[path.stem] = text
    return found


def naming() -> dict[str, list[str]]:
    """Return the test files that name a code, by code."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for code in sorted({*CODE.findall(path.read_text("utf-8"))}):
            name = path.relative_to(TESTS.parent).as_posix()
            found.setdefault(code, []).append(name)
    return found


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
