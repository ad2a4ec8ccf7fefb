"""Every block of code in the documentation does what its page says.

Blocks of a page run in order in one folder, in which `examples` is that of the repository:
Python with prompts as a doctest, Python without as a module, `sh` by the shell. A block
that only shows something is `text`, `console` or the language of a file; `py` and those of
docs/deploy-to-c.md have tests of their own.
"""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lxc.targets import targets_named

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = "{"
"""What the info of a block begins with that is none: it speaks to the site."""
SHOWN = {"text", "console", "json", "toml", "c", "cpp", "cmake", "rust", "html", "py"}
RUN = frozenset({"python", "sh"})
TARGET = re.compile(r"--target (\S+)")


@dataclass(frozen=True)
class Block:
    """A block: its language, its text, and the line of the page that it begins in."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text("utf-8")
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in BLOCK.finditer(text)
        if not found[1].startswith(DIRECTIVE)
    ]


PAGES = sorted(page for page in DOCS.rglob("*.md") if blocks_of(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_names_its_language(page: Path) -> None:
    unknown = [
        f"line {block.line}"
        for block in blocks_of(page)
        if block.language not in SHOWN | RUN
    ]
    assert unknown == []


def runnable(page: Path) -> Any:
    """Return a page as a parameter of tests: one that fails where code cannot be linked."""
    shell = "\n".join(block.text for block in blocks_of(page) if block.language == "sh")
    names = [name for text in TARGET.findall(shell) for name in text.split(",")]
    targets = targets_named(names) if names else ()
    lacks = sorted(
        {one for target in targets for one in target.back_end.lacks_to_link(target)}
    )
    reason = f"this machine lacks {', '.join(lacks)}"
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if lacks else []
    return pytest.param(page, id=page.stem, marks=marks)


@pytest.mark.parametrize(
    "page",
    [
        runnable(page)
        for page in PAGES
        if any(block.language in RUN for block in blocks_of(page))
    ],
)
def test_the_blocks_of_a_page_do_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    run_blocks(page)


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_blocks(ROOT / "README.md", {"python"})


def run_blocks(page: Path, languages: Set[str] = RUN) -> None:
    """Run the blocks of a page that are in some languages, in order."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(page):
        if block.language not in languages:
            continue
        place = f"{page.name}:{block.line}"
        if block.language == "sh":
            run_shell(block.text, place)
        elif block.language == "python" and block.text.lstrip().startswith(">>>"):
            run_session(block.text, names, place)
        elif block.language == "python":
            exec(compile(block.text, place, "exec"), names)


def run_shell(text: str, place: str) -> None:
    """Run commands as a shell does, up to the first that fails."""
    folder = str(Path(sys.executable).parent)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{place}: {done.stdout}{done.stderr}"


def run_session(text: str, names: dict[str, Any], place: str) -> None:
    """Run what follows prompts and compare what it prints."""
    examples = doctest.DocTestParser().get_doctest(text, names, place, place, 0)
    printed: list[str] = []
    doctest.DocTestRunner().run(examples, out=printed.append, clear_globs=False)
    names.update(examples.globs)
    assert "".join(printed) == ""
